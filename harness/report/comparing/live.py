"""Runs in real time compared: a figure got slower only where the two intervals part."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from harness.history.signed_ranks import rank_interval
from harness.report.comparing.figures import Named, figures_of
from harness.results.comparisons import Measured, Way
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.report.comparing.stored import StoredRun

    Interval = tuple[float, float]

__all__ = ["RUNS_MIN", "live_differences"]

# Each bound of a 95 % interval is missed by one of forty; fewer runs have no such interval.
ERROR, RUNS_MIN = 0.025, 6


@dataclass(slots=True)
class _Side:
    """One figure in all runs of a side, and the intervals that the runs themselves give it."""

    values: list[float] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)

    def interval(self) -> Interval | None:
        """Return the interval of the median over runs, or one that holds those of few runs."""
        if len(self.values) >= RUNS_MIN:
            return rank_interval(self.values, error=ERROR)
        if self.intervals and len(self.intervals) == len(self.values):
            return min(low for low, _ in self.intervals), max(high for _, high in self.intervals)
        return None


def live_differences(
    old: Iterable[StoredRun], new: Iterable[StoredRun]
) -> tuple[list[Measured], list[str]]:
    """Compare the live runs of two reports, scenario by scenario.

    Returns:
        The figures of which both sides have an interval; and lines on those that have none.
    """
    before, now = _by_figure(old), _by_figure(new)
    found, left_out = [], defaultdict[str, int](int)
    for (scenario, name), first in before.items():
        second = now.get((scenario, name))
        if second is None or name.unit not in {"s", "x"}:
            continue
        intervals = first.interval(), second.interval()
        if intervals[0] is None or intervals[1] is None:
            left_out[scenario] += 1
        else:
            found.append(_measured(scenario, name, (first, second), (intervals[0], intervals[1])))
    return found, [
        f"{scenario}: {count(number, 'measured figure')} not compared: a side has fewer than"
        f" {RUNS_MIN} live runs, and they no interval of it; --seeds {RUNS_MIN} makes enough"
        for scenario, number in left_out.items()
    ]


def _by_figure(runs: Iterable[StoredRun]) -> dict[tuple[str, Named], _Side]:
    found: defaultdict[tuple[str, Named], _Side] = defaultdict(_Side)
    for run in runs:
        for name, value in figures_of(run).items():
            found[run.scenario, name].values.append(value)
        for name, interval in _speedup_intervals(run):
            found[run.scenario, name].intervals.append(interval)
    return dict(found)


def _speedup_intervals(run: StoredRun) -> Iterator[tuple[Named, Interval]]:
    for entry in (run.figures or {}).get("speedups", ()):
        if isinstance(entry, dict):
            low, high = entry.get("low"), entry.get("high")
            if isinstance(low, int | float) and isinstance(high, int | float):
                name = Named(list="speedups", entry=str(entry.get("phase")), key="ratio")
                yield name, (float(low), float(high))


def _measured(
    scenario: str, name: Named, sides: tuple[_Side, _Side], intervals: tuple[Interval, Interval]
) -> Measured:
    (old_low, old_high), (new_low, new_high) = intervals
    way = Way.ALIKE
    if new_low > old_high:
        way = Way.FASTER if name.unit == "x" else Way.SLOWER
    elif new_high < old_low:
        way = Way.SLOWER if name.unit == "x" else Way.FASTER
    old, new = median(sides[0].values), median(sides[1].values)
    return Measured(
        scenario=scenario,
        what=str(name),
        way=way,
        unit=name.unit,
        old=old,
        new=new,
        ratio=new / old if old else None,
        low=new_low / old_high if old_high else None,
        high=new_high / old_low if old_low else None,
        samples=min(len(one.values) for one in sides),
    )
