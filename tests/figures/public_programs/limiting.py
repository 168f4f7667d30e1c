"""Correct programs that use limiters, locks and pools of aiolimiter, aiorwlock and others."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random

import aiometer
import async_timeout
from aiolimiter import AsyncLimiter
from aiorwlock import RWLock
from asyncio_throttle import Throttler

__all__ = ["PROGRAMS"]


async def aiolimiter_so_many_in_a_while():
    limiter, times = AsyncLimiter(2, 10), []
    loop = asyncio.get_running_loop()

    async def call():
        async with limiter:
            times.append(loop.time())
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(*(call() for _ in range(5)))
    assert len(times) == 5
    assert all(later - first > 4 for first, later in zip(times, times[2:], strict=False))


async def aiolimiter_calls_of_different_weight():
    limiter, done = AsyncLimiter(4, 1), []

    async def call(weight):
        await limiter.acquire(weight)
        done.append(weight)
        await asyncio.sleep(random.uniform(0, 0.01))

    async with asyncio.TaskGroup() as group:
        for weight in (3, 2, 1, 4):
            group.create_task(call(weight))
    assert sorted(done) == [1, 2, 3, 4]


async def aiolimiter_with_a_time_limit():
    limiter = AsyncLimiter(1, 100)

    async def call():
        try:
            async with asyncio.timeout(20):
                await limiter.acquire()
        except TimeoutError:
            return "too many"
        return "called"

    found = await asyncio.gather(call(), call())
    assert sorted(found) == ["called", "too many"]


async def asyncio_throttle_a_rate():
    throttler, times = Throttler(rate_limit=2, period=10, retry_interval=0.5), []
    loop = asyncio.get_running_loop()

    async def call():
        async with throttler:
            times.append(loop.time())
            await asyncio.sleep(random.uniform(0, 0.1))

    await asyncio.gather(*(call() for _ in range(4)))
    assert times[2] - times[0] > 8


async def aiorwlock_readers_and_writers():
    lock, value, reading = RWLock(), 0, 0

    async def read():
        nonlocal reading
        async with lock.reader:
            reading += 1
            try:
                seen = value
                await asyncio.sleep(random.uniform(0, 0.01))
                assert value == seen
            finally:
                reading -= 1

    async def write():
        nonlocal value
        async with lock.writer:
            assert reading == 0
            before = value
            await asyncio.sleep(random.uniform(0, 0.01))
            value = before + 1

    await asyncio.gather(read(), write(), read(), write(), read())
    assert value == 2


async def aiorwlock_a_cache_that_is_refreshed():
    lock, rows = RWLock(), {"a": 1}

    async def get(key):
        async with lock.reader_lock:
            await asyncio.sleep(random.uniform(0, 0.005))
            return rows[key]

    async def refresh():
        async with lock.writer_lock:
            rows.clear()
            await asyncio.sleep(random.uniform(0, 0.01))
            rows.update(a=2)

    async with asyncio.TaskGroup() as group:
        reading = [group.create_task(get("a")) for _ in range(3)]
        group.create_task(refresh())
    assert {one.result() for one in reading} <= {1, 2}


async def async_timeout_a_call_that_is_cut():
    async def call(takes_s):
        try:
            async with async_timeout.timeout(5):
                await asyncio.sleep(takes_s)
        except TimeoutError:
            return "late"
        return "in time"

    found = await asyncio.gather(call(random.uniform(0, 1)), call(random.uniform(20, 30)))
    assert list(found) == ["in time", "late"]


async def async_timeout_a_deadline_for_several():
    loop, done = asyncio.get_running_loop(), []

    async def run(deadline_s):
        try:
            async with async_timeout.timeout_at(deadline_s):
                for number in itertools.count():
                    await asyncio.sleep(random.uniform(2, 3))
                    done.append(number)
        except TimeoutError:
            return True
        return None

    assert list(await asyncio.gather(run(loop.time() + 30), run(loop.time() + 20))) == [True] * 2
    assert len(done) >= 4


async def aiometer_results_as_they_come():
    async def double(number):
        await asyncio.sleep(random.uniform(0, 0.02))
        return number * 2

    async with aiometer.amap(double, range(5), max_at_once=3, max_per_second=100) as results:
        got = [one async for one in results]
    assert sorted(got) == [0, 2, 4, 6, 8]


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
