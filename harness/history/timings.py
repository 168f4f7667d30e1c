"""The figures that checks and reports share: median, percentile, speed-up with interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from random import Random
from typing import TYPE_CHECKING

from harness.errors import HarnessBug
from harness.history.records import Pacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history.records import Measurement

__all__ = [
    "CONFIDENCE",
    "INTERVAL_ROUNDS_MIN",
    "RESAMPLES",
    "Speedup",
    "bootstrap_interval",
    "counted",
    "fresh_random",
    "median",
    "percentile",
    "percentile_samples_min",
    "phases",
    "speedup",
]

CONFIDENCE = 0.95
RESAMPLES = 2_000
INTERVAL_ROUNDS_MIN = 5  # resampling fewer rounds does not show their spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Speedup:
    """How many times as fast a phase's calls are together as one after another.

    ``ratio`` is the median of the sequential timings over that of the timings together, ``low`` and
    ``high`` bound its bootstrap interval, ``sequential_s`` and ``together_s`` are the two medians
    in seconds, and ``rounds`` is the smaller number of timings of the two pacings.
    """

    ratio: float
    low: float
    high: float
    sequential_s: float
    together_s: float
    rounds: int

    @property
    def has_interval(self) -> bool:
        """True if there were enough rounds for ``low`` and ``high`` to mean anything."""
        return self.rounds >= INTERVAL_ROUNDS_MIN


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the two middle ones.

    Raises:
        HarnessBug: There are no values.
    """
    if not values:
        raise HarnessBug("median: values must not be empty")
    return _middle(sorted(values))


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


def bootstrap_interval(
    sequential: Sequence[float], together: Sequence[float], *, random: Random
) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of the ratio of the two medians.

    Each pacing is resampled separately, with replacement, 2,000 times. The interval lies between
    the 2.5th and 97.5th percentiles of the ratios (Efron and Tibshirani, 1993, ch. 13).
    """
    ratios = []
    for _ in range(RESAMPLES):
        slow = _middle(sorted(random.choices(sequential, k=len(sequential))))
        fast = _middle(sorted(random.choices(together, k=len(together))))
        ratios.append(slow / fast)
    tail = (1 - CONFIDENCE) / 2 * 100
    return percentile(ratios, tail), percentile(ratios, 100 - tail)


def counted(measurements: Iterable[Measurement], *, pacing: Pacing) -> list[float]:
    """List the timings of a pacing that count, in seconds: no warm-up, and no failed operation."""
    return [
        one.duration_s
        for one in measurements
        if one.pacing is pacing and one.failed == 0 and not one.warm_up
    ]


def speedup(
    measurements: Iterable[Measurement], *, random: Random, rounds_min: int = 1
) -> Speedup | None:
    """Compute how much faster a phase is with its calls together.

    None if a pacing has fewer than ``rounds_min`` timings that count, or a timing took no time, so
    that no ratio exists. ``random`` decides the resampling; with ``fresh_random()`` checks and
    reports print the same interval.

    Raises:
        HarnessBug: The measurements are of more than one phase.
    """
    measured = tuple(measurements)
    names = phases(measured)
    if len(names) > 1:
        raise HarnessBug(f"speedup: measurements must be of one phase, got {', '.join(names)}")
    sequential = counted(measured, pacing=Pacing.SEQUENTIAL)
    together = counted(measured, pacing=Pacing.TOGETHER)
    rounds = min(len(sequential), len(together))
    if rounds < max(rounds_min, 1) or min(together) <= 0:
        return None
    low, high = bootstrap_interval(sequential, together, random=random)
    sequential_s, together_s = median(sequential), median(together)
    return Speedup(
        ratio=sequential_s / together_s,
        low=low,
        high=high,
        sequential_s=sequential_s,
        together_s=together_s,
        rounds=rounds,
    )


def phases(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """List the measured phases in the order of their first timing."""
    return tuple(dict.fromkeys(one.phase for one in measurements))


def fresh_random() -> Random:
    """Return a generator for resampling, seeded alike in every check and report."""
    return Random(0)  # noqa: S311 - resampling needs repetition, not secrecy


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
