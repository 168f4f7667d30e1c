"""Correct programs that use async-lru, cachetools-async, aiocache, aiodataloader: answers kept."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import Counter

import cachetools
import cachetools_async
from aiocache import SimpleMemoryCache, cached
from aiocache.lock import OptimisticLock, OptimisticLockError, RedLock
from aiodataloader import DataLoader
from async_lru import alru_cache

__all__ = ["PROGRAMS"]


async def async_lru_a_call_that_is_made_once():
    asked = []

    @alru_cache(maxsize=8)
    async def square(number):
        asked.append(number)
        await asyncio.sleep(random.uniform(0, 0.01))
        return number * number

    try:
        found = await asyncio.gather(*map(square, (2, 3, 2, 3)))
        assert list(found) == [4, 9, 4, 9]
        assert sorted(asked) == [2, 3]
    finally:
        await square.cache_close()


async def async_lru_an_answer_that_gets_old():
    asked = 0

    @alru_cache(ttl=10)
    async def load():
        nonlocal asked
        asked += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        return asked

    try:
        assert list(await asyncio.gather(load(), load())) == [1, 1]
        await asyncio.sleep(30)
        assert await load() == 2
    finally:
        await load.cache_close()


async def cachetools_async_a_call_that_is_made_once():
    asked = Counter()

    @cachetools_async.cached(cachetools.LRUCache(maxsize=4))
    async def load(key):
        asked[key] += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        return key.upper()

    found = await asyncio.gather(*map(load, "abab"))
    assert list(found) == ["A", "B", "A", "B"]
    assert asked == {"a": 1, "b": 1}


async def aiocache_a_memory_with_ages():
    cache = SimpleMemoryCache()
    try:
        await asyncio.gather(*(cache.set(key, key.upper(), ttl=10) for key in "abc"))
        await asyncio.sleep(random.uniform(0, 1))
        assert await cache.multi_get(["a", "b", "x"]) == ["A", "B", None]
        await asyncio.sleep(30)
        assert await cache.get("a") is None
    finally:
        await cache.clear()


async def aiocache_a_function_that_is_remembered():
    cache_of: dict[str, int] = {}

    @cached(cache=SimpleMemoryCache, namespace="remembered")
    async def load(key):
        cache_of[key] = cache_of.get(key, 0) + 1
        await asyncio.sleep(random.uniform(0, 0.01))
        return key * 2

    try:
        assert [await load("a"), await load("a")] == ["aa", "aa"]
        assert cache_of == {"a": 1}
        assert list(await asyncio.gather(load("b"), load("c"))) == ["bb", "cc"]
    finally:
        await load.cache.clear()


async def aiocache_a_lock_for_one_loader():
    cache, loads = SimpleMemoryCache(), 0

    async def get():
        nonlocal loads
        async with RedLock(cache, "key", 100):
            value = await cache.get("key")
            if value is None:
                loads += 1
                await asyncio.sleep(random.uniform(0, 0.01))
                value = "value"
                await cache.set("key", value)
            return value

    try:
        assert list(await asyncio.gather(get(), get(), get())) == ["value"] * 3
        assert loads == 1
    finally:
        await cache.clear()


async def aiocache_a_write_if_nobody_came_between():
    cache = SimpleMemoryCache()
    await cache.set("sum", 0)

    async def add(amount):
        while True:
            try:
                async with OptimisticLock(cache, "sum") as lock:
                    before = await cache.get("sum")
                    await asyncio.sleep(random.uniform(0, 0.01))
                    return await lock.cas(before + amount)
            except OptimisticLockError:
                continue

    try:
        async with asyncio.TaskGroup() as group:
            for amount in (1, 10, 100):
                group.create_task(add(amount))
        assert await cache.get("sum") == 111
    finally:
        await cache.clear()


def _rows(**options):
    """Make a loader of rows, and the list of the queries that it has made."""
    queries = []

    async def query(keys):
        queries.append(list(keys))
        await asyncio.sleep(random.uniform(0, 0.01))
        return [key * 10 for key in keys]

    return DataLoader(query, **options), queries


async def aiodataloader_keys_in_one_query():
    rows, queries = _rows()

    async def resolve(key):
        return await rows.load(key)

    assert list(await asyncio.gather(*map(resolve, (1, 2, 1)))) == [10, 20, 10]
    assert await rows.load(1) == 10
    assert sorted(key for query in queries for key in query) == [1, 2]


async def aiodataloader_batches_of_a_size():
    rows, queries = _rows(max_batch_size=2)
    assert await rows.load_many([1, 2, 3]) == [10, 20, 30]
    assert sorted(len(query) for query in queries) == [1, 2]


async def aiodataloader_an_answer_that_is_forgotten():
    rows, queries = _rows()

    async def change():
        await rows.load(1)
        rows.clear(1)
        return await rows.load(1)

    assert list(await asyncio.gather(change(), rows.load(2))) == [10, 20]
    assert sum(query.count(1) for query in queries) == 2


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
