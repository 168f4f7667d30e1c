"""Claims about what tasks that only wait cost in a simulation, against asyncio's own loop."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from harness.simulated.simulation import run, simulate

TASKS = 2_000
# 14.0 MB for 10,000 tasks where asyncio's own loop takes 10.9.
RATIO_MAX = 1.28


async def for_an_event(event):
    await event.wait()


async def for_a_future(_event):
    await asyncio.get_running_loop().create_future()


async def for_time(_event):
    await asyncio.sleep(3_600)


def kept_bytes(on_loop, wait):
    """Return the bytes that each of many tasks keeps while it waits."""
    kept = []

    async def main():
        event = asyncio.Event()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tasks = [asyncio.create_task(wait(event)) for _ in range(TASKS)]
        # They have begun, and the handles that began them are gone.
        await asyncio.sleep(0.001)
        gc.collect()
        kept.append((tracemalloc.get_traced_memory()[0] - before) / TASKS)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()

    tracemalloc.start()
    try:
        on_loop(main)
    finally:
        tracemalloc.stop()
    return kept[0]


def on_stock(main):
    asyncio.run(main())


def simulated(main):
    outcome = simulate(main, seed=0)
    assert outcome.error is None


@pytest.mark.parametrize("wait", [for_an_event, for_a_future, for_time])
def test_an_idle_task_keeps_little_more_than_on_asyncios_own_loop(wait):
    for on_loop in (on_stock, simulated):
        kept_bytes(on_loop, wait)  # What is made once for all tasks is there from now on.
    stock, ours = kept_bytes(on_stock, wait), kept_bytes(simulated, wait)
    assert ours / stock <= RATIO_MAX, f"{ours:.0f} bytes a task, {stock:.0f} on asyncio's own loop"


def test_a_name_is_kept_whatever_it_is():
    async def main():
        given = ["task-{}", "", "task-7"]
        tasks = [asyncio.create_task(asyncio.sleep(1), name=name) for name in (None, *given)]
        names = [task.get_name() for task in tasks]
        shown = repr(tasks[0])
        tasks[0].set_name("later")
        return names, shown, tasks[0].get_name()

    names, shown, later = run(main, seed=0)
    assert names == ["task-2", "task-{}", "", "task-7"]
    assert "name='task-2'" in shown
    assert later == "later"
