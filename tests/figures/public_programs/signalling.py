"""Correct programs that use aiosignal, blinker, pyee, aiojobs and asgiref: who is told of what."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextvars import ContextVar

from aiojobs import Scheduler
from aiosignal import Signal as Signals
from asgiref.sync import sync_to_async
from blinker import Signal
from pyee.asyncio import AsyncIOEventEmitter

__all__ = ["PROGRAMS"]


async def aiosignal_all_who_listen():
    told: list[tuple[str, int]] = []
    signals: Signals[int] = Signals(owner=None)

    async def first(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        told.append(("first", number))

    async def second(number):
        told.append(("second", number))

    signals.append(first)
    signals.append(second)
    signals.freeze()
    await asyncio.gather(signals.send(1), signals.send(2))
    assert sorted(told) == [("first", 1), ("first", 2), ("second", 1), ("second", 2)]


async def blinker_listeners_that_await():
    changed, told = Signal(), []

    async def listen(sender, *, value):
        await asyncio.sleep(random.uniform(0, 0.01))
        told.append((sender, value))

    with changed.connected_to(listen):
        await asyncio.gather(changed.send_async("a", value=1), changed.send_async("b", value=2))
    await changed.send_async("c", value=3)
    assert sorted(told) == [("a", 1), ("b", 2)]


async def pyee_events_with_handlers_that_await():
    emitter, handled = AsyncIOEventEmitter(), []

    @emitter.on("order")
    async def handle(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        handled.append(number)

    try:
        for number in range(3):
            emitter.emit("order", number)
            await asyncio.sleep(random.uniform(0, 0.01))
        await emitter.wait_for_complete()
    finally:
        emitter.cancel()
    assert sorted(handled) == [0, 1, 2]


async def pyee_an_error_that_is_told():
    emitter, errors = AsyncIOEventEmitter(), asyncio.Queue()
    emitter.on("error", errors.put_nowait)

    @emitter.on("order")
    async def handle(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        if number == 1:
            raise ValueError(number)

    try:
        emitter.emit("order", 0)
        emitter.emit("order", 1)
        assert isinstance(await errors.get(), ValueError)
        await emitter.wait_for_complete()
    finally:
        emitter.cancel()


async def aiojobs_jobs_that_are_waited_for():
    async def square(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        return number * number

    scheduler = Scheduler(limit=4, close_timeout=60)
    try:
        jobs = [await scheduler.spawn(square(number)) for number in range(4)]
        assert [await job.wait() for job in jobs] == [0, 1, 4, 9]
    finally:
        await scheduler.close()


async def aiojobs_jobs_that_are_closed():
    log = []

    async def work(name):
        try:
            await asyncio.sleep(3600)
        finally:
            log.append(name)

    scheduler = Scheduler(close_timeout=60)
    try:
        for name in "ab":
            await scheduler.spawn(work(name))
            await asyncio.sleep(random.uniform(0.001, 0.01))
    finally:
        await scheduler.close()
    assert sorted(log) == ["a", "b"]


_USER: ContextVar[str] = ContextVar("_USER", default="nobody")


async def asgiref_functions_in_a_thread():
    def blocking(number):
        return _USER.get(), number * 2

    async def call(user, number):
        _USER.set(user)
        await asyncio.sleep(random.uniform(0, 0.01))
        return await sync_to_async(blocking)(number)

    tasks = [asyncio.create_task(call(user, len(user))) for user in ("ann", "bobby")]
    try:
        assert list(await asyncio.gather(*tasks)) == [("ann", 6), ("bobby", 10)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
