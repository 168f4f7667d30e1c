"""Who holds a permit: whoever will give it back, which need not be the task that took it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.diagnosis.wait_graph import diagnose
from harness.simulated.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Callable


class Worker:
    """Takes a place for each job, and has the job's end give it back."""

    def __init__(self, way):
        self.way = way
        self.places = asyncio.Semaphore(1)

    def _give(self, _task):
        self.places.release()

    async def _job(self):
        await asyncio.sleep(60)

    async def _job_that_gives(self):
        try:
            await asyncio.sleep(60)
        finally:
            self.places.release()

    async def poll(self):
        places = self.places
        callbacks: dict[str, Callable[..., object]] = {
            "a method": self._give,
            "a lambda": lambda _: self.places.release(),
            "a closure": lambda _: places.release(),
            "a partial": partial(lambda held, _: held.release(), places),
        }
        while True:
            await places.acquire()
            if self.way in callbacks:
                job = asyncio.create_task(self._job(), name="job")
                job.add_done_callback(callbacks[self.way])
            else:
                job = asyncio.create_task(self._job_that_gives(), name="job")


@pytest.mark.parametrize(
    "way", ["a method", "a lambda", "a closure", "a partial", "the code of the job"]
)
def test_a_permit_is_held_by_the_task_whose_end_gives_it_back(way):
    async def main():
        polls = asyncio.create_task(Worker(way).poll(), name="polls")
        await asyncio.sleep(5)
        found = diagnose()
        polls.cancel()
        return found

    found = simulate(main, seed=0).value
    waits = {one.task: one for one in found.blocked}
    assert [one.partition(" at ")[0] for one in waits["polls"].holders] == ["job"]
    assert found.cycle == ()


def test_a_timer_that_gives_a_permit_back_makes_no_ring():
    async def main():
        places = asyncio.Semaphore(1)

        async def takes_two():
            await places.acquire()
            asyncio.get_running_loop().call_later(60, places.release)
            await places.acquire()

        task = asyncio.create_task(takes_two())
        await asyncio.sleep(5)
        found = diagnose()
        task.cancel()
        return found

    assert simulate(main, seed=0).value.cycle == ()


def test_two_locks_in_two_orders_are_a_ring_while_others_go_on():
    async def main():
        one, other = asyncio.Lock(), asyncio.Lock()

        async def takes(first, second):
            async with first:
                await asyncio.sleep(1)
                async with second:
                    pass

        tasks = [asyncio.create_task(takes(*pair)) for pair in ((one, other), (other, one))]
        await asyncio.sleep(5)
        found = diagnose()
        for task in tasks:
            task.cancel()
        return found

    assert len(simulate(main, seed=0).value.cycle) == 2
