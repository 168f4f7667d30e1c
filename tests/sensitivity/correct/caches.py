"""Correct programs that remember answers: until they are old, too many, or no longer true."""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field

from tests.there import there

__all__ = ["PROGRAMS"]


async def _database(answer, most_s=0.01):
    await asyncio.sleep(random.uniform(0, most_s))
    return answer


async def answers_that_get_old():
    @dataclass
    class Aging:
        """Keeps an answer for a while; one loader a key, and whoever waits shares its lock."""

        keeps_s: float
        known: dict[int, tuple[int, float]] = field(default_factory=dict)
        locks: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
        loads: int = 0

        async def get(self, key):
            async with self.locks[key]:
                now = asyncio.get_running_loop().time()
                if key in self.known and self.known[key][1] > now:
                    return self.known[key][0]
                value = await _database(key * 2)
                self.loads += 1
                # It is as old as the question, not as the answer.
                self.known[key] = value, now + self.keeps_s
                return value

    cache = Aging(keeps_s=5)
    assert await asyncio.gather(*(cache.get(7) for _ in range(3))) == [14, 14, 14]
    assert cache.loads == 1
    await asyncio.sleep(6)
    assert await cache.get(7) == 14
    assert cache.loads == 2


async def a_write_that_makes_an_answer_wrong():
    rows, known, version = {"a": 0}, {}, defaultdict(int)

    async def read(key):
        while key not in known:
            seen = version[key]
            value = await _database(rows[key])
            if version[key] == seen:
                known[key] = value
        return known[key]

    async def write(key):
        version[key] += 1
        rows[key] += 1
        known.pop(key, None)
        await asyncio.sleep(random.uniform(0, 0.01))

    async def read_often():
        values = [await read("a") for _ in range(3)]
        assert values == sorted(values), "a reader never goes back in time"

    await asyncio.gather(read_often(), write("a"), read_often(), write("a"))
    assert await read("a") == 2


async def a_memory_of_a_function():
    def remembered(function):
        """Keep the task of each call; a call that failed or was cancelled is made again."""
        tasks: dict[tuple[int, ...], asyncio.Task[int]] = {}

        @functools.wraps(function)
        async def call(*arguments):
            task = tasks.get(arguments)
            if task is None:
                task = tasks[arguments] = asyncio.create_task(function(*arguments))

                def forget(ended):
                    if ended.cancelled() or ended.exception() is not None:
                        tasks.pop(arguments, None)

                task.add_done_callback(forget)
            return await asyncio.shield(task)

        return call

    asked = []

    @remembered
    async def square(number):
        asked.append(number)
        return await _database(number * number)

    found = await asyncio.gather(*map(square, (2, 3, 2, 3, 2)))
    assert found == [4, 9, 4, 9, 4]
    assert sorted(asked) == [2, 3]


async def failures_that_are_not_remembered():
    known, attempts = {}, 0

    async def load():
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        if attempts == 1:
            raise ConnectionError("the first call fails")
        return "value"

    lock = asyncio.Lock()

    async def get():
        async with lock:
            if "key" not in known:
                known["key"] = await load()
            return known["key"]

    async def insist():
        try:
            return await get()
        except ConnectionError:
            return await get()

    assert list(await asyncio.gather(insist(), insist())) == ["value"] * 2
    assert attempts == 2


async def an_answer_that_is_old_meanwhile():
    """Whoever asks gets the old answer at once, while one task fetches the new one."""

    class Meanwhile:
        def __init__(self):
            self.value, self.fetches, self.task = 0, 0, None

        def get(self):
            if self.task is None or self.task.done():
                self.task = asyncio.create_task(self.refresh())
            return self.value

        async def refresh(self):
            self.value = await _database(self.value + 1)
            self.fetches += 1

        async def aclose(self):
            if self.task is not None:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    cache = Meanwhile()

    async def ask():
        first = cache.get()
        await asyncio.sleep(random.uniform(0, 0.02))
        assert cache.get() >= first

    try:
        await asyncio.gather(ask(), ask(), ask())
    finally:
        await cache.aclose()
    assert cache.value == cache.fetches <= 6


