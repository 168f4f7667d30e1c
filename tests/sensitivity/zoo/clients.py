"""The entries about clients: who spawns one, who may still use it, which one is cached."""

from __future__ import annotations

import asyncio

from tests.sensitivity.zoo.entry import disk, turns, zoo_entry

__all__ = ["ENTRIES"]


@zoo_entry(hazard="check, then spawn", symptom="spawns == 1", ids="I-01, H-01")
async def check_then_spawn(mended: bool) -> None:
    """All callers of one key share one spawn."""
    cache: dict[str, object] = {}
    flights: dict[str, asyncio.Task[None]] = {}
    spawns = 0

    async def spawn(key):
        nonlocal spawns
        spawns += 1
        await turns()
        cache[key] = object()

    async def get_client(key, after):
        await turns(after)
        if mended:
            if key not in flights:
                flights[key] = asyncio.create_task(spawn(key))
            await flights[key]
        elif key not in cache:
            await spawn(key)
        return cache[key]

    await asyncio.gather(*(get_client("ann", 5 * number) for number in range(3)))
    assert spawns == 1


@zoo_entry(
    hazard="cache stampede: looked at under a lock, fetched outside",
    symptom="fetches == 1",
    ids="I-33, H-22",
)
async def cache_stampede(mended: bool) -> None:
    """An expired set of keys is fetched once, however many need it."""
    keys, lock, fetches = None, asyncio.Lock(), 0

    async def fetch():
        nonlocal keys, fetches
        fetches += 1
        await turns(2)
        keys = "keys"

    async def validate(after):
        await turns(after)
        async with lock:
            missing = keys is None
            if missing and mended:
                await fetch()
        if missing and not mended:
            await fetch()

    await asyncio.gather(*(validate(after) for after in (0, 6, 12, 18)))
    assert fetches == 1


@zoo_entry(
    hazard="flush closes what is in use", symptom="not closed", production=True, ids="I-17, H-14"
)
async def used_after_flush(mended: bool) -> None:
    """An operation that has a client keeps it until it ends."""
    closed, ended = False, asyncio.Event()

    async def create():
        await disk(2)
        assert not closed
        ended.set()

    async def flush():
        nonlocal closed
        await asyncio.sleep(0.011)
        if mended:
            await ended.wait()
        closed = True

    await asyncio.gather(create(), flush())


@zoo_entry(
    hazard="a spawn that was flushed caches itself late",
    symptom="client == newest",
    production=True,
    ids="I-18",
)
async def flushed_spawn_returns(mended: bool) -> None:
    """A flushed generation does not come back in place of a newer one."""
    cache: dict[str, int] = {}
    generation, newest = 0, 0

    async def spawn():
        nonlocal newest
        mine = generation
        await disk(2)
        if mended and mine != generation:
            return
        if mine == generation:
            newest = mine
        cache["ann"] = mine

    async def flush():
        nonlocal generation
        await asyncio.sleep(0.011)
        generation += 1
        cache.clear()
        await spawn()

    await asyncio.gather(spawn(), flush())
    client = cache["ann"]
    assert client == newest


@zoo_entry(hazard="closed by two", symptom="closes == 1", ids="I-19")
async def closed_twice(mended: bool) -> None:
    """A store is closed once."""
    closing, closes = False, 0

    async def close(after):
        nonlocal closing, closes
        await turns(after)
        if closing:
            return
        if mended:
            closing = True
        await turns()
        closing = True
        closes += 1

    await asyncio.gather(close(0), close(4))
    assert closes == 1


@zoo_entry(
    hazard="two leaders: claimed, then confirmed too early", symptom="len(leaders) <= 1", ids="I-35"
)
async def two_leaders(mended: bool) -> None:
    """At most one node believes that it leads."""
    holder, leaders = None, set()

    async def search(node, after):
        nonlocal holder
        await turns(after)
        if holder is not None:
            return
        if mended:
            holder = node
        await turns()
        if not mended:
            holder = node
        await turns(3)
        if holder == node:
            leaders.add(node)

    await asyncio.gather(search("a", 0), search("b", 8))
    assert len(leaders) <= 1


@zoo_entry(
    hazard="failover after missed renewals, without fencing",
    symptom="leaders == 1",
    depth=2,
    production=True,
    ids="I-35",
)
async def failover_without_fencing(mended: bool) -> None:
    """A leader that is slow is not doubled."""
    loop = asyncio.get_running_loop()
    renewed_s, leaders, over = loop.time(), 1, False

    async def lead():
        nonlocal renewed_s, leaders
        for _ in range(3):
            await disk(2)
            if leaders == 1 or not mended:
                renewed_s = loop.time()

    async def watch():
        nonlocal leaders
        while not over:
            await asyncio.sleep(0.004)
            if loop.time() - renewed_s > 0.030:
                if mended:
                    return
                leaders += 1

    watcher = asyncio.create_task(watch())
    await lead()
    over = True
    await watcher
    assert leaders == 1


ENTRIES = (
    check_then_spawn,
    cache_stampede,
    used_after_flush,
    flushed_spawn_returns,
    closed_twice,
    two_leaders,
    failover_without_fencing,
)
