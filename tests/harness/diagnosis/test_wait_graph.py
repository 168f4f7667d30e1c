"""The claims about the wait graph, on stock asyncio: the live watchdog relies on them."""

from __future__ import annotations

import asyncio
import re

import pytest

from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.wait_graph import cycles, diagnose, render, wait_of
from harness.history.records import Diagnosis
from tests.harness.jumping_loop import run_jumping
from tests.there import there

HERE = r"tests/harness/diagnosis/test_wait_graph\.py:\d+ in "


@pytest.fixture(autouse=True)
def ledger():
    with LockLedger() as ledger:
        yield ledger


def run(main):
    """Run main and cancel what it leaves, which a deadlock would leave for ever."""
    return run_jumping(asyncio.wait_for(main(), 10))


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def cross(first, second):
    async with first:
        await asyncio.sleep(0)
        async with second:
            pass


def names(found):
    return [[task.get_name() for task in cycle] for cycle in found]


def test_a_cycle_is_found_while_others_run():
    async def main():
        locks = [asyncio.Lock() for _ in range(3)]

        async def tick():
            while True:  # noqa: ASYNC110 - it only ticks
                await asyncio.sleep(0.001)

        tasks = [asyncio.create_task(tick(), name="ticker")]
        tasks += [
            asyncio.create_task(cross(locks[i], locks[(i + 1) % 3]), name=f"p{i}") for i in range(3)
        ]
        await settle()
        return names(cycles(tasks))

    assert run(main) == [["p0", "p1", "p2"]]


def test_two_rings_are_both_found():
    async def main():
        a, b, c, d = (asyncio.Lock() for _ in range(4))
        pairs = [(a, b), (b, a), (c, d), (d, c)]
        tasks = [
            asyncio.create_task(cross(*pair), name=f"t{index}") for index, pair in enumerate(pairs)
        ]
        await settle()
        return names(cycles(tasks))

    assert run(main) == [["t0", "t1"], ["t2", "t3"]]


def test_a_cycle_begins_with_the_task_given_first_wherever_it_was_come_upon():
    async def main():
        one, other = asyncio.Lock(), asyncio.Lock()
        ring = [
            asyncio.create_task(cross(one, other), name="p0"),
            asyncio.create_task(cross(other, one), name="p1"),
        ]
        await settle()
        onlooker = asyncio.create_task(cross(other, one), name="onlooker")
        await settle()
        # It waits for p1, and so leads to the middle of the ring.
        return names(cycles([onlooker, *ring]))

    assert run(main) == [["p0", "p1"]]


def test_a_queue_at_a_lock_is_no_ring():
    async def main():
        lock = asyncio.Lock()

        async def hold():
            async with lock:
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(hold()) for _ in range(5)]
        await settle()
        waits = [there(wait_of(task)) for task in tasks]
        return cycles(tasks), [len(wait.holders) for wait in waits]

    assert run(main) == ((), [0, 1, 1, 1, 1])


def test_one_free_holder_of_a_semaphore_is_enough():
    async def main():
        seats, lock = asyncio.Semaphore(2), asyncio.Lock()

        async def sit_then_lock():
            async with seats:
                await asyncio.sleep(0)
                async with lock:
                    pass

        async def lock_then_sit():
            async with lock:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                async with seats:
                    pass

        async def sit_a_while():
            async with seats:
                await asyncio.sleep(0.01)

        tasks = [
            asyncio.create_task(one) for one in (sit_then_lock(), sit_a_while(), lock_then_sit())
        ]
        await settle()
        found = cycles(tasks), there(wait_of(tasks[2])).any_suffices
        await asyncio.gather(*tasks)
        return found

    assert run(main) == ((), True)


def test_all_holders_of_a_semaphore_stuck_is_a_ring():
    async def main():
        seats, lock = asyncio.Semaphore(1), asyncio.Lock()
        tasks = [
            asyncio.create_task(cross(seats, lock), name="sitter"),
            asyncio.create_task(cross(lock, seats), name="locker"),
        ]
        await settle()
        return names(cycles(tasks))

    assert run(main) == [["sitter", "locker"]]


