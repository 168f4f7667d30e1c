"""A lock taken by ``wait_for(lock.acquire(), ...)`` is held by who asked, on every CPython."""

from __future__ import annotations

import asyncio
import re

from harness.diagnosis.wait_graph import render
from harness.simulated.simulation import simulate
from tests.there import there

HERE = r"tests/harness/simulated/test_locks_behind_wait_for\.py:\d+ in "


async def take(lock, other):
    await asyncio.wait_for(lock.acquire(), 5)
    try:
        await asyncio.sleep(0.1)
        async with other:
            pass
    finally:
        lock.release()


def test_a_cycle_through_it_is_seen():
    async def main():
        first, second = asyncio.Lock(), asyncio.Lock()
        both = asyncio.create_task(take(first, second), name="one")
        await asyncio.gather(both, asyncio.create_task(take(second, first), name="two"))

    found = there(simulate(main, seed=1).diagnosis)
    assert set(found.cycle) == {"one", "two"}
    assert re.search(rf"held by two at {HERE}take", render(found))
    assert "(wait_for)" not in render(found)


def test_who_held_it_and_who_waited_are_told_with_their_lines():
    async def main():
        lock = asyncio.Lock()
        holder = asyncio.create_task(take(lock, asyncio.Lock()), name="holder")
        waiter = asyncio.create_task(take(lock, asyncio.Lock()), name="waiter")
        await asyncio.gather(holder, waiter)

    outcome = simulate(main, seed=1)
    assert outcome.error is None
    assert [one.task for one in outcome.lock_holds] == ["holder", "waiter"]
    (wait,) = outcome.lock_waits
    assert wait.task == "waiter"
    for where in (wait.where, *(one.where for one in outcome.lock_holds)):
        assert re.fullmatch(rf"{HERE}take", where)
