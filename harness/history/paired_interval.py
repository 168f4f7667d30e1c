"""The interval of a ratio that was measured in pairs, which may be looked at after every pair.

A sequential sign test. Each pair's ratio lies above the true median ratio with probability 1/2,
whatever the scatter, its tails, or a drift of the machine's speed, which both timings of a pair
share. So how many of n pairs lie on one side of the truth is a fair walk, and the probability that
it ever comes as far as ``outliers_max`` allows is added up exactly. It is at most ``ERROR`` / 2 on
each side, however many pairs follow: whoever stops at the first interval beside a bound is wrong
about the side at most so often (Darling and Robbins, 1967; Siegmund, "Sequential Analysis", 1985).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ERROR", "PAIRS_MIN", "interval_of", "outliers_max"]

# The probability that one of the intervals, after whatever number of pairs, misses the truth.
ERROR = 0.05
# Fewer pairs, all on one side, are no rare event: 2 / 2**5 is over ``ERROR``.
PAIRS_MIN = 6


def interval_of(ratios: Sequence[float]) -> tuple[float, float] | None:
    """Bound the true median of ratios, or return None for fewer than ``PAIRS_MIN``."""
    if len(ratios) < PAIRS_MIN:
        return None
    outliers, ordered = outliers_max(len(ratios)), sorted(ratios)
    return ordered[outliers], ordered[-1 - outliers]


@cache
def outliers_max(pairs: int) -> int:
    """Return how many of so many pairs may lie on the wrong side of a bound that is decided.

    0 of 6, 1 of 10, 2 of 15, 3 of 18, 4 of 23; -1 of fewer than ``PAIRS_MIN``: none decide.
    """
    outliers, spent = -1, 0.0
    # The probabilities that 0, 1, 2, ... outliers were seen, and the walk has not ended.
    going = [1.0]
    for number in range(1, pairs + 1):
        going = [(one + two) / 2 for one, two in zip([*going, 0.0], [0.0, *going], strict=True)]
        # So that six of six end it, and nine of ten; what is left is for those that follow.
        may_spend = ERROR / 2 * (1 - 13.5 / number**2)
        if spent + going[outliers + 1] <= may_spend:
            outliers += 1
            spent += going[outliers]
            going[outliers] = 0.0
    return outliers