def test_a_cycle_through_a_task_group_is_followed():
    async def main():
        lock = asyncio.Lock()

        async def need():
            async with lock:
                pass

        async def parent():
            async with lock, asyncio.TaskGroup() as group:
                group.create_task(need(), name="child")

        task = asyncio.create_task(parent(), name="parent")
        await settle()
        return names(cycles(asyncio.all_tasks() - {asyncio.current_task()})), wait_of(task)

    found, wait = run(main)
    assert [sorted(cycle) for cycle in found] == [["child", "parent"]]
    assert wait.waits_for == "the tasks of its TaskGroup"


@pytest.mark.parametrize("wrap", ["gather", "wait", "wait_for", "await", "shield"])
def test_a_cycle_through_every_way_to_await_is_followed(wrap):
    async def main():
        lock = asyncio.Lock()

        async def need():
            async with lock:
                pass

        async def parent():
            async with lock:
                child = asyncio.create_task(need(), name="child")
                if wrap == "gather":
                    await asyncio.gather(child)
                elif wrap == "wait":
                    await asyncio.wait([child])
                elif wrap == "wait_for":
                    await asyncio.wait_for(child, 5)
                elif wrap == "shield":
                    await asyncio.shield(child)
                else:
                    await child

        task = asyncio.create_task(parent(), name="parent")
        await settle()
        everyone = [task, *(one for one in asyncio.all_tasks() if one.get_name() == "child")]
        return names(cycles(everyone))

    assert run(main) == [["parent", "child"]]


def test_the_first_of_several_is_no_cycle_while_one_can_come():
    async def main():
        lock = asyncio.Lock()

        async def need():
            async with lock:
                pass

        async def parent():
            async with lock:
                children = [asyncio.create_task(need()), asyncio.create_task(asyncio.sleep(0.05))]
                await asyncio.wait(children, return_when=asyncio.FIRST_COMPLETED)

        asyncio.create_task(parent())  # noqa: RUF006 - ended with the loop
        await settle()
        return cycles(asyncio.all_tasks())

    assert run(main) == ()


def test_a_wait_is_found_below_an_asynchronous_generator():
    async def main():
        queue = asyncio.Queue()

        async def items():
            while True:
                yield await queue.get()

        async def consume():
            async for _ in items():
                pass

        task = asyncio.create_task(consume())
        await settle()
        return wait_of(task)

    wait = run(main)
    assert wait.waits_for.startswith("Queue.get queue")
    assert re.search(HERE + r".*items$", wait.where)


def test_tasks_that_can_go_on_wait_for_nothing():
    async def main():
        ready = asyncio.create_task(settle())
        done = asyncio.create_task(settle())
        await done
        return wait_of(there(asyncio.current_task())), wait_of(done), wait_of(ready)

    assert run(main) == (None, None, None)


def test_queue_join_is_named_as_what_the_program_called():
    async def main():
        queue = asyncio.Queue()
        queue.put_nowait(1)
        task = asyncio.create_task(queue.join())
        await settle()
        return there(wait_of(task)).waits_for

    assert run(main).startswith("Queue.join")


def test_a_diagnosis_of_a_live_loop_is_not_exact_and_reads_well():
    async def main():
        first, second = asyncio.Lock(), asyncio.Lock()
        asyncio.create_task(cross(first, second), name="task 1")  # noqa: RUF006
        asyncio.create_task(cross(second, first), name="task 2")  # noqa: RUF006
        await settle()
        return diagnose(attachments=(("container log", "nothing"),))

    diagnosis = run(main)
    assert isinstance(diagnosis, Diagnosis)
    assert not diagnosis.exact
    assert diagnosis.cycle == ("task 1", "task 2")
    text = render(diagnosis)
    assert re.search(r"task 1 waits for Lock second \(of cross\) at " + HERE + "cross", text)
    assert re.search(r"held by task 2 at " + HERE + "cross", text)
    assert "cycle: task 1 -> task 2 -> task 1" in text
    assert text.endswith("container log:\nnothing")


def test_without_a_ledger_the_lock_is_named_but_not_its_holder(ledger):
    async def main():
        lock = asyncio.Lock()
        await lock.acquire()
        task = asyncio.create_task(lock.acquire())

        async def wait():
            await lock.acquire()

        waiter = asyncio.create_task(wait())
        await settle()
        waits = there(wait_of(waiter)), there(wait_of(task))
        return [(wait.waits_for, wait.holders) for wait in waits]

    ledger.__exit__()
    try:
        named, bare = run(main)
    finally:
        ledger.__enter__()
    assert named[0].startswith("Lock lock (of")
    assert named[1] == ()
    assert bare[0] == "Lock without a name"
