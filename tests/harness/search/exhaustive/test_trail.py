"""What a run is taken to have in common with an earlier one, and what follows from that."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from harness.choices.kinds import DefaultPolicy
from harness.search.exhaustive.footprint import EVERYTHING
from harness.search.exhaustive.search import Exhaustive
from harness.search.exhaustive.trail import Trail
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.repeated_runs import SearchRuns
from tests.there import there


def test_events_taken_as_known_are_those_that_come_again():
    async def main():
        box = {"n": 0}

        async def aside(mine):
            seen = box["n"]
            await asyncio.to_thread(lambda: None)
            box["n"] = seen + mine

        async def busy():
            await asyncio.sleep(0)
            box["n"] += 10

        await asyncio.gather(aside(1), aside(2), busy())

    strategy = Exhaustive()
    with SearchRuns(main, adversarial=True) as searching:
        while strategy.runs < 500:
            found = searching.run(strategy.begin(strategy.runs), watcher=strategy.watcher)
            lanes = iter(memoryview(found.order).cast("i"))
            events = there(strategy.watcher).events
            assert all(event.lane in lanes for event in events), strategy.runs
            strategy.finish(found)


def test_the_end_of_a_gather_within_what_is_known_makes_no_run_redundant():
    async def main():
        seen = []

        async def note(mine):
            await asyncio.sleep(0)
            seen.append(mine)

        async def both(mine):
            await asyncio.gather(note(mine), note(mine + 1))
            seen.append(-mine)

        await asyncio.gather(both(1), both(5))

    strategy = Exhaustive()
    with SearchRuns(main, adversarial=True) as searching:
        while not strategy.exhausted:
            found = searching.run(strategy.begin(strategy.runs), watcher=strategy.watcher)
            strategy.finish(found)
    assert (strategy.runs, strategy.distinct, strategy.redundant) == (864, 864, 0)


async def shields():
    seen = []

    async def note(mine):
        await asyncio.sleep(0)
        seen.append(mine)

    async def both(mine):
        await asyncio.shield(note(mine))
        seen.append(-mine)

    await asyncio.gather(both(1), both(5))


async def cancels_a_gather():
    seen = []

    async def note(mine):
        await asyncio.sleep(0)
        seen.append(mine)

    async def both():
        await asyncio.gather(note(1), note(2))

    async def cancels(task):
        task.cancel()

    task = asyncio.create_task(both())
    await asyncio.gather(task, cancels(task), return_exceptions=True)


async def slices_and_generators():
    rows, other = [1, 2, 3], [1, 2, 3]

    async def writes():
        rows[1:2] = [1]
        await asyncio.sleep(0)
        rows[:1] = [all(row for row in rows)]

    async def walks():
        for row in other:
            yield row
            await asyncio.sleep(0)

    async def reads():
        async for row in walks():
            other[0] = +row
        raise KeyError

    await asyncio.gather(writes(), reads(), return_exceptions=True)


async def names_its_tasks():
    async def nothing():
        pass

    async def makes(name):
        await asyncio.sleep(0)
        await asyncio.create_task(nothing(), name=name)

    await asyncio.gather(makes("a"), makes("b"))


# What differs most between the CPythons: the ends of gathers and shields, some instructions, and
# when a task is named.
@pytest.mark.parametrize(
    ("main", "runs"),
    [(shields, 32), (cancels_a_gather, 15), (slices_and_generators, 15), (names_its_tasks, 6)],
)
def test_every_python_takes_as_many_runs(main, runs):
    strategy = Exhaustive()
    with SearchRuns(main, adversarial=True) as searching:
        while not strategy.exhausted:
            found = searching.run(strategy.begin(strategy.runs), watcher=strategy.watcher)
            strategy.finish(found)
    assert (strategy.runs, strategy.distinct, strategy.redundant) == (runs, runs, 0)


@pytest.mark.parametrize("passed", [0, 1])
def test_a_sleeping_step_is_redundant_unless_an_earlier_run_has_passed_it(passed):
    trail = Trail(passed=passed)
    loop = ExploringLoop(seed=0, policy=DefaultPolicy(), adversarial=True, watcher=trail)
    loop.call_soon(print)
    trail.asleep = {2: EVERYTHING}
    step = SimpleNamespace(lane=2, call=(print,))
    trail.begins(step, ())
    trail.ended(step)
    loop.close()
    assert trail.redundant is (passed == 0)
