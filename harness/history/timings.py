"""The figures that checks and reports share: median, percentile, speed-up with interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from harness.errors import HarnessBug
from harness.history.paired_interval import interval_of
from harness.history.records import Pacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History, MachineRecord, Measurement

__all__ = [
    "Pair",
    "Speedup",
    "median",
    "pairs_of",
    "percentile",
    "percentile_samples_min",
    "phases",
    "speedup",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two timings of one round, and how the machine was meanwhile, if that was measured."""

    sequential: Measurement
    together: Measurement
    machine: MachineRecord | None

    @property
    def round(self) -> int:
        """The number of its round, from 0."""
        return self.sequential.round

    @property
    def ratio(self) -> float:
        """How many times as long the calls took one after another as together."""
        return self.sequential.duration_s / self.together.duration_s

    @property
    def spoilt_by(self) -> str | None:
        """The reason why it does not count, or None if it does."""
        for one in (self.sequential, self.together):
            if one.failed or not one.succeeded:
                return f"{one.failed} of {one.failed + one.succeeded} operations failed"
            if one.duration_s <= 0:
                return "it took no time"
        if self.machine is not None and self.is_busy:
            return f"others used {self.machine.foreign_cores:.2f} cores"
        return None

    @property
    def is_busy(self) -> bool:
        """True if other programs used more of the machine than they may."""
        return self.machine is not None and self.machine.is_busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Speedup:
    """How many times as fast a phase's calls are together as one after another.

    ``ratio`` is the median of the pairs' ratios; ``interval`` holds the true median, but for an
    error of 5 %, however often it is looked at (see ``paired_interval``), and is None where there
    are too few pairs for one. ``sequential_s`` and ``together_s`` are the medians of both pacings
    in seconds, ``rounds`` is the number of pairs that count, ``dropped`` that of the others.
    """

    ratio: float
    interval: tuple[float, float] | None
    sequential_s: float
    together_s: float
    rounds: int
    dropped: int


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the two middle ones.

    Raises:
        HarnessBug: There are no values.
    """
    if not values:
        raise HarnessBug("median: values must not be empty")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least ``percent`` of the values do not exceed.

    By the nearest-rank definition, the result is always one of the values.

    Raises:
        HarnessBug: There are no values, or ``percent`` is not over 0 and up to 100.
    """
    if not values:
        raise HarnessBug("percentile: values must not be empty")
    if not 0 < percent <= 100:
        raise HarnessBug(f"percentile: percent must be over 0 and up to 100, got {percent}")
    return sorted(values)[max(ceil(percent / 100 * len(values)), 1) - 1]


def percentile_samples_min(percent: float) -> int:
    """Return how many samples a percentile needs to differ from the maximum: 20 for p95."""
    return ceil(round(100 / (100 - percent), 6))


def pairs_of(history: History, phase: str) -> tuple[Pair, ...]:
    """List the rounds in which a phase was timed in both pacings, in order."""
    machine = {one.round: one for one in history.machine if one.phase == phase}
    rounds: dict[int, dict[Pacing, Measurement]] = {}
    for one in history.measurements:
        if one.phase == phase:
            rounds.setdefault(one.round, {})[one.pacing] = one
    return tuple(
        Pair(
            sequential=both[Pacing.SEQUENTIAL],
            together=both[Pacing.TOGETHER],
            machine=machine.get(number),
        )
        for number, both in rounds.items()
        if len(both) == len(Pacing)
    )


def speedup(pairs: Sequence[Pair]) -> Speedup | None:
    """Compute how much faster a phase is with its calls together; None if no pair counts."""
    sound = [one for one in pairs if one.spoilt_by is None]
    if not sound:
        return None
    ratios = [one.ratio for one in sound]
    return Speedup(
        ratio=median(ratios),
        interval=interval_of(ratios),
        sequential_s=median([one.sequential.duration_s for one in sound]),
        together_s=median([one.together.duration_s for one in sound]),
        rounds=len(sound),
        dropped=len(pairs) - len(sound),
    )


def phases(history: History) -> tuple[str, ...]:
    """List the measured phases in the order of their first timing."""
    return tuple(dict.fromkeys(one.phase for one in history.measurements))
