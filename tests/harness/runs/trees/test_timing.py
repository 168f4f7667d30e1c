"""Two trees measured, on drawn timings: what is found, what is not accused, when it ends."""

from __future__ import annotations

import itertools
import random
from contextlib import nullcontext

import pytest

from harness.results.comparisons import Way
from harness.runs.trees.timing import Terms, measured

TARGETS = [f"scenarios/{number}.toml" for number in range(6)]


class Drawn:
    """A race whose times are drawn: each target has a ratio, each round some noise of its own."""

    def __init__(self, ratios, *, noise, seed=1, together=0.5):
        self.ratios, self.noise, self.together = ratios, noise, together
        self.draw, self.rounds, self.asked = random.Random(seed), 0, []

    def open(self, number):
        self.rounds += 1
        assert number == self.rounds - 1
        return nullcontext(self)

    def both(self, do, **asked):
        if do == "warm_up":
            return [{"took_s": dict.fromkeys(asked["targets"], 0.02), "cpu_s": 0.1}] * 2
        self.asked.append(asked)
        # What the machine does meanwhile touches both.
        busy = 1 + self.together * self.draw.random()
        old, new = (self.draw.gauss(1, self.noise / 2**0.5) for _ in range(2))
        cpu_s = 0.02 * asked["runs"] * busy
        return [{"cpu_s": cpu_s * old}, {"cpu_s": cpu_s * new * self.ratios[asked["target"]]}]


def ways(drawn, targets=TARGETS, **terms):
    counted = itertools.count()
    terms = {"clock": lambda: float(next(counted)), "budget_s": 1e6, **terms}
    found = measured(list(targets), drawn.open, Terms(**terms))
    assert [one.scenario for one in found] == list(targets)
    return [one.way for one in found]


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.04])
def test_unchanged_code_is_accused_in_at_most_1_of_20(noise):
    runs = [ways(Drawn(dict.fromkeys(TARGETS, 1.0), noise=noise, seed=seed)) for seed in range(40)]
    accused = [run for run in runs if set(run) & {Way.SLOWER, Way.FASTER}]
    assert len(accused) <= 2
    assert all(Way.UNKNOWN not in run for run in runs)


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.04])
@pytest.mark.parametrize(("ratio", "way"), [(1.05, Way.SLOWER), (1 / 1.05, Way.FASTER)])
def test_five_percent_in_one_scenario_are_found_in_9_of_10(ratio, way, noise):
    ratios = {**dict.fromkeys(TARGETS, 1.0), TARGETS[2]: ratio}
    runs = [ways(Drawn(ratios, noise=noise, seed=seed)) for seed in range(20)]
    assert sum(run[2] is way for run in runs) >= 18
    assert sum({*run[:2], *run[3:]} == {Way.ALIKE} for run in runs) >= 19


def test_a_tilt_that_folders_alone_can_make_is_no_difference():
    ratios = dict.fromkeys(TARGETS, 1.008)
    assert set(ways(Drawn(ratios, noise=0.01))) == {Way.ALIKE}


def test_what_is_known_is_measured_no_more():
    drawn = Drawn({TARGETS[0]: 1.5, TARGETS[1]: 1.03}, noise=0.06)
    ways(drawn, targets=TARGETS[:2])
    measurements = [asked["target"] for asked in drawn.asked]
    assert measurements.count(TARGETS[0]) < measurements.count(TARGETS[1])


def test_when_the_time_is_over_what_is_not_known_is_unknown_with_the_reason():
    counted = itertools.count()
    drawn = Drawn(dict.fromkeys(TARGETS, 1.0), noise=0.01)
    terms = Terms(clock=lambda: float(next(counted)), budget_s=8.0)
    found = measured(TARGETS, drawn.open, terms)
    assert {one.way for one in found} == {Way.UNKNOWN}
    assert found[0].why == f"only {drawn.rounds} rounds in the time; give more --budget"
    assert 1 < drawn.rounds < 8


def test_a_round_that_takes_longer_than_the_time_is_the_only_one():
    counted = itertools.count(step=1_000)
    drawn = Drawn(dict.fromkeys(TARGETS, 1.0), noise=0.01)
    measured(TARGETS, drawn.open, Terms(clock=lambda: float(next(counted)), budget_s=300.0))
    assert drawn.rounds == 1


def test_noise_without_end_ends_unknown():
    assert set(ways(Drawn(dict.fromkeys(TARGETS, 1.0), noise=0.3))) == {Way.UNKNOWN}


def test_seeds_go_on_from_round_to_round_and_all_scenarios_get_time():
    drawn = Drawn(dict.fromkeys(TARGETS, 1.0), noise=0.01)
    ways(drawn, seed=10, seeds=3)
    first = [asked for asked in drawn.asked if asked["target"] == TARGETS[0]]
    # 0.1 s of runs of 0.02 s.
    assert [asked["runs"] for asked in first] == [5] * len(first)
    assert [asked["first"] for asked in first] == [5 * number for number in range(len(first))]
    assert {(asked["seed"], asked["seeds"]) for asked in drawn.asked} == {(10, 3)}


def test_progress_says_how_long_a_round_takes_and_how_many_are_known():
    told = []
    drawn = Drawn(dict.fromkeys(TARGETS, 1.0), noise=0.001)
    measured(TARGETS, drawn.open, Terms(clock=lambda: 0.0), progress=told.append)
    assert told[0].startswith("a round takes 0.0 s; at least ")
    assert told[-1].endswith(" rounds: 6 of 6 are known")
