"""The interval of a median by signed ranks: the tables' ranks, and how often it misses."""

from __future__ import annotations

import random

import pytest

from harness.errors import HarnessBug
from harness.history.signed_ranks import centre, rank_interval
from tests.there import there

TIMES = 2_000


@pytest.mark.parametrize(("count", "rank"), [(6, 0), (7, 2), (8, 3), (10, 8), (20, 52)])
def test_the_ranks_are_those_of_the_tables(count, rank):
    # Wilcoxon's table, two sides, 5 %: the largest sum of ranks that still is significant.
    values = [float(number) for number in range(1, count + 1)]
    means = sorted((one + other) / 2 for at, one in enumerate(values) for other in values[at:])
    assert rank_interval(values, error=0.025) == (means[rank], means[-1 - rank])


def test_five_values_have_no_interval_of_95_percent():
    assert rank_interval([1.0] * 5, error=0.025) is None
    assert rank_interval([], error=0.025) is None


def test_the_centre_hardly_moves_with_one_value_that_is_far_off():
    assert centre([1.0, 2.0, 3.0, 4.0]) == 2.5
    assert centre([1.0, 2.0, 3.0, 4.0, 1_000.0]) == 3.0
    with pytest.raises(HarnessBug, match="must not be empty"):
        centre([])


@pytest.mark.parametrize("noise", ["even", "heavy"])
def test_each_bound_misses_as_often_as_it_may(noise):
    draw, missed = random.Random(7), [0, 0]
    for _ in range(TIMES):
        values = [
            draw.gauss(3, 1) if noise == "even" else 3 + draw.gauss(0, 1) / (0.1 + draw.random())
            for _ in range(12)
        ]
        low, high = there(rank_interval(values, error=0.05))
        missed[0] += low > 3
        missed[1] += high < 3
    # 4.6 % each, as ranks are whole numbers; four standard deviations of so many draws are 1.9 %.
    assert all(0.02 < one / TIMES < 0.07 for one in missed)
