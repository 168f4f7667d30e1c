"""The programs of the exhaustive benchmark, as each side runs them, in a process of its own.

``python exhaustive_rivals.py SIDE PROGRAM TASKS TIMES`` prints one line of JSON: executions,
distinct orders of the tasks' steps (0 where a side does not tell), CPU seconds that they took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_CPU_CLOCK = time.process_time


def counter(tasks, *, times, locked):
    """Make a program of tasks that count up what they share, under a lock or without."""

    async def main():
        lock, box = asyncio.Lock(), {"n": 0}

        async def count():
            seen = box["n"]
            await asyncio.sleep(0)
            box["n"] = seen + 1

        async def work():
            for _ in range(times):
                if locked:
                    async with lock:
                        await count()
                else:
                    await count()

        await asyncio.gather(*(work() for _ in range(tasks)))
        assert not locked or box["n"] == tasks * times

    return main


def ours(tasks, *, times, locked, plain=False):
    from harness.search.exhaustive.search import Exhaustive  # noqa: PLC0415 - each side has its own
    from harness.simulated.repeated_runs import SearchRuns  # noqa: PLC0415

    strategy = Exhaustive(reduced=not plain)
    orders = set()
    with SearchRuns(counter(tasks, times=times, locked=locked), adversarial=True) as searching:
        while not strategy.exhausted:
            policy = strategy.begin(strategy.runs)
            found = searching.run(policy, watcher=strategy.watcher)
            strategy.finish(found)
            orders.add(found.order)
    return strategy.runs, len(orders)


def frontrun(tasks, *, times, locked):
    from frontrun.explore import explore  # noqa: PLC0415 - each side has its own

    class State:
        def __init__(self):
            self.lock, self.box = asyncio.Lock(), {"n": 0}

    async def count(state):
        seen = state.box["n"]
        await asyncio.sleep(0)
        state.box["n"] = seen + 1

    async def work(state):
        for _ in range(times):
            if locked:
                async with state.lock:
                    await count(state)
            else:
                await count(state)

    async def main():
        return await explore(
            setup=State,
            workers=work,
            count=tasks,
            invariant=lambda state: not locked or state.box["n"] == tasks * times,
            strategy="dpor",
        )

    found = asyncio.run(main())
    assert found.property_holds or not locked
    return found.num_explored, 0


def detangle(tasks, *, times, locked):
    import detangle as rival  # noqa: PLC0415 - it wraps asyncio's locks once it runs

    main = counter(tasks, times=times, locked=locked)
    found = rival.explore(main, strategy="dfs:16", runs=100_000, database=False)
    return found.runs, found.distinct_schedules


def measured():
    side, program, tasks, times = sys.argv[1:5]
    options = {"times": int(times), "locked": program == "locked"}
    sides = {"ours": ours, "frontrun": frontrun, "detangle": detangle}
    # What is imported and compiled once is no part of a search.
    sides[side](2, times=1, locked=True)
    executions = orders = searches = 0
    begin = _CPU_CLOCK()
    while not searches or _CPU_CLOCK() - begin < 0.4:
        executions, orders = sides[side](int(tasks), **options)
        searches += 1
    seconds = (_CPU_CLOCK() - begin) / searches
    print(json.dumps({"executions": executions, "orders": orders, "seconds": seconds}))


if __name__ == "__main__":
    measured()
