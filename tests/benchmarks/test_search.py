"""The search's figures against its rival's, and how small it makes a long failure."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.search.explorer import Budget, explore_subject
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms
from tests.benchmarks.recording import HARNESS, side_of
from tests.report.document import Kind

MEASUREMENTS = Path(__file__).parent / "search_measurements.py"

# What the search must reach. Of what depends on the machine only ratios of two measurements that
# were taken by turns are judged.
SCHEDULES_FACTOR_MIN = 2.2
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


@pytest.mark.claim(
    text="Random search tries more than twice as many schedules a CPU second as detangle: three"
    " tasks that count under a lock.",
    bound=f"at least {SCHEDULES_FACTOR_MIN} x as many",
    section="Speed of the search",
)
def test_schedules_are_more_than_twice_as_many_as_detangles(capsys, recorded):
    rival, ours = recorded.by_turns(
        "random schedules, 3 tasks x 3 increments under a lock",
        "detangle",
        theirs=lambda: measured("detangle", "schedules"),
        ours=lambda: measured("ours", "schedules"),
        rounds=ROUNDS,
        unit="schedules a CPU second",
        more_is_better=True,
    )
    with capsys.disabled():
        print(
            f"\nschedules a CPU second, 3 tasks x 3 increments under a lock, random:"
            f" detangle {rival:,.0f}, ours {ours:,.0f}, factor {ours / rival:.2f}"
        )
    assert ours / rival >= SCHEDULES_FACTOR_MIN


@pytest.mark.claim(
    text="Under the strategy pct:3 most runs try an order that was not tried before, and more of"
    " them than with detangle.",
    bound=f"over {DISTINCT_SHARE_MIN:.0%} distinct orders, and over detangle's share",
    section="What the search finds",
)
def test_orders_under_pct_are_mostly_distinct(capsys, recorded):
    what = "share of distinct orders in 2,000 runs of pct:3, 4 tasks x 3 yields"
    ours = measured("ours", "distinct")
    share = {"kind": Kind.RATIO, "unit": ""}
    recorded.figure(what, HARNESS, ours, samples=2_000, **share)
    recorded.needs("detangle", what, **share)
    rival = measured("detangle", "distinct")
    recorded.figure(what, side_of("detangle"), rival, samples=2_000, **share)
    with capsys.disabled():
        print(
            f"\ndistinct orders under pct:3, 4 tasks x 3 yields, 2,000 runs:"
            f" detangle {rival:.0%}, ours {ours:.0%}"
        )
    assert ours > DISTINCT_SHARE_MIN
    assert ours > rival


@pytest.mark.claim(
    text="The default strategy, portfolio, finds the deadlock of five staggered philosophers in"
    " fewer runs than any strategy of detangle.",
    bound=f"median under {PHILOSOPHERS_RUNS_MAX} runs, and under detangle's best",
    section="What the search finds",
)
def test_philosophers_starve_after_few_runs(capsys, recorded):
    what = "median runs to the deadlock of five philosophers: {}"
    runs = {"kind": Kind.COUNT, "unit": "runs"}
    ours = measured("ours", "philosophers")
    for name, median in ours.items():
        recorded.figure(what.format(name), HARNESS, median, samples=15, **runs)
    recorded.needs("detangle", what.format("random"), **runs)
    rival = measured("detangle", "philosophers")
    for name, median in rival.items():
        recorded.figure(what.format(name), side_of("detangle"), median, samples=15, **runs)
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


@pytest.mark.claim(
    text="A failure of thousands of steps shrinks to the two deviations from the default order that"
    " matter, in few runs.",
    bound=f"at most {DEVIATIONS_MAX} deviations, in at most {SHRINK_RUNS_MAX} runs",
    section="What the search finds",
)
def test_a_failure_of_thousands_of_steps_shrinks_to_two_deviations(capsys, recorded):
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
    for what, value in {
        "steps of the long failure": steps,
        "random runs until it was found": failure.runs_to_find,
        "deviations before shrinking": failure.deviations_before,
        "deviations after shrinking": failure.deviations,
        "runs that shrinking took": failure.shrink_runs,
    }.items():
        recorded.figure(what, HARNESS, value, kind=Kind.COUNT, unit="", samples=1)
    assert steps > LONG_STEPS
    assert failure.found_by == "random"
    assert failure.deviations_before > DEVIATIONS_MAX
    assert failure.deviations <= DEVIATIONS_MAX
    assert failure.shrink_runs <= SHRINK_RUNS_MAX
