"""Two things compared in pairs, one after the other: the median of the ratios, and its interval."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PAIRS_MIN", "Ratio", "compared", "ratio_of"]

# With fewer, not even the smallest and the largest ratio make a 95 % interval.
PAIRS_MIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The median of ratios (second to first), with its 95 % interval."""

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f}, {self.pairs} pairs)"


def ratio_of(ratios: Sequence[float]) -> Ratio:
    """Find the median of ratios, and between which of them it lies with 95 % confidence.

    The interval rests on ranks alone, so one pair that was disturbed hardly moves it: each ratio is
    above the true median with probability 1/2.

    Raises:
        ValueError: Fewer than ``PAIRS_MIN`` ratios.
    """
    count = len(ratios)
    if count < PAIRS_MIN:
        msg = f"pairs: must be at least {PAIRS_MIN} for a 95 % interval, got {count}"
        raise ValueError(msg)
    ordered, outside, rank = sorted(ratios), 0.0, 0
    while 2 * (outside + math.comb(count, rank) / 2**count) <= 0.05:
        outside += math.comb(count, rank) / 2**count
        rank += 1
    return Ratio(
        median=statistics.median(ordered),
        low=ordered[rank - 1],
        high=ordered[count - rank],
        pairs=count,
    )


def compared(
    first: Callable[[], float], second: Callable[[], float], *, pairs: int, warm: bool = True
) -> Ratio:
    """Measure both ``pairs`` times by turns, now one first and now the other.

    Args:
        first: Measures what is compared with; returns seconds or bytes, more than 0.
        second: Measures what is judged, in the same unit.
        pairs: How many pairs.
        warm: Measure each once before, and forget it.
    """
    if warm:
        first(), second()
    ratios = []
    for number in range(pairs):
        if number % 2:
            theirs, ours = first(), second()
        else:
            ours, theirs = second(), first()
        ratios.append(ours / theirs)
    return ratio_of(ratios)
