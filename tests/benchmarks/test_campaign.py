"""Two worker processes against one: runs a second, on a machine that has nothing else to do."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from harness.scenario.reading import read_scenario
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import run_search
from harness.search.pieces.workers import work_apart
from harness.search.terms import SearchTerms
from tests.benchmarks.recording import HARNESS
from tests.harness.search.silent_watcher import Silent
from tests.report.document import Kind

ROOT = Path(__file__).parents[2]
RUNS = 4_000
# One after the other, in turns: a machine may be slower now than it was before.
ROUNDS = 3
RATIO_MIN = 1.8
# What work that shares nothing gains says whether two cores are free: it is told beside the ratio.
SPINS = 3


def rate(jobs):
    """Return runs a second, the start of the workers included."""
    scenario = read_scenario(ROOT / "scenarios" / "hanging_spawn_meets_its_deadline.toml")
    begin_s = perf_counter()
    plan = SearchPlan(
        scenarios=(scenario,), runs=RUNS, jobs=jobs, terms=SearchTerms(strategy="random")
    )
    end = run_search(plan, Silent(), work=work_apart if jobs == 1 else None)
    (one,) = end.report.explorations
    assert one.runs == RUNS
    return RUNS / (perf_counter() - begin_s)


def spin(number):
    begin_s = perf_counter()
    sum(range(20_000_000))
    return perf_counter() - begin_s + 0 * number


def cores_free():
    """Say how many times two processes get as much done as one, when they share nothing at all."""
    best = 0.0
    with ProcessPoolExecutor(2) as pool:
        for _ in range(SPINS):
            alone = pool.submit(spin, 0).result()
            both = max(pool.map(spin, range(2)))
            best = max(best, 2 * alone / both)
    return best


@pytest.mark.claim(
    text="Two worker processes make nearly twice the runs of one, on two cores with nothing else to"
    " do.",
    bound=f"at least {RATIO_MIN} x, median of {ROUNDS} rounds",
    section="Two worker processes",
)
def test_two_worker_processes_make_1_8_times_the_runs_of_one(recorded):
    ratios, told = [], []
    for _ in range(ROUNDS):
        free, one, two = cores_free(), rate(1), rate(2)
        ratios.append(two / one)
        told.append((free, one, two))
        print(
            f"one process {one:,.0f} runs/s, two {two:,.0f} runs/s: {two / one:.2f} times"
            f" (work that shares nothing: {free:.2f} times)"
        )
    free, one, two = (median(side) for side in zip(*told, strict=True))
    rates = {"kind": Kind.WALL, "unit": "runs a second", "samples": ROUNDS}
    recorded.figure("one process", HARNESS, one, **rates)
    recorded.figure("two processes", HARNESS, two, **rates)
    ratio = {"kind": Kind.RATIO, "unit": "x", "samples": ROUNDS}
    recorded.figure("two processes / one, of runs a second", HARNESS, median(ratios), **ratio)
    recorded.figure("the same of work that shares nothing", HARNESS, free, **ratio)
    assert median(ratios) >= RATIO_MIN
