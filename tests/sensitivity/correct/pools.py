"""Correct programs that share what is dear: connections, results, flights of one question."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from tests.there import there

__all__ = ["PROGRAMS"]


async def connections_of_a_queue():
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(2):
        free.put_nowait(number)

    @asynccontextmanager
    async def connection():
        number = await free.get()
        try:
            yield number
        finally:
            free.put_nowait(number)

    async def ask():
        async with connection():
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(*(ask() for _ in range(5)))
    assert free.qsize() == 2


async def connections_that_are_made_late():
    class Pool:
        def __init__(self):
            self.permits, self.idle, self.made = asyncio.Semaphore(2), [], 0

        @asynccontextmanager
        async def lend(self):
            async with self.permits:
                one = self.idle.pop() if self.idle else await self.connect()
                try:
                    yield one
                finally:
                    self.idle.append(one)

        async def connect(self):
            await asyncio.sleep(random.uniform(0, 0.01))
            self.made += 1
            return self.made

    pool = Pool()

    async def ask():
        async with pool.lend():
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(*(ask() for _ in range(5)))
    if pool.made > 5:
        raise RuntimeError("too many were made")


async def one_flight_for_all_who_ask():
    class Flights:
        """Who asks joins the flight under way: a task of its own, so no asker carries it."""

        def __init__(self):
            self.under_way: dict[str, asyncio.Task[str]] = {}

        async def ask(self, key):
            task = self.under_way.get(key)
            if task is None:
                task = self.under_way[key] = asyncio.create_task(self.fly(key))
                task.add_done_callback(lambda _task: self.under_way.pop(key, None))
            return await asyncio.shield(task)

        async def fly(self, key):
            await asyncio.sleep(random.uniform(0, 0.01))
            return key.upper()

    flights = Flights()
    answers = await asyncio.gather(*(flights.ask(key) for key in "aab"))
    assert answers == ["A", "A", "B"]


async def a_start_that_is_made_once():
    lock, started = asyncio.Lock(), []

    async def start():
        async with lock:
            if not started:
                await asyncio.sleep(random.uniform(0, 0.01))
                started.append(True)

    await asyncio.gather(start(), start(), start())
    assert started == [True]


async def resources_on_an_exit_stack():
    opened = []

    @asynccontextmanager
    async def resource(name):
        opened.append(name)
        try:
            yield name
        finally:
            await asyncio.sleep(0)
            opened.remove(name)

    async def use():
        async with AsyncExitStack() as stack:
            for name in "ab":
                await stack.enter_async_context(resource(name))
                await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(use(), use())


async def a_service_that_is_closed_in_order():
    class Service:
        def __init__(self):
            self.queue, self.task = asyncio.Queue(), None

        async def __aenter__(self):
            self.task = asyncio.create_task(self.run())
            return self

        async def __aexit__(self, *_error):
            task = there(self.task)
            task.cancel()
            await asyncio.wait([task])

        async def run(self):
            while True:
                answer = await self.queue.get()
                await asyncio.sleep(random.uniform(0, 0.01))
                if not answer.done():
                    answer.set_result("yes")

        async def ask(self):
            answer = asyncio.get_running_loop().create_future()
            self.queue.put_nowait(answer)
            return await answer

    async with Service() as service:
        await asyncio.gather(service.ask(), service.ask())


async def a_commit_that_is_shielded():
    committed = []

    async def commit():
        await asyncio.sleep(random.uniform(0, 0.01))
        committed.append(True)

    async def work():
        await asyncio.sleep(random.uniform(0, 0.01))
        await asyncio.shield(commit())

    await asyncio.gather(work(), work())
    assert len(committed) == 2


async def a_commit_that_is_waited_for():
    committed = []

    async def commit():
        await asyncio.sleep(random.uniform(0, 0.01))
        committed.append(True)

    async def work():
        task = asyncio.create_task(commit())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    await asyncio.gather(work(), work())
    assert len(committed) == 2


async def a_clean_up_that_awaits():
    left = []

    async def work(name):
        left.append(name)
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            await asyncio.shield(asyncio.sleep(0.01))
            left.remove(name)

    await asyncio.gather(work("a"), work("b"))


async def a_table_of_futures():
    waiting: dict[int, asyncio.Future[int]] = {}

    async def call(number):
        future = waiting[number] = asyncio.get_running_loop().create_future()
        try:
            return await future
        finally:
            waiting.pop(number, None)

    async def answer():
        for number in range(3):
            await asyncio.sleep(random.uniform(0.01, 0.02))
            future = waiting.get(number)
            if future is not None and not future.done():
                future.set_result(number)

    answers = await asyncio.gather(*(call(number) for number in range(3)), answer())
    assert answers[:3] == [0, 1, 2]


async def children_that_a_parent_stops():
    async def child():
        await asyncio.sleep(3600)

    async def parent():
        children = [asyncio.create_task(child()) for _ in range(2)]
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            for one in children:
                one.cancel()
            await asyncio.gather(*children, return_exceptions=True)

    await asyncio.gather(parent(), parent())


async def a_background_task_of_main():
    async def beat():
        while True:
            await asyncio.sleep(0.01)

    task = asyncio.create_task(beat())
    await asyncio.gather(*(asyncio.sleep(random.uniform(0, 0.05)) for _ in range(3)))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
