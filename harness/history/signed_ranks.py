"""The interval of a median by signed ranks, for few measurements with a noise of any size."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.errors import HarnessBug

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["centre", "rank_interval"]


def centre(values: Sequence[float]) -> float:
    """Return the median of the means of all pairs of values, each value paired with itself too.

    It hardly moves with one value that is far off, and scatters little more than the mean does
    (Hodges and Lehmann, 1963).

    Raises:
        HarnessBug: There are no values.
    """
    means = _means(values)
    if not means:
        raise HarnessBug("centre: values must not be empty")
    half = len(means) // 2
    return means[half] if len(means) % 2 else (means[half - 1] + means[half]) / 2


def rank_interval(values: Sequence[float], *, error: float) -> tuple[float, float] | None:
    """Return the bounds of the median of what values are drawn from, each missed by ``error``.

    So both together hold with confidence ``1 - 2 * error``. It is exact where each value is as
    likely to lie so far above the median as below it: nothing else is assumed of the noise
    (Wilcoxon, 1945). None where the values are too few for such an error.
    """
    below = _rank(len(values), error)
    if below is None:
        return None
    means = _means(values)
    return means[below], means[-1 - below]


def _means(values: Sequence[float]) -> list[float]:
    return sorted((one + other) / 2 for at, one in enumerate(values) for other in values[at:])


@lru_cache(maxsize=1_000)
def _rank(count: int, error: float) -> int | None:
    """Return the largest sum of ranks that signs of chance stay at or below with ``error``."""
    largest = count * (count + 1) // 2
    # How many of the 2^count ways to give signs make each sum of the ranks with a minus.
    ways = [1] + [0] * largest
    for rank in range(1, count + 1):
        for total in range(largest, rank - 1, -1):
            ways[total] += ways[total - rank]
    allowed, so_far, found = error * 2**count, 0, None
    for total, number in enumerate(ways):
        so_far += number
        if so_far > allowed:
            break
        found = total
    return found
