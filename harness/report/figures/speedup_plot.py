"""The speed-up plot: timings by pacing, and their ratio with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.records import Pacing
from harness.history.timings import median, pairs_of, phases, speedup
from harness.report.figures.axis import linear_axis, seconds_axis
from harness.results.wording import count, one_line, ratio, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History, Measurement
    from harness.history.timings import Pair, Speedup
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
    machine: str


def speedup_plots(history: History) -> tuple[SpeedupPlot, ...]:
    """Lay out every measured phase of a run."""
    return tuple(
        _plot(
            phase,
            pairs_of(history, phase),
            [one for one in history.measurements if one.phase == phase],
        )
        for phase in phases(history)
    )


def _plot(phase: str, pairs: Sequence[Pair], measurements: Sequence[Measurement]) -> SpeedupPlot:
    # A little air, so that the slowest timing does not stand on the edge.
    axis = seconds_axis((max(one.duration_s for one in measurements) * 1.05,))
    found = speedup(pairs)
    medians = {} if found is None else _medians(found)
    spoilt = dict.fromkeys((one.round for one in measurements), "its round was not ended")
    spoilt |= {one.round: one.spoilt_by or "" for one in pairs}
    return SpeedupPlot(
        phase=shortened(one_line(phase), 80),
        words=_words(found),
        axis=axis,
        rows=tuple(_row(pacing, measurements, axis, medians, spoilt) for pacing in _NAMES),
        scale=None if found is None else _scale(found),
        not_counted=sum(spoilt[one.round] != "" for one in measurements),
        machine=_machine([one for one in pairs if not spoilt[one.round]]),
    )


def _medians(found: Speedup) -> dict[Pacing, float]:
    return {Pacing.SEQUENTIAL: found.sequential_s, Pacing.TOGETHER: found.together_s}


def _row(
    pacing: Pacing,
    measurements: Sequence[Measurement],
    axis: Axis,
    medians: dict[Pacing, float],
    spoilt: dict[int, str],
) -> PacingRow:
    mine = [one for one in measurements if one.pacing is pacing][:_TIMINGS_MAX]
    middle = medians.get(pacing)
    return PacingRow(
        pacing=pacing.value,
        name=_NAMES[pacing],
        timings=tuple(
            _timing(one, number, axis, spoilt[one.round]) for number, one in enumerate(mine)
        ),
        median_x=None if middle is None else axis.at(middle),
        median="" if middle is None else seconds(middle),
    )


def _timing(one: Measurement, number: int, axis: Axis, spoilt: str) -> Timing:
    return Timing(
        x=axis.at(one.duration_s),
        y=25.0 + number % 4 * 16.0,  # four heights keep equal timings apart
        counts=not spoilt,
        title=f"round {one.round}: {seconds(one.duration_s)}{f', {spoilt}' if spoilt else ''}",
    )


def _scale(found: Speedup) -> RatioScale:
    low, high = found.interval or (None, None)
    axis = linear_axis(max((high or found.ratio) * 1.15, 1.5), suffix=" x")
    return RatioScale(
        axis=axis,
        one_x=axis.at(1.0),
        ratio_x=axis.at(found.ratio),
        low_x=None if low is None else axis.at(low),
        high_x=None if high is None else axis.at(high),
    )


def _machine(sound: Sequence[Pair]) -> str:
    """Say what others used of the machine, and which room it had; nothing of virtual time."""
    machine = [one.machine for one in sound if one.machine is not None]
    if not machine:
        return ""
    known = [one.foreign_cores for one in machine if one.foreign_cores is not None]
    foreign = f"{median(known):.2f} cores" if known else "an unknown part"
    return (
        f"In the rounds that count, other programs used {foreign} of the machine, and it had room"
        f" for {median([one.room for one in machine]):.2f} times the work of one thread (medians)."
    )


def _words(found: Speedup | None) -> str:
    if found is None:
        return "no speed-up: too few timings count"
    rounds = count(found.rounds, "round")
    if found.interval is None:
        return f"{ratio(found.ratio)} over {rounds}, too few for an interval"
    low, high = found.interval
    return f"{ratio(found.ratio)}, 95 % interval {low:.2f} to {high:.2f}, {rounds}"
