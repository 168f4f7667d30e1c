"""The coverage curve of a search: distinct orders over runs, which levels off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.figures.axis import linear_axis
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.figures.axis import Axis
    from harness.results.explorations import Exploration

__all__ = ["CoveragePlot", "coverage_plot"]

_POINTS_MAX = 400
_LATE = 0.1  # the share of the runs, at the end, within which the last gain is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePlot:
    """The curve as SVG path data in a box of 1,000 by 100, and the line of only distinct runs."""

    axis: Axis
    curve: str
    every_run_new: str
    distinct_max: int
    words: str
    failures: tuple[tuple[float, str], ...]


def coverage_plot(exploration: Exploration) -> CoveragePlot | None:
    """Lay out how many distinct orders were seen after how many runs; None where nothing ran."""
    points = sorted(set(exploration.coverage))
    if not points:
        return None
    runs = max(points[-1][0], exploration.runs, 1)
    distinct = max(points[-1][1], 1)
    axis = linear_axis(float(runs))
    stride = max(len(points) // _POINTS_MAX, 1)
    drawn = points[::stride]
    if drawn[-1] != points[-1]:
        drawn.append(points[-1])
    path = "".join(
        f"L{axis.at(at) * 10:.1f} {100 - seen / distinct * 94:.1f}" for at, seen in drawn
    )
    failures = tuple(
        (axis.at(one.runs_to_find), f"run {one.runs_to_find:,}: {one.headline}")
        for one in exploration.failures
    )
    steep = min(axis.at(distinct) * 10, 1_000)
    return CoveragePlot(
        axis=axis,
        curve=f"M0 100{path}",
        every_run_new=f"M0 100L{steep:.1f} 6",
        distinct_max=distinct,
        words=_words(points, runs),
        failures=failures,
    )


def _words(points: Sequence[tuple[int, int]], runs: int) -> str:
    last_runs, last = points[-1]
    late = max(round(runs * _LATE), 1)
    before = max((seen for at, seen in points if at <= last_runs - late), default=0)
    sentence = f"{count(last, 'distinct partial order')} in {count(last_runs, 'run')}"
    return f"{sentence}; {last - before:,} of them new in the last {count(late, 'run')}"
