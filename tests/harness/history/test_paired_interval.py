"""The interval of paired ratios: how often it is wrong, and how soon it decides.

The row ``speedup-error`` of the figures judges drawn timings of known ratio.
"""

from __future__ import annotations

from random import Random

import pytest

from harness.history.paired_interval import ERROR, PAIRS_MIN, interval_of, outliers_max
from tests.figures.drawn_timings import NOISES, PAIRS_MAX, TIMES, decided, drawn_pairs

GAUSSIAN, *OTHERS = NOISES


def test_looking_after_every_pair_costs_no_more_than_the_stated_error():
    """The error is the exact probability that a fair walk ever comes so far: no pair is drawn."""
    for pairs_max in (PAIRS_MIN, 10, PAIRS_MAX, 200):
        going, missed = {0: 1.0}, 0.0
        for number in range(1, pairs_max + 1):
            moved: dict[int, float] = {}
            for under, probability in going.items():
                for step in (0, 1):
                    moved[under + step] = moved.get(under + step, 0.0) + probability / 2
            most = outliers_max(number)
            ended = [u for u in moved if u <= most or number - u <= most]
            missed += sum(moved.pop(under) for under in ended)
            going = moved
        assert missed <= ERROR
        assert missed > ERROR / 2


@pytest.mark.parametrize(("ratio", "bound"), [(1.8, 1.3), (1.0, 1.3), (2.5, 1.8), (1.0, 1.8)])
def test_a_ratio_far_from_the_bound_is_decided_within_ten_pairs(ratio, bound):
    random = Random(5)
    for noise, share in ((GAUSSIAN, 0.99), *((other, 0.8) for other in OTHERS)):
        ends = [
            decided(drawn_pairs(random, ratio, noise, scatter=0.06), bound) for _ in range(TIMES)
        ]
        right = "over" if ratio > bound else "under"
        in_time = [side == right and pairs <= 10 for side, pairs in ends]
        assert sum(in_time) >= share * TIMES
        assert sorted(pairs for _, pairs in ends)[TIMES // 2] == PAIRS_MIN


def test_a_ratio_on_the_bound_is_told_by_nobody():
    random = Random(5)
    ends = [decided(drawn_pairs(random, 1.3, GAUSSIAN, scatter=0.06), 1.3)[0] for _ in range(1_000)]
    # A thousand draws lie within three standard deviations, 20, of what is expected of them.
    assert ends.count("unknown") >= (1 - ERROR) * 1_000 - 20


def test_fewer_than_six_pairs_have_no_interval():
    assert interval_of([2.0] * (PAIRS_MIN - 1)) is None
    assert interval_of([2.0] * PAIRS_MIN) == (2.0, 2.0)


def test_the_interval_leaves_out_as_many_pairs_as_may_be_outliers():
    assert [outliers_max(number) for number in (5, 6, 9, 10, 15, 18, 23)] == [-1, 0, 0, 1, 2, 3, 4]
    assert interval_of([2.0, 9.0, 1.0, 3.0, 4.0, 5.0]) == (1.0, 9.0)
    assert interval_of([9.0, 0.1, *(float(one) for one in range(1, 9))]) == (1.0, 8.0)
