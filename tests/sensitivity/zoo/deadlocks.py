"""The entries whose tasks wait for one another for ever."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.sensitivity.zoo.entry import turns, zoo_entry

__all__ = ["ENTRIES"]


async def ring_of_locks(count: int, *, apart: int, ordered: bool) -> None:
    """Let each of ``count`` tasks take its own lock and then its neighbour's."""
    locks = [asyncio.Lock() for _ in range(count)]

    async def task(number):
        await turns(apart * number)
        taken = [number, (number + 1) % count]
        first, second = sorted(taken) if ordered else taken
        async with locks[first]:
            await turns()
            async with locks[second]:
                await turns()

    await asyncio.gather(*(task(number) for number in range(count)))


@zoo_entry(hazard="two locks in opposite order", symptom="deadlock")
async def two_locks_crossed(mended: bool) -> None:
    """Whoever moves money between two accounts comes to an end."""
    await ring_of_locks(2, apart=4, ordered=mended)


@zoo_entry(hazard="three locks in a ring", symptom="deadlock", depth=2, shrunk=3)
async def three_locks_in_a_ring(mended: bool) -> None:
    """Three tasks that each take two of three locks come to an end."""
    await ring_of_locks(3, apart=4, ordered=mended)


@zoo_entry(hazard="five locks in a ring, tasks apart", symptom="deadlock", depth=4, shrunk=5)
async def five_philosophers(mended: bool) -> None:
    """Five staggered philosophers all eat."""
    await ring_of_locks(5, apart=2, ordered=mended)


@zoo_entry(hazard="a lock held while waiting for who needs it", symptom="deadlock", ids="I-02")
async def lock_held_while_waiting(mended: bool) -> None:
    """Who waits for a reply holds nothing that the reply needs."""
    lock, answered = asyncio.Lock(), asyncio.Event()

    async def ask():
        await turns(5)
        async with lock:
            await turns()
            if not mended:
                await answered.wait()
        await answered.wait()

    async def answer():
        await turns(2)
        async with lock:
            answered.set()

    await asyncio.gather(ask(), answer())


@zoo_entry(hazard="a slot held while asking for another", symptom="deadlock", ids="I-31")
async def nested_slots(mended: bool) -> None:
    """Jobs that need a helper end, however many of them there are."""
    jobs, helpers = asyncio.Semaphore(2), asyncio.Semaphore(2)

    async def job(number):
        await turns(4 * number)
        async with jobs:
            await turns()
            async with helpers if mended else jobs:
                await turns()

    await asyncio.gather(*(job(number) for number in range(3)))


@zoo_entry(hazard="two bounded queues, each full, each waited for", symptom="deadlock", ids="I-31")
async def retries_fill_the_queue(mended: bool) -> None:
    """Jobs that are tried again do not stop the queue that they came from."""
    jobs: asyncio.Queue[tuple[int, bool]] = asyncio.Queue(1)
    retries: asyncio.Queue[int] = asyncio.Queue(0 if mended else 1)

    async def produce():
        for number in range(4):
            await jobs.put((number, True))
            await turns(6)

    async def work():
        done = 0
        while done < 4:
            number, first = await jobs.get()
            if first:
                await retries.put(number)
            else:
                done += 1

    async def retry():
        for _ in range(4):
            number = await retries.get()
            await turns()
            await jobs.put((number, False))

    await asyncio.gather(produce(), work(), retry())


@zoo_entry(hazard="a barrier for fewer than come", symptom="deadlock", shrunk=2)
async def barrier_of_too_few(mended: bool) -> None:
    """Whoever takes part in a round leaves it."""
    barrier, left = asyncio.Barrier(2), 2

    async def work(number):
        nonlocal left
        await turns(6 * (number // 2))
        if not left:
            return
        if mended:
            left -= 1
        await barrier.wait()
        await turns(2)
        left = 0

    await asyncio.gather(*(work(number) for number in range(3)))


@zoo_entry(hazard="a set of locks taken one by one, given back all at once", symptom="deadlock")
async def rows_locked_as_named(mended: bool) -> None:
    """Whoever changes several rows gets them all."""
    rows = {name: asyncio.Lock() for name in "abc"}

    async def change(names, after):
        await turns(after)
        async with AsyncExitStack() as held:
            for name in sorted(names) if mended else names:
                await held.enter_async_context(rows[name])
                await turns()

    await asyncio.gather(change("ab", 0), change("bc", 5), change("ca", 10), change("ba", 15))


ENTRIES = (
    two_locks_crossed,
    three_locks_in_a_ring,
    five_philosophers,
    lock_held_while_waiting,
    nested_slots,
    retries_fill_the_queue,
    barrier_of_too_few,
    rows_locked_as_named,
)
