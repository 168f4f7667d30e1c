"""The zoo's table: how many runs each strategy takes to find what is wrong with each entry."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

import pytest

from harness.search.strategies.portfolio import strategy_named
from tests.report.document import Kind
from tests.sensitivity.zoo.catalogue import RAREST, ZOO

STRATEGIES = ("random", "pct:3", "pos", "delays:3", "awaits", "holders", "portfolio")
SEEDS = 20
# Runs after which a strategy is said not to find an entry.
RUNS_MAX = 1_000
# CPU seconds that a search may take at most: a sixth of the time that it has by default.
SECONDS_MAX = 10.0
TABLE_TIMEOUT_S = 900


def runs_to_find(name, strategy_name, seed):
    """Return the runs until an entry fails; one more than the most if it does not, or the end."""
    strategy = strategy_named(strategy_name, seed=seed)
    with ZOO[name].subject() as subject:
        for run in range(RUNS_MAX):
            policy = strategy.begin(run)
            attempt = subject.attempt(
                policy, seed=seed * RUNS_MAX + run, watcher=strategy.watcher, locks=strategy.locks
            )
            if attempt.failure is not None:
                return run + 1
            strategy.finish(attempt)
            if strategy.exhausted:
                break
    return RUNS_MAX + 1


def row_of(name):
    """Return the median runs of each strategy, and the longest of the portfolio's searches, s."""
    medians, seconds = {}, []
    for strategy in STRATEGIES:
        found = []
        # When more than half have found nothing, the median is known.
        while len(found) < SEEDS and found.count(RUNS_MAX + 1) <= SEEDS // 2:
            begin_s = time.process_time()
            found.append(runs_to_find(name, strategy, seed=len(found)))
            if strategy == "portfolio":
                seconds.append(time.process_time() - begin_s)
        medians[strategy] = statistics.median(found[-1:] if len(found) < SEEDS else found)
    return name, medians, max(seconds)


@lru_cache(maxsize=1)
def rows():
    """Measure all entries, on two processes that have the tests' modules as they are here."""
    forked = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=2, mp_context=forked) as workers:
        return list(workers.map(row_of, ZOO))


def cell(median):
    return f"> {RUNS_MAX:,}" if median > RUNS_MAX else f"{median:,.0f}"


def table():
    """Write the rows as a Markdown table."""
    lines = [
        f"| entry | depth | order | {' | '.join(STRATEGIES)} | longest, s |",
        f"|---|---|---|{'---|' * len(STRATEGIES)}---|",
    ]
    for name, medians, longest_s in rows():
        entry = ZOO[name]
        order = "adversarial" if entry.adversarial else "production"
        cells = " | ".join(cell(medians[strategy]) for strategy in STRATEGIES)
        lines.append(f"| {name} | {entry.depth} | {order} | {cells} | {longest_s:.2f} |")
    return "\n".join(lines)


@pytest.mark.claim(
    text="The default strategy, portfolio, finds each of the services that are broken on purpose.",
    bound=f"median of {SEEDS} seeds at most {RUNS_MAX:,} runs; each search at most"
    f" {SECONDS_MAX:.0f} s of CPU time",
    section="Zoo of known bugs",
)
@pytest.mark.timeout(TABLE_TIMEOUT_S)
def test_portfolio_finds_the_whole_zoo_in_far_less_than_its_budget(capsys, recorded):
    with capsys.disabled():
        print(f"\nruns to find, median of {SEEDS} seeds, at most {RUNS_MAX:,} runs\n\n{table()}")
    for name, medians, longest_s in rows():
        for strategy, runs in medians.items():
            value = runs if runs <= RUNS_MAX else None
            counts = {"kind": Kind.COUNT, "unit": "runs", "why_not": f"over {RUNS_MAX:,} runs"}
            recorded.figure(name, strategy, value, samples=SEEDS, **counts)
        recorded.figure(name, "longest search", longest_s, kind=Kind.CPU, samples=SEEDS)
    for name, medians, longest_s in rows():
        assert medians["portfolio"] <= RUNS_MAX, name
        assert longest_s <= SECONDS_MAX, name


@pytest.mark.claim(
    text=f"Uniform random search does not find the rarest of them, {RAREST.name}: so the zoo tells"
    " strategies apart.",
    bound=f"median over {RUNS_MAX:,} runs",
    section="Zoo of known bugs",
)
@pytest.mark.timeout(TABLE_TIMEOUT_S)
def test_uniform_random_search_does_not_find_the_rarest():
    found = {name: medians for name, medians, _ in rows()}
    assert found[RAREST.name]["random"] > RUNS_MAX
