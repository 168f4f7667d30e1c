"""Correct programs that let only some in at once, or only so many in a while."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import OrderedDict, deque
from contextlib import asynccontextmanager

__all__ = ["PROGRAMS"]


async def callers_of_a_lock():
    lock, inside = asyncio.Lock(), 0

    async def use():
        nonlocal inside
        async with lock:
            inside += 1
            try:
                await asyncio.sleep(random.uniform(0, 0.01))
                if inside != 1:
                    raise RuntimeError("two are inside")
            finally:
                inside -= 1

    await asyncio.gather(*(use() for _ in range(4)))


async def callers_of_a_semaphore():
    permits, inside, most = asyncio.Semaphore(2), 0, 0

    async def use():
        nonlocal inside, most
        async with permits:
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(random.uniform(0, 0.01))
            finally:
                inside -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(use())
    if most > 2:
        raise RuntimeError("more than two were inside")


async def a_bounded_semaphore_by_hand():
    permits = asyncio.BoundedSemaphore(2)

    async def use():
        await permits.acquire()
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            permits.release()

    await asyncio.gather(*(use() for _ in range(4)))
    assert not permits.locked()


async def a_lock_of_its_own_that_hands_on():
    class Turn:
        """A lock: who gives it up wakes the first that waits, and who is cancelled passes it on."""

        def __init__(self):
            self.taken, self.waiting = False, deque()

        async def __aenter__(self):
            if not self.taken and not self.waiting:
                self.taken = True
                return
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.pass_on()
                else:
                    self.waiting.remove(turn)
                raise

        async def __aexit__(self, *_error):
            self.pass_on()

        def pass_on(self):
            while self.waiting:
                turn = self.waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    self.taken = True
                    return
            self.taken = False

    turn = Turn()

    async def use():
        async with turn:
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(*(use() for _ in range(4)))
    assert not turn.taken


async def a_rate_limiter_of_a_window():
    times, lock = deque(), asyncio.Lock()

    async def enter():
        async with lock:
            now = asyncio.get_running_loop().time()
            while times and times[0] <= now - 1:
                times.popleft()
            if len(times) >= 2:
                await asyncio.sleep(times[0] + 1 - now)
                times.popleft()
            times.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(enter() for _ in range(5)))


async def a_bucket_of_tokens_that_is_filled():
    tokens = asyncio.Semaphore(1)

    async def fill():
        while True:
            await asyncio.sleep(0.05)
            if tokens.locked():
                tokens.release()

    async def take():
        async with asyncio.timeout(30):
            await tokens.acquire()

    filler = asyncio.create_task(fill())
    try:
        await asyncio.gather(*(take() for _ in range(3)), return_exceptions=True)
    finally:
        filler.cancel()
        await asyncio.wait([filler])


async def readers_and_a_writer():
    class Lock:
        """Readers together, a writer alone; whoever is cancelled leaves without an await."""

        def __init__(self):
            self.readers, self.writing, self.changed = 0, False, asyncio.Event()

        async def until(self, holds):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

        @asynccontextmanager
        async def reading(self):
            await self.until(lambda: not self.writing)
            self.readers += 1
            try:
                yield
            finally:
                self.readers -= 1
                self.changed.set()

        @asynccontextmanager
        async def to_write(self):
            await self.until(lambda: not self.writing and not self.readers)
            self.writing = True
            try:
                yield
            finally:
                self.writing = False
                self.changed.set()

    lock = Lock()

    async def read():
        async with lock.reading():
            await asyncio.sleep(random.uniform(0, 0.01))

    async def write():
        async with lock.to_write():
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(read(), write(), read(), write())


async def a_lock_for_each_key():
    locks: dict[str, asyncio.Lock] = {}

    async def use(key):
        async with locks.setdefault(key, asyncio.Lock()):
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(*(use(key) for key in "ababc"))


async def two_locks_in_one_order():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def both():
        async with first, second:
            await asyncio.sleep(random.uniform(0, 0.01))

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(both())


async def a_gate_that_opens_once():
    opened, through = asyncio.Event(), []

    async def pass_through(name):
        await opened.wait()
        through.append(name)

    async def unlock():
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            opened.set()

    async with asyncio.TaskGroup() as group:
        for name in range(3):
            group.create_task(pass_through(name))
        group.create_task(unlock())
    assert len(through) == 3


async def a_cache_that_drops_the_oldest():
    cache: OrderedDict[int, int] = OrderedDict()
    lock = asyncio.Lock()

    async def look(key):
        async with lock:
            if key not in cache:
                await asyncio.sleep(random.uniform(0, 0.01))
                cache[key] = key * key
                while len(cache) > 2:
                    cache.popitem(last=False)
            return cache[key]

    assert await asyncio.gather(*map(look, (1, 2, 3, 1))) == [1, 4, 9, 1]


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
