"""The entries in which a cancellation, a deadline or an error strikes half-way."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.sensitivity.zoo.entry import disk, turns, zoo_entry

__all__ = ["ENTRIES"]


@zoo_entry(hazard="a cancelled leader takes its followers along", symptom="deadlock", ids="I-23")
async def leader_takes_followers(mended: bool) -> None:
    """Who joined a spawn gets the client, whatever becomes of who started it."""
    loop = asyncio.get_running_loop()
    flight: asyncio.Future[str] | None = None

    async def spawn():
        await turns(2)
        return "client"

    async def get_client():
        nonlocal flight
        if flight is not None:
            return await asyncio.shield(flight)
        if mended:
            flight = asyncio.create_task(spawn())
            return await asyncio.shield(flight)
        flight = loop.create_future()
        client = await spawn()
        flight.set_result(client)
        return client

    leader = asyncio.create_task(get_client())
    await turns()
    follower = asyncio.create_task(get_client())
    await turns(5)
    leader.cancel()
    assert await follower == "client"
    with suppress(asyncio.CancelledError):
        await leader


@zoo_entry(
    hazard="a timeout loses what was taken from a queue",
    symptom="sorted(done) == [0, 1]",
    production=True,
)
async def timeout_loses_an_item(mended: bool) -> None:
    """What was taken from a queue is worked on."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    done: list[int] = []

    async def take():
        item = await queue.get()
        try:
            await disk()
        except asyncio.CancelledError:
            if mended:
                queue.put_nowait(item)
            raise
        done.append(item)

    queue.put_nowait(0)
    queue.put_nowait(1)
    while not queue.empty():
        with suppress(TimeoutError):
            async with asyncio.timeout(0.006):
                await take()
    assert sorted(done) == [0, 1]


@zoo_entry(
    hazard="a retry doubles an effect", symptom="len(charges) == 1", production=True, ids="I-26"
)
async def retry_doubles_a_charge(mended: bool) -> None:
    """An order is charged once, however often it is sent."""
    charges: list[str] = []

    def charge(key):
        if not (mended and key in charges):
            charges.append(key)

    for _ in range(2):
        try:
            async with asyncio.timeout(0.006):
                await asyncio.to_thread(charge, "order")
            break
        except TimeoutError:
            continue
    await asyncio.sleep(0.1)
    assert len(charges) == 1


@zoo_entry(
    hazard="row written after the effect", symptom="effects <= rows", production=True, ids="I-24"
)
async def row_after_the_effect(mended: bool) -> None:
    """What was done on the chain has a row, wherever its caller was lost."""
    rows: set[str] = set()
    effects: set[str] = set()

    async def create(name):
        if mended:
            await asyncio.to_thread(rows.add, name)
        await asyncio.to_thread(effects.add, name)
        if not mended:
            await asyncio.to_thread(rows.add, name)

    caller = asyncio.create_task(create("account"))
    await asyncio.sleep(0.011)
    caller.cancel()
    with suppress(asyncio.CancelledError):
        await caller
    await asyncio.sleep(0.1)
    assert effects <= rows


@zoo_entry(
    hazard="nobody takes a shielded task's error",
    symptom="len(told)",
    production=True,
    ids="I-24",
)
async def shielded_task_lost(mended: bool) -> None:
    """An error in an operation's tail reaches somebody."""
    closed, errors, told = False, [], []

    async def tail():
        await disk()
        if closed:
            errors.append(ConnectionError("the client is closed"))
            raise errors[0]

    task = asyncio.create_task(tail())
    with suppress(TimeoutError):
        async with asyncio.timeout(0.006):
            await (asyncio.wait([task]) if mended else asyncio.shield(task))
    closed = True
    if mended:
        told += filter(None, await asyncio.gather(task, return_exceptions=True))
    await asyncio.sleep(0.1)
    assert len(told) == len(errors)


async def leaking_pool(size: int, *, mended: bool) -> None:
    """Let requests with a deadline take connections of a pool, and one without a deadline."""
    pool: asyncio.Queue[int] = asyncio.Queue()
    for number in range(size):
        pool.put_nowait(number)

    async def request():
        connection = await pool.get()
        try:
            await disk()
        except asyncio.CancelledError:
            if mended:
                pool.put_nowait(connection)
            raise
        pool.put_nowait(connection)

    for _ in range(size):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.006):
                await request()
    await request()


@zoo_entry(
    hazard="connections leak on cancellation",
    symptom="deadlock",
    depth=2,
    production=True,
    shrunk=3,
)
async def pool_of_two_leaks(mended: bool) -> None:
    """A pool of two has a connection for whoever comes when nobody uses it."""
    await leaking_pool(2, mended=mended)


@zoo_entry(
    hazard="connections leak on cancellation",
    symptom="deadlock",
    depth=3,
    production=True,
    shrunk=4,
)
async def pool_of_three_leaks(mended: bool) -> None:
    """A pool of three has a connection for whoever comes when nobody uses it."""
    await leaking_pool(3, mended=mended)


@zoo_entry(hazard="a sibling's error ends a transfer half-way", symptom="== 100", ids="I-24")
async def sibling_ends_a_transfer(mended: bool) -> None:
    """A transfer is done as a whole or not at all."""
    accounts = {"a": 60, "b": 40}

    async def transfer():
        if mended:
            await turns()
        accounts["a"] -= 10
        if not mended:
            await turns()
        accounts["b"] += 10

    async def check():
        await turns(4)
        raise LookupError("no such user")

    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(transfer())
            group.create_task(check())
    assert sum(accounts.values()) == 100


@zoo_entry(hazard="gather fails, and the others write on", symptom="not rows", depth=2)
async def gather_leaves_writers(mended: bool) -> None:
    """What is rolled back stays so."""
    rows: list[str] = []

    async def write():
        await turns()
        rows.append("row")

    async def fail():
        await turns(4)
        raise LookupError("no such user")

    writer = asyncio.ensure_future(write())
    with suppress(LookupError):
        await asyncio.gather(writer, fail())
    if mended:
        await writer
    rows.clear()
    await turns(3)
    assert not rows
    await writer


@zoo_entry(hazard="a queue's worker dies of a job", symptom="deadlock", ids="I-20")
async def worker_dies_of_a_job(mended: bool) -> None:
    """A job that fails does not keep the next from being done."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    known: set[str] = set()

    async def work():
        while True:
            name = await queue.get()
            await turns(2)
            if mended:
                known.add(name)
            known.remove(name)
            queue.task_done()

    async def register(name):
        await turns()
        known.add(name)

    worker = asyncio.create_task(work())
    for name in ("ann", "bob"):
        queue.put_nowait(name)
        await register(name)
    await asyncio.wait([asyncio.create_task(queue.join())])
    worker.cancel()


ENTRIES = (
    leader_takes_followers,
    timeout_loses_an_item,
    retry_doubles_a_charge,
    row_after_the_effect,
    shielded_task_lost,
    pool_of_two_leaks,
    pool_of_three_leaks,
    sibling_ends_a_transfer,
    gather_leaves_writers,
    worker_dies_of_a_job,
)
