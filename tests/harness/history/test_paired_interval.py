"""The interval of paired ratios, on timings that are drawn: how often it is wrong, and how soon."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import pytest

from harness.history.paired_interval import ERROR, PAIRS_MIN, interval_of, outliers_max

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS_MAX = 31
TIMES = 200
RATIOS = [1 + step / 10 for step in range(21)]
BOUNDS = [1.05, 1.3, 1.8]


def gaussian(random: Random, scatter: float) -> float:
    return math.exp(random.gauss(0, scatter))


def heavy_tailed(random: Random, scatter: float) -> float:
    """Student's t with two degrees of freedom: its variance is infinite."""
    chi = -2 * math.log(1 - random.random())
    return math.exp(scatter * random.gauss(0, 1) / math.sqrt(chi / 2))


def hiccups(random: Random, scatter: float) -> float:
    """One timing in ten is up to twice as long."""
    late = random.uniform(1, 2) if random.random() < 0.1 else 1.0
    return late * gaussian(random, scatter)


def drawn_pairs(
    random: Random, ratio: float, noise: Callable[[Random, float], float], *, scatter: float
) -> list[float]:
    """Draw timings of a machine that gets slower by 1 % a timing, and leave out what it does."""
    ratios, slowness = [], 1.0
    for turn in range(PAIRS_MAX):
        took = {}
        for pacing in ("sequential", "together") if turn % 2 == 0 else ("together", "sequential"):
            slowness *= 1.01
            took[pacing] = slowness * noise(random, scatter)
        ratios.append(ratio * took["sequential"] / took["together"])
    return ratios


def decided(ratios: list[float], bound: float) -> tuple[str, int]:
    """Look after every pair, as a run does, and stop at the first interval beside the bound."""
    for number in range(1, len(ratios) + 1):
        found = interval_of(ratios[:number])
        if found is not None and not found[0] <= bound <= found[1]:
            return ("over" if found[0] > bound else "under"), number
    return "unknown", len(ratios)


@pytest.mark.parametrize("scatter", [0.04, 0.08])
@pytest.mark.parametrize("noise", [gaussian, heavy_tailed, hiccups])
def test_a_side_is_wrong_at_most_as_often_as_stated(noise, scatter):
    random = Random(13)
    for ratio in RATIOS:
        wrong = dict.fromkeys(BOUNDS, 0)
        for _ in range(TIMES):
            ratios = drawn_pairs(random, ratio, noise, scatter=scatter)
            for bound in BOUNDS:
                side, _ = decided(ratios, bound)
                right = "over" if ratio > bound + 1e-9 else "under"
                wrong[bound] += side not in (right, "unknown")
        assert max(wrong.values()) <= TIMES * ERROR, f"ratio {ratio}: {wrong}"


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
    for noise, share in ((gaussian, 0.99), (heavy_tailed, 0.8), (hiccups, 0.8)):
        ends = [
            decided(drawn_pairs(random, ratio, noise, scatter=0.06), bound) for _ in range(TIMES)
        ]
        right = "over" if ratio > bound else "under"
        in_time = [side == right and pairs <= 10 for side, pairs in ends]
        assert sum(in_time) >= share * TIMES
        assert sorted(pairs for _, pairs in ends)[TIMES // 2] == PAIRS_MIN


def test_a_ratio_on_the_bound_is_told_by_nobody():
    random = Random(5)
    ends = [decided(drawn_pairs(random, 1.3, gaussian, scatter=0.06), 1.3)[0] for _ in range(1_000)]
    # A thousand draws lie within three standard deviations, 20, of what is expected of them.
    assert ends.count("unknown") >= (1 - ERROR) * 1_000 - 20


def test_fewer_than_six_pairs_have_no_interval():
    assert interval_of([2.0] * (PAIRS_MIN - 1)) is None
    assert interval_of([2.0] * PAIRS_MIN) == (2.0, 2.0)


def test_the_interval_leaves_out_as_many_pairs_as_may_be_outliers():
    assert [outliers_max(number) for number in (5, 6, 9, 10, 15, 18, 23)] == [-1, 0, 0, 1, 2, 3, 4]
    assert interval_of([2.0, 9.0, 1.0, 3.0, 4.0, 5.0]) == (1.0, 9.0)
    assert interval_of([9.0, 0.1, *(float(one) for one in range(1, 9))]) == (1.0, 8.0)
