"""Measure one side of a comparison of searches, in a process of its own; print it as JSON.

Usage: search_measurements.py SIDE FIGURE, where SIDE is ours or detangle. Once detangle has run, a
process keeps asyncio's locks wrapped, so no side is measured in a process that has run the other.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

SCHEDULES_RUNS = 1_500
DISTINCT_RUNS = 2_000
PHILOSOPHERS = 5
PHILOSOPHERS_SEEDS = 15
PHILOSOPHERS_RUNS_MAX = 3_000


async def locked_counter():
    """Let three tasks increment a counter three times each, under a lock."""
    lock, count = asyncio.Lock(), 0

    async def increment():
        nonlocal count
        for _ in range(3):
            async with lock:
                seen = count
                await asyncio.sleep(0)
                count = seen + 1

    await asyncio.gather(*(increment() for _ in range(3)))
    assert count == 9


async def free_yields():
    """Let four tasks yield three times each."""

    async def task():
        for _ in range(3):
            await asyncio.sleep(0)

    await asyncio.gather(*(task() for _ in range(4)))


async def philosophers():
    """Let each of five take its own lock and then its neighbour's, each two yields later."""
    locks = [asyncio.Lock() for _ in range(PHILOSOPHERS)]

    async def eat(number):
        for _ in range(2 * number):
            await asyncio.sleep(0)
        async with locks[number]:
            await asyncio.sleep(0)
            async with locks[(number + 1) % PHILOSOPHERS]:
                await asyncio.sleep(0)

    await asyncio.gather(*(eat(number) for number in range(PHILOSOPHERS)))


class Ours:
    """This project's search."""

    @staticmethod
    def explored(main, strategy, *, runs):
        """Return the distinct orders and the CPU seconds of a number of runs."""
        from harness.search.explorer import Budget, explore_subject  # noqa: PLC0415
        from harness.search.strategies.portfolio import strategy_named  # noqa: PLC0415
        from harness.search.subjects.program import Program  # noqa: PLC0415
        from harness.search.terms import SearchTerms  # noqa: PLC0415

        begin_s = time.process_time()
        found = explore_subject(
            Program(main, SearchTerms(seed=1, adversarial=True)),
            strategy_named(strategy, seed=1),
            budget=Budget(runs=runs),
        )
        assert found.runs == runs
        assert not found.failures
        return found.distinct, time.process_time() - begin_s

    @staticmethod
    def runs_to_find(main, strategy, *, seed, runs_max):
        """Return the runs until one fails."""
        from harness.search.strategies.portfolio import strategy_named  # noqa: PLC0415
        from harness.search.subjects.program import Program  # noqa: PLC0415
        from harness.search.terms import SearchTerms  # noqa: PLC0415

        proposing = strategy_named(strategy, seed=seed)
        with Program(main, SearchTerms(adversarial=True)) as subject:
            for run in range(runs_max):
                attempt = subject.attempt(
                    proposing.begin(run), seed=0, watcher=proposing.watcher, locks=proposing.locks
                )
                if attempt.failure is not None:
                    return run + 1
                proposing.finish(attempt)
        return runs_max + 1


class Detangle:
    """The rival's search."""

    @staticmethod
    def explored(main, strategy, *, runs):
        """Return the distinct orders and the CPU seconds of a number of runs."""
        import detangle  # noqa: PLC0415

        begin_s = time.process_time()
        stats = detangle.explore(main, runs=runs, strategy=strategy, seed=1, database=False)
        assert stats.runs == runs
        return stats.distinct_schedules, time.process_time() - begin_s

    @staticmethod
    def runs_to_find(main, strategy, *, seed, runs_max):
        """Return the runs until one fails."""
        from detangle import execute  # noqa: PLC0415
        from detangle.strategies import make_strategy  # noqa: PLC0415

        proposing = make_strategy(strategy, seed)
        for run in range(runs_max):
            proposing.start(run)
            result = execute(main, strategy=proposing)
            proposing.finish(result.decisions, not result.ok)
            if not result.ok:
                return run + 1
        return runs_max + 1


def schedules_per_s(side):
    """Return the schedules a CPU second of random search: three tasks, a lock, 22 steps."""
    _, cpu_s = side.explored(locked_counter, "random", runs=SCHEDULES_RUNS)
    return SCHEDULES_RUNS / cpu_s


def distinct_share(side):
    """Return the share of distinct orders under PCT: four tasks, three yields."""
    distinct, _ = side.explored(free_yields, "pct:3", runs=DISTINCT_RUNS)
    return distinct / DISTINCT_RUNS


def runs_to_deadlock(side):
    """Return the median runs until five philosophers starve, for each strategy."""
    names: tuple[str, ...] = ("random", "pct:3", "pct:4")
    if side is Ours:
        names = ("random", "pct:3", "pos", "holders", "portfolio")
    return {
        name: statistics.median(
            side.runs_to_find(philosophers, name, seed=seed, runs_max=PHILOSOPHERS_RUNS_MAX)
            for seed in range(PHILOSOPHERS_SEEDS)
        )
        for name in names
    }


SIDES = {"ours": Ours, "detangle": Detangle}
FIGURES = {
    "schedules": schedules_per_s,
    "distinct": distinct_share,
    "philosophers": runs_to_deadlock,
}

if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[2]](SIDES[sys.argv[1]])))
