"""The search's figures against its rival's, and how small it makes a long failure."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path

from harness.search.explorer import Budget, explore_subject
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

MEASUREMENTS = Path(__file__).parent / "search_measurements.py"

# What the search must reach. Of what depends on the machine only ratios of two measurements that
# were taken by turns are judged.
SCHEDULES_FACTOR_MIN = 2.5
ROUNDS = 3
DISTINCT_SHARE_MIN = 0.6
PHILOSOPHERS_RUNS_MAX = 120
LONG_STEPS = 3_000
DEVIATIONS_MAX = 2
SHRINK_RUNS_MAX = 60


def measured(side, figure):
    """Measure one side in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(MEASUREMENTS), side, figure],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_schedules_are_at_least_two_and_a_half_times_as_many_as_detangles(capsys):
    pairs = [
        (measured("detangle", "schedules"), measured("ours", "schedules")) for _ in range(ROUNDS)
    ]
    rival, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    with capsys.disabled():
        print(
            f"\nschedules a CPU second, 3 tasks x 3 increments under a lock, random:"
            f" detangle {rival:,.0f}, ours {ours:,.0f}, factor {ours / rival:.2f}"
        )
    assert ours / rival >= SCHEDULES_FACTOR_MIN


def test_orders_under_pct_are_mostly_distinct(capsys):
    rival, ours = measured("detangle", "distinct"), measured("ours", "distinct")
    with capsys.disabled():
        print(
            f"\ndistinct orders under pct:3, 4 tasks x 3 yields, 2,000 runs:"
            f" detangle {rival:.0%}, ours {ours:.0%}"
        )
    assert ours > DISTINCT_SHARE_MIN
    assert ours > rival


def test_philosophers_starve_after_few_runs(capsys):
    rival, ours = measured("detangle", "philosophers"), measured("ours", "philosophers")
    with capsys.disabled():
        print(
            "\nfive staggered philosophers, median runs to the deadlock, 15 seeds:"
            f" detangle {rival}, ours {ours}"
        )
    assert min(ours.values()) < PHILOSOPHERS_RUNS_MAX
    assert ours["portfolio"] < PHILOSOPHERS_RUNS_MAX
    assert ours["portfolio"] < min(rival.values())


async def long_service():
    """Let eight tasks work on for long; two of them look and then act, far apart by default."""
    taken = []

    async def work(number):
        for step in range(400):
            if (number, step) in {(0, 150), (1, 170)}:
                free = not taken
                await asyncio.sleep(0)
                if free:
                    taken.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(number) for number in range(8)))
    assert len(taken) == 1


def test_a_failure_of_thousands_of_steps_shrinks_to_two_deviations(capsys):
    exploration = explore_subject(
        Program(long_service, SearchTerms(seed=1, adversarial=True)),
        strategy_named("random", seed=1),
        budget=Budget(runs=5_000),
        first=True,
    )
    (failure,) = exploration.failures
    steps = exploration.steps_total // exploration.runs
    with capsys.disabled():
        print(
            f"\na failure of {steps:,} steps, found after {failure.runs_to_find} random runs:"
            f" {failure.deviations_before:,} deviations shrunk to {failure.deviations}"
            f" in {failure.shrink_runs} runs"
        )
    assert steps > LONG_STEPS
    assert failure.found_by == "random"
    assert failure.deviations_before > DEVIATIONS_MAX
    assert failure.deviations <= DEVIATIONS_MAX
    assert failure.shrink_runs <= SHRINK_RUNS_MAX