async def writes_that_are_kept_back():
    """A cache that writes later, in one go, and writes the rest as it is closed."""
    stored: dict[str, int] = {}

    class WriteBehind:
        def __init__(self):
            self.dirty, self.woken, self.closing = {}, asyncio.Event(), False

        def put(self, key, value):
            self.dirty[key] = value
            self.woken.set()

        async def run(self):
            while not self.closing or self.dirty:
                await self.woken.wait()
                await asyncio.sleep(random.uniform(0, 0.005))
                batch, self.dirty = self.dirty, {}
                if not self.closing:
                    self.woken.clear()
                stored.update(batch)

        def close(self):
            self.closing = True
            self.woken.set()

    cache = WriteBehind()

    async def use(key):
        for value in range(3):
            cache.put(key, value)
            await asyncio.sleep(random.uniform(0, 0.01))

    writer = asyncio.create_task(cache.run())
    try:
        await asyncio.gather(use("a"), use("b"))
    finally:
        cache.close()
        await asyncio.wait([writer])
    assert stored == {"a": 2, "b": 2}


async def entries_that_are_in_use_and_stay():
    class Pinned(OrderedDict[str, object]):
        """Drops the oldest entries, but none that somebody uses."""

        def __init__(self, most):
            super().__init__()
            self.most, self.users = most, defaultdict(int)

        def shrink(self):
            for key in [one for one in self if not self.users[one]]:
                if len(self) <= self.most:
                    break
                del self[key]

    cache, files = Pinned(most=1), []

    async def use(key):
        cache.users[key] += 1
        try:
            if key not in cache:
                cache[key] = object()
            mine = cache[key]
            await asyncio.sleep(random.uniform(0, 0.01))
            assert cache[key] is mine, "nobody drops what is in use"
            files.append(key)
        finally:
            cache.users[key] -= 1
            cache.shrink()

    await asyncio.gather(*map(use, "abcab"))
    assert len(cache) == 1
    assert sorted(files) == ["a", "a", "b", "b", "c"]


async def two_levels_of_memory():
    near, far, database, asked = {}, {"b": 2}, {"a": 1, "b": 2}, []

    async def from_far(key):
        await asyncio.sleep(random.uniform(0, 0.002))
        return far.get(key)

    under_way: dict[str, asyncio.Future[int]] = {}

    async def fetch(key):
        value = await from_far(key)
        if value is None:
            asked.append(key)
            value = far[key] = await _database(database[key])
        near[key] = value
        return value

    async def get(key):
        if key in near:
            return near[key]
        if key not in under_way:
            under_way[key] = asyncio.ensure_future(fetch(key))
            under_way[key].add_done_callback(lambda _future: under_way.pop(key))
        return await asyncio.shield(under_way[key])

    assert await asyncio.gather(*map(get, "abab")) == [1, 2, 1, 2]
    assert asked == ["a"]


async def a_question_that_is_put_off_until_many_ask():
    """A loader: keys asked for in one moment go to the database in one query."""

    class Loader:
        def __init__(self):
            self.waiting: dict[int, asyncio.Future[int]] = {}
            self.queries, self.task = [], None

        async def load(self, key):
            future = self.waiting.get(key)
            if future is None:
                future = self.waiting[key] = asyncio.get_running_loop().create_future()
            if self.task is None or self.task.done():
                self.task = asyncio.create_task(self.send())
            return await asyncio.shield(future)

        async def send(self):
            while self.waiting:
                await asyncio.sleep(0)
                asked, self.waiting = self.waiting, {}
                self.queries.append(sorted(asked))
                try:
                    rows = await _database({key: -key for key in asked})
                    for key, future in asked.items():
                        future.set_result(rows[key])
                finally:
                    for future in asked.values():
                        future.cancel()

    loader = Loader()
    try:
        assert await asyncio.gather(*map(loader.load, (1, 2, 1, 3))) == [-1, -2, -1, -3]
    finally:
        there(loader.task).cancel()
        await asyncio.wait([there(loader.task)])
    assert sum(map(len, loader.queries)) >= 3


async def sessions_that_end_when_nobody_comes():
    """Each visit puts the end of a session off; the sweeper ends those that are over."""
    sessions, ended = {}, []
    loop = asyncio.get_running_loop()

    async def visit(user):
        for _ in range(3):
            sessions[user] = loop.time() + 5
            await asyncio.sleep(random.uniform(0, 3))
            assert user in sessions, "who comes in time finds the session"

    async def sweep():
        while True:
            await asyncio.sleep(1)
            for user in [one for one, end_s in sessions.items() if end_s < loop.time()]:
                del sessions[user]
                ended.append(user)

    sweeper = asyncio.create_task(sweep())
    try:
        await asyncio.gather(visit("ann"), visit("bob"))
        await asyncio.sleep(10)
    finally:
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)
    assert sorted(ended) == ["ann", "bob"]


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and not one.__name__.startswith("_")
]
