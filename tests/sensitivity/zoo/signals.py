"""The entries in which a signal, a permit or a turn is lost, or given twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.sensitivity.zoo.entry import turns, zoo_entry

__all__ = ["ENTRIES"]


@zoo_entry(hazard="lost wake-up: an event set and cleared at once", symptom="deadlock")
async def event_pulsed(mended: bool) -> None:
    """A signal that was given reaches who waits for it."""
    event = asyncio.Event()

    async def wait():
        await turns(1)
        await event.wait()

    async def signal():
        await turns(4)
        event.set()
        if not mended:
            event.clear()

    await asyncio.gather(wait(), signal())


@zoo_entry(hazard="a condition is notified, and nobody waits yet", symptom="deadlock")
async def notified_too_early(mended: bool) -> None:
    """Who waits for an item gets it, whoever was first."""
    condition, items = asyncio.Condition(), []

    async def take():
        empty = not items
        await turns()
        async with condition:
            if mended:
                await condition.wait_for(lambda: items)
            elif empty:
                await condition.wait()
        return items.pop()

    async def put():
        await turns(4)
        async with condition:
            items.append("item")
            condition.notify()

    await asyncio.gather(take(), put())


@zoo_entry(hazard="a permit given back twice after a cancellation", symptom="inside <= 1")
async def permit_given_back_twice(mended: bool) -> None:
    """No more than one is inside at once."""
    permits, inside = asyncio.Semaphore(1), 0

    async def work(after):
        nonlocal inside
        await turns(after)
        await permits.acquire()
        try:
            inside += 1
            assert inside <= 1
            await turns(2)
        except asyncio.CancelledError:
            if not mended:
                permits.release()
            raise
        finally:
            inside -= 1
            permits.release()

    first = asyncio.create_task(work(0))
    others = [asyncio.create_task(work(after)) for after in (3, 3)]
    await turns(10)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    others.append(asyncio.create_task(work(0)))
    await asyncio.gather(*others)


@zoo_entry(hazard="readers go before a writer for ever", symptom="reads_before < 6", ids="I-32")
async def writer_starves(mended: bool) -> None:
    """A writer gets its turn between two readers."""
    condition, readers, waiting, reads, reads_before = asyncio.Condition(), 0, 0, 0, -1

    async def read():
        nonlocal readers, reads
        for _ in range(8):
            async with condition:
                if mended:
                    await condition.wait_for(lambda: not waiting)
                readers += 1
            await turns(2)
            readers -= 1
            reads += 1
            async with condition:
                condition.notify_all()
            await turns()

    async def write():
        nonlocal reads_before, waiting
        await turns(4)
        begun = reads
        waiting = 1
        async with condition:
            await condition.wait_for(lambda: readers == 0)
            reads_before = reads - begun
            waiting = 0
            condition.notify_all()

    await asyncio.gather(read(), read(), write())
    assert reads_before < 6


@zoo_entry(hazard="a started worker outlives the stop", symptom="not workers", ids="I-19")
async def stopped_before_started(mended: bool) -> None:
    """After a stop nothing runs."""
    workers: set[asyncio.Task[None]] = set()
    stopped = False

    async def start():
        await turns()
        if not (mended and stopped):
            workers.add(asyncio.create_task(asyncio.sleep(1)))

    async def stop():
        nonlocal stopped
        await turns(4)
        stopped = True
        while workers:
            workers.pop().cancel()

    await asyncio.gather(start(), stop())
    assert not workers


@zoo_entry(hazard="marked as ready before it is", symptom="table is not None", ids="I-03")
async def ready_before_loaded(mended: bool) -> None:
    """Who finds a service started finds it whole."""
    started, table, lock = False, None, asyncio.Lock()

    async def load():
        nonlocal started, table
        if started:
            return
        started = True
        await turns()
        table = {}

    async def use(after):
        await turns(after)
        if mended:
            async with lock:
                await load()
        else:
            await load()
        assert table is not None

    await asyncio.gather(use(0), use(3))


ENTRIES = (
    event_pulsed,
    notified_too_early,
    permit_given_back_twice,
    writer_starves,
    stopped_before_started,
    ready_before_loaded,
)
