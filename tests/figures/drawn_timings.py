"""Timings of a known ratio, drawn: how often the sequential test of a speed-up is wrong."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

from harness.history.paired_interval import ERROR, interval_of
from tests.figures.figure import Figure, Options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOISES", "PAIRS_MAX", "TIMES", "decided", "drawn_pairs", "wrong_verdicts"]

PAIRS_MAX = 31
TIMES = 200
RATIOS = [1 + step / 10 for step in range(21)]
BOUNDS = (1.05, 1.3, 1.8)
SCATTERS = (0.04, 0.08)


def gaussian(random: Random, scatter: float) -> float:
    """Draw what a timing is multiplied by: a log-normal scatter."""
    return math.exp(random.gauss(0, scatter))


def heavy_tailed(random: Random, scatter: float) -> float:
    """Draw from Student's t with two degrees of freedom: its variance is infinite."""
    chi = -2 * math.log(1 - random.random())
    return math.exp(scatter * random.gauss(0, 1) / math.sqrt(chi / 2))


def hiccups(random: Random, scatter: float) -> float:
    """Make one timing in ten up to twice as long."""
    late = random.uniform(1, 2) if random.random() < 0.1 else 1.0
    return late * gaussian(random, scatter)


NOISES = (gaussian, heavy_tailed, hiccups)


def drawn_pairs(
    random: Random, ratio: float, noise: Callable[[Random, float], float], *, scatter: float
) -> list[float]:
    """Draw the ratios of rounds on a machine that gets slower by 1 % a timing."""
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


def wrong_verdicts(_options: Options) -> Figure:
    """Judge drawn timings of known ratios, 200 times each; find the share of wrong verdicts."""
    random, worst, all_wrong, all_judged = Random(13), (0, ""), 0, 0
    for noise in NOISES:
        for scatter in SCATTERS:
            for ratio in RATIOS:
                wrong = dict.fromkeys(BOUNDS, 0)
                for _ in range(TIMES):
                    ratios = drawn_pairs(random, ratio, noise, scatter=scatter)
                    for bound in BOUNDS:
                        right = "over" if ratio > bound + 1e-9 else "under"
                        wrong[bound] += decided(ratios, bound)[0] not in (right, "unknown")
                all_wrong += sum(wrong.values())
                all_judged += TIMES * len(BOUNDS)
                bound = max(wrong, key=lambda one: wrong[one])
                where = f"ratio {ratio:.1f}, bound {bound:g}, {noise.__name__} {scatter:.0%}"
                worst = max(worst, (wrong[bound], where))
    value = (
        f"at most {worst[0]} of {TIMES} wrong ({worst[1]}); {all_wrong:,} of {all_judged:,} in all"
    )
    return Figure(value=value, met=worst[0] <= TIMES * ERROR)
