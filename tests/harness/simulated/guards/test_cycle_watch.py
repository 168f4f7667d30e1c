"""A cycle among some tasks ends a run though others go on; what will end itself does not."""

from __future__ import annotations

import asyncio

import pytest

from harness.simulated.loop.pause import Pause
from harness.simulated.simulation import simulate

SOON_S = 5.0
LATE_S = 100.0


class Bank:
    def __init__(self):
        self.ann, self.bob = asyncio.Lock(), asyncio.Lock()
        self.seats = asyncio.Semaphore(1)

    async def transfer(self, source, target):
        async with source:
            await asyncio.sleep(0.1)
            async with target:
                pass

    async def tick(self):
        while True:  # noqa: ASYNC110 - it only ticks
            await asyncio.sleep(0.25)


def ended(body):
    """Run a body beside a ticking task; say when it ended, why, and which cycle was found."""

    async def main():
        bank = Bank()
        ticker = asyncio.create_task(bank.tick(), name="ticker")
        try:
            async with asyncio.timeout(LATE_S):
                await body(bank)
        except TimeoutError:
            pass
        ticker.cancel()

    outcome = simulate(main, seed=1, watch_cycles=True)
    cycle = outcome.diagnosis.cycle if outcome.diagnosis else ()
    return outcome.virtual_s, outcome.pause, sorted(cycle)


def start(bank, *, wrap=lambda one: one):
    return [
        asyncio.create_task(wrap(bank.transfer(bank.ann, bank.bob)), name="there"),
        asyncio.create_task(wrap(bank.transfer(bank.bob, bank.ann)), name="back"),
    ]


async def out_of_sight(bank):
    """Start both, and keep them where no variable of a running task has them."""
    bank.tasks = start(bank)
    await asyncio.sleep(LATE_S * 2)


def test_a_cycle_is_found_promptly_while_a_task_ticks():
    at_s, pause, cycle = ended(out_of_sight)
    assert cycle == ["back", "there"]
    assert pause is Pause.STOPPED
    assert 1 < at_s < SOON_S


def test_without_the_watch_the_cycle_goes_unnoticed():
    async def main():
        await asyncio.wait_for(out_of_sight(Bank()), 50)

    assert simulate(main, seed=1).virtual_s == 50


def within(timeout_s):
    async def wrapped(coroutine):
        async with asyncio.timeout(timeout_s):
            await coroutine

    return wrapped


def waited_for(timeout_s):
    return lambda coroutine: asyncio.wait_for(coroutine, timeout_s)


@pytest.mark.parametrize("wrap", [within(20), waited_for(20)], ids=["timeout", "wait_for"])
def test_a_wait_with_a_timeout_of_its_own_is_not_accused(wrap):
    async def body(bank):
        bank.tasks = start(bank, wrap=wrap)
        await asyncio.sleep(60)
        assert all(task.done() for task in bank.tasks)

    at_s, pause, cycle = ended(body)
    assert (at_s, cycle) == (60, [])
    assert pause is Pause.STOPPED


def test_a_timeout_around_those_that_await_them_is_enough():
    async def both(bank):
        async with asyncio.TaskGroup() as group:
            group.create_task(bank.transfer(bank.ann, bank.bob))
            group.create_task(bank.transfer(bank.bob, bank.ann))

    async def body(bank):
        bank.parent = asyncio.create_task(within(20)(both(bank)))
        await asyncio.sleep(60)

    assert ended(body)[::2] == (60, [])


def test_a_supervisor_that_will_cancel_them_is_waited_for():
    async def body(bank):
        tasks = start(bank)
        await asyncio.sleep(20)
        for task in tasks:
            task.cancel()
        await asyncio.sleep(1)

    assert ended(body)[::2] == (21, [])


def test_a_supervisor_that_knows_them_by_name_is_waited_for():
    async def body(bank):
        tasks = {task.get_name(): task for task in start(bank)}
        await asyncio.sleep(20)
        for task in tasks.values():
            task.cancel()
        await asyncio.sleep(1)

    assert ended(body)[::2] == (21, [])


def test_a_long_queue_at_a_lock_is_no_ring():
    async def hold(bank):
        async with bank.ann:
            await asyncio.sleep(10)

    async def body(bank):
        bank.tasks = [asyncio.create_task(hold(bank)) for _ in range(4)]
        await asyncio.sleep(60)

    assert ended(body)[::2] == (60, [])


def test_a_semaphore_that_is_a_signal_is_no_lock():
    async def consume(bank):
        while True:
            await bank.seats.acquire()

    async def body(bank):
        bank.tasks = [asyncio.create_task(consume(bank)) for _ in range(2)]
        await asyncio.sleep(30)
        bank.seats.release()
        await asyncio.sleep(30)

    assert ended(body)[::2] == (60, [])


def test_a_lock_that_others_give_back_is_not_accused():
    async def give_back(lock):
        lock.release()

    async def body(bank):
        await bank.ann.acquire()
        await asyncio.create_task(give_back(bank.ann))
        await out_of_sight(bank)

    assert ended(body)[::2] == (LATE_S, [])


def test_a_lock_that_is_taken_twice_by_one_task_is_a_cycle_of_one():
    async def twice(bank):
        async with bank.ann, bank.ann:
            pass

    async def body(bank):
        bank.task = asyncio.create_task(twice(bank), name="twice")
        await asyncio.sleep(60)

    at_s, _, cycle = ended(body)
    assert cycle == ["twice"]
    assert at_s < SOON_S


def test_a_run_with_the_watch_has_the_digest_of_one_without():
    async def main():
        bank = Bank()
        tasks = [asyncio.create_task(bank.transfer(bank.ann, bank.bob)) for _ in range(40)]
        await asyncio.gather(*tasks)

    one, other = (simulate(main, seed=3, watch_cycles=watch) for watch in (True, False))
    assert (one.digest, one.schedule_digest) == (other.digest, other.schedule_digest)
