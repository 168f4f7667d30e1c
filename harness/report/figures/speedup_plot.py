"""The speed-up plot: timings by pacing, and their ratio with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.records import Pacing
from harness.report.figures.axis import linear_axis, seconds_axis
from harness.report.figures.latency_and_speedup import speedups
from harness.results.wording import count, one_line, ratio, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History, Measurement
    from harness.history.timings import Speedup
    from harness.report.figures.axis import Axis

__all__ = ["PacingRow", "RatioScale", "SpeedupPlot", "Timing", "speedup_plots"]

_TIMINGS_MAX = 200
_NAMES = {Pacing.SEQUENTIAL: "one after another", Pacing.TOGETHER: "together"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One timing, ``x`` percent from the left, ``y`` from the top; hollow if it doesn't count."""

    x: float
    y: float
    counts: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingRow:
    """The timings of one pacing, with their median if the speed-up is known."""

    pacing: str
    name: str
    timings: tuple[Timing, ...]
    median_x: float | None
    median: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioScale:
    """The speed-up on its own axis; ``low_x`` and ``high_x`` are None without an interval."""

    axis: Axis
    one_x: float
    ratio_x: float
    low_x: float | None
    high_x: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedupPlot:
    """One measured phase: its timings and, where enough of them count, its speed-up."""

    phase: str
    words: str
    axis: Axis
    rows: tuple[PacingRow, ...]
    scale: RatioScale | None
    not_counted: int


def speedup_plots(history: History) -> tuple[SpeedupPlot, ...]:
    """Lay out every measured phase of a run."""
    return tuple(
        _plot(phase, found, [one for one in history.measurements if one.phase == phase])
        for phase, found in speedups(history).items()
    )


def _plot(phase: str, found: Speedup | None, measurements: Sequence[Measurement]) -> SpeedupPlot:
    # A little air, so that the slowest timing does not stand on the edge.
    axis = seconds_axis((max(one.duration_s for one in measurements) * 1.05,))
    medians = {} if found is None else _medians(found)
    return SpeedupPlot(
        phase=shortened(one_line(phase), 80),
        words=_words(found),
        axis=axis,
        rows=tuple(_row(pacing, measurements, axis, medians) for pacing in _NAMES),
        scale=None if found is None else _scale(found),
        not_counted=sum(one.warm_up or one.failed > 0 for one in measurements),
    )


def _medians(found: Speedup) -> dict[Pacing, float]:
    return {Pacing.SEQUENTIAL: found.sequential_s, Pacing.TOGETHER: found.together_s}


def _row(
    pacing: Pacing,
    measurements: Sequence[Measurement],
    axis: Axis,
    medians: dict[Pacing, float],
) -> PacingRow:
    mine = [one for one in measurements if one.pacing is pacing][:_TIMINGS_MAX]
    middle = medians.get(pacing)
    return PacingRow(
        pacing=pacing.value,
        name=_NAMES[pacing],
        timings=tuple(_timing(one, number, axis) for number, one in enumerate(mine)),
        median_x=None if middle is None else axis.at(middle),
        median="" if middle is None else seconds(middle),
    )


def _timing(one: Measurement, number: int, axis: Axis) -> Timing:
    counts = one.failed == 0 and not one.warm_up
    why = ", warm-up" if one.warm_up else ""
    why += f", {one.failed} failed" if one.failed else ""
    return Timing(
        x=axis.at(one.duration_s),
        y=25.0 + number % 4 * 16.0,  # four heights keep equal timings apart
        counts=counts,
        title=f"round {one.round}: {seconds(one.duration_s)}{why}",
    )


def _scale(found: Speedup) -> RatioScale:
    high = found.high if found.has_interval else found.ratio
    axis = linear_axis(max(high * 1.15, 1.5), suffix=" x")
    return RatioScale(
        axis=axis,
        one_x=axis.at(1.0),
        ratio_x=axis.at(found.ratio),
        low_x=axis.at(found.low) if found.has_interval else None,
        high_x=axis.at(found.high) if found.has_interval else None,
    )


def _words(found: Speedup | None) -> str:
    if found is None:
        return "no speed-up: too few timings count"
    rounds = count(found.rounds, "round")
    if not found.has_interval:
        return f"{ratio(found.ratio)} over {rounds}, too few for an interval"
    return f"{ratio(found.ratio)}, 95 % interval {found.low:.2f} to {found.high:.2f}, {rounds}"
