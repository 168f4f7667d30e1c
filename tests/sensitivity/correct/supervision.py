"""Correct programs that watch over others: supervisors, leases, heartbeats, orderly ends."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto

from tests.there import there

__all__ = ["PROGRAMS"]


async def _ended(*tasks):
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def a_supervisor_that_starts_it_again():
    starts, finished = 0, asyncio.Event()

    async def service():
        nonlocal starts
        starts += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        if starts < 3:
            raise OSError("crashed")
        finished.set()

    async def supervise(restarts_max):
        pause_s = 0.01
        for _ in range(restarts_max):
            try:
                return await service()
            except OSError:
                await asyncio.sleep(pause_s)
                pause_s *= 2
        raise RuntimeError("it crashes again and again")

    await supervise(5)
    assert starts == 3
    assert finished.is_set()


async def a_supervisor_that_starts_all_again():
    """If one of the group crashes, all of it is stopped and begun anew."""
    generation, running, log = 0, set(), []

    async def member(name, crashes):
        running.add(name)
        try:
            await asyncio.sleep(random.uniform(0, 0.02))
            if crashes:
                raise OSError(name)
            await asyncio.sleep(0.03)
        finally:
            running.discard(name)

    while not log:
        generation += 1
        try:
            async with asyncio.TaskGroup() as group:
                for name in "ab":
                    group.create_task(member(name, generation < 3 and name == "a"))
        except* OSError:
            assert not running, "nobody of the old generation is left"
        else:
            log.append(generation)
    assert log == [3]


async def a_lease_that_is_renewed():
    """Who holds the lease renews it in the background; without renewal it would be over."""

    class Leases:
        def __init__(self):
            self.holder, self.until_s = None, 0.0

        def take(self, name, for_s=20.0):
            now = asyncio.get_running_loop().time()
            if self.holder not in (None, name) and self.until_s > now:
                return False
            self.holder, self.until_s = name, now + for_s
            return True

        def give_back(self, name):
            if self.holder == name:
                self.holder = None

    leases, worked = Leases(), []

    @asynccontextmanager
    async def leader(name):
        while not leases.take(name):
            await asyncio.sleep(1)

        async def renew():
            while leases.take(name):
                await asyncio.sleep(5)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            leases.give_back(name)
            await _ended(renewing)

    async def node(name):
        async with leader(name):
            await asyncio.sleep(random.uniform(30, 40))
            if leases.holder == name:
                worked.append(name)

    async with asyncio.timeout(300):
        await asyncio.gather(node("one"), node("two"))
    assert sorted(worked) == ["one", "two"]
    assert leases.holder is None


async def a_heart_that_is_listened_to():
    last_s, missed = asyncio.get_running_loop().time(), []

    async def beat(times):
        nonlocal last_s
        for _ in range(times):
            await asyncio.sleep(random.uniform(1, 2))
            last_s = asyncio.get_running_loop().time()

    async def listen():
        while True:
            silent_s = asyncio.get_running_loop().time() - last_s
            if silent_s > 30:
                missed.append(silent_s)
                return
            await asyncio.sleep(31 - silent_s)

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        group.create_task(beat(4))
    assert len(missed) == 1


async def a_service_that_finishes_what_it_has_taken():
    class Server:
        """Refuses new work once it drains, and waits for what is under way."""

        def __init__(self):
            self.draining, self.under_way, self.answered = False, set(), []

        async def handle(self, number):
            await asyncio.sleep(random.uniform(0, 0.02))
            self.answered.append(number)

        def submit(self, number):
            if self.draining:
                return False
            task = asyncio.create_task(self.handle(number))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)
            return True

        async def drain(self, within_s):
            self.draining = True
            if self.under_way:
                _done, late = await asyncio.wait(set(self.under_way), timeout=within_s)
                await _ended(*late)

    server, taken = Server(), []

    async def client():
        for number in range(4):
            if server.submit(number):
                taken.append(number)
            await asyncio.sleep(random.uniform(0, 0.01))

    async def stop():
        await asyncio.sleep(random.uniform(0, 0.03))
        await server.drain(within_s=30)

    try:
        await asyncio.gather(client(), client(), stop())
    finally:
        await _ended(*server.under_way)
    assert sorted(server.answered) == sorted(taken)
    assert not server.under_way


async def a_stop_that_is_told_by_an_event():
    stopping, ticks = asyncio.Event(), []

    async def tick():
        while not stopping.is_set():
            ticks.append(asyncio.get_running_loop().time())
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=0.01)

    ticking = [asyncio.create_task(tick()) for _ in range(2)]
    try:
        await asyncio.sleep(random.uniform(0.02, 0.05))
    finally:
        stopping.set()
        await asyncio.wait(ticking)
    assert len(ticks) >= 2


async def parts_that_are_closed_in_reverse():
    class Phase(Enum):
        NEW = auto()
        OPEN = auto()
        CLOSED = auto()

    class Part:
        def __init__(self, name, below=None):
            self.name, self.below, self.phase = name, below, Phase.NEW

        async def __aenter__(self):
            await asyncio.sleep(random.uniform(0, 0.01))
            self.phase = Phase.OPEN
            return self

        async def __aexit__(self, *error):
            assert self.below is None or self.below.phase is Phase.OPEN
            self.phase = Phase.CLOSED
            closed.append(self.name)

    closed: list[str] = []
    database = Part("database")
    cache = Part("cache", database)
    web = Part("web", cache)
    async with database, cache, web:
        await asyncio.gather(*(asyncio.sleep(random.uniform(0, 0.01)) for _ in range(2)))
        assert web.phase is Phase.OPEN
    assert closed == ["web", "cache", "database"]


async def tasks_in_the_background_that_are_kept():
    """A registry holds its tasks, so that none is forgotten, and tells of errors."""

    class Background:
        def __init__(self):
            self.tasks, self.errors = set(), []

        def start(self, coroutine):
            task = asyncio.create_task(coroutine)
            self.tasks.add(task)
            task.add_done_callback(self.ended)

        def ended(self, task):
            self.tasks.discard(task)
            if not task.cancelled() and task.exception() is not None:
                self.errors.append(task.exception())

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_error):
            while self.tasks:
                await _ended(*self.tasks)

    async def mail(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        if number == 2:
            raise ConnectionError("no server")
        sent.append(number)

    sent: list[int] = []
    async with Background() as background:
        for number in range(4):
            background.start(mail(number))
        while background.tasks:
            await asyncio.wait(set(background.tasks))
    assert sorted(sent) == [0, 1, 3]
    assert [str(one) for one in background.errors] == ["no server"]


async def a_connection_that_comes_back():
    """Readers wait while the link is down; one task alone makes it anew."""

    class Link:
        def __init__(self):
            self.up, self.lost, self.dials = asyncio.Event(), asyncio.Event(), 0
            self.lost.set()

        async def keep(self):
            while True:
                await self.lost.wait()
                self.lost.clear()
                await asyncio.sleep(random.uniform(0, 0.01))
                self.dials += 1
                self.up.set()

        def drop(self):
            self.up.clear()
            self.lost.set()

        async def read(self):
            while True:
                await self.up.wait()
                await asyncio.sleep(random.uniform(0, 0.01))
                if self.up.is_set():
                    return "data"

    link = Link()

    async def break_it():
        await link.up.wait()
        await asyncio.sleep(random.uniform(0, 0.01))
        link.drop()

    keeping = asyncio.create_task(link.keep())
    try:
        async with asyncio.timeout(60):
            results = await asyncio.gather(link.read(), break_it(), link.read())
    finally:
        await _ended(keeping)
    assert list(results) == ["data", None, "data"]
    assert 1 <= link.dials <= 2


async def a_child_whose_error_reaches_the_parent():
    """A nursery by hand: the first error stops the others, and is raised again."""

    class Nursery:
        def __init__(self):
            self.children: list[asyncio.Task[None]] = []

        async def __aenter__(self):
            return self

        async def __aexit__(self, kind, error, trace):
            if error is None:
                await asyncio.wait(self.children, return_when=asyncio.FIRST_EXCEPTION)
            await _ended(*self.children)
            for child in self.children:
                if not child.cancelled() and child.exception() is not None:
                    raise there(child.exception())

        def start(self, coroutine):
            self.children.append(asyncio.create_task(coroutine))

    async def fail():
        await asyncio.sleep(random.uniform(0, 0.01))
        raise LookupError("nothing here")

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    stopped: list[bool] = []
    found = None
    try:
        async with Nursery() as nursery:
            nursery.start(wait())
            nursery.start(fail())
            await asyncio.sleep(0)
    except LookupError as error:
        found = error
    assert str(found) == "nothing here"
    assert stopped == [True]


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and not one.__name__.startswith("_")
]
