"""Correct programs with locks and signals of their own: latches, phases, channels, fair turns."""

from __future__ import annotations

import asyncio
import heapq
import inspect
import itertools
import random
from collections import deque
from contextlib import asynccontextmanager, contextmanager

__all__ = ["PROGRAMS"]


async def a_latch_that_is_counted_down():
    class Latch:
        def __init__(self, count):
            self.count, self.open = count, asyncio.Event()

        def down(self):
            self.count -= 1
            if self.count == 0:
                self.open.set()

    latch, ready = Latch(3), []

    async def prepare(name):
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
            ready.append(name)
        finally:
            latch.down()

    async def start():
        await latch.open.wait()
        return len(ready)

    started, *_ = await asyncio.gather(start(), *map(prepare, "abc"))
    assert started == 3


async def a_lock_for_the_most_urgent():
    class Urgent:
        """Who waits with the lowest number comes next."""

        def __init__(self):
            self.taken, self.heap, self.ticket = False, [], itertools.count()

        @asynccontextmanager
        async def turn(self, urgency):
            if self.taken:
                woken = asyncio.get_running_loop().create_future()
                heapq.heappush(self.heap, (urgency, next(self.ticket), woken))
                try:
                    await woken
                except asyncio.CancelledError:
                    if not woken.cancelled():
                        self.release()
                    raise
            self.taken = True
            try:
                yield
            finally:
                self.release()

        def release(self):
            """Hand the lock on: it stays taken meanwhile, so nobody slips in."""
            while self.heap:
                *_, woken = heapq.heappop(self.heap)
                if not woken.done():
                    woken.set_result(None)
                    return
            self.taken = False

    lock, served = Urgent(), []

    async def use(urgency):
        async with lock.turn(urgency):
            served.append(urgency)
            await asyncio.sleep(random.uniform(0.01, 0.02))

    async def all_of_them():
        async with lock.turn(0), asyncio.TaskGroup() as group:
            tasks = [group.create_task(use(urgency)) for urgency in (3, 1, 2)]
            while len(lock.heap) < 3 and not any(task.done() for task in tasks):
                await asyncio.sleep(0.01)
            served.append(0)
            lock.release()
            await asyncio.wait(tasks)
            lock.taken = True

    await all_of_them()
    assert served == [0, 1, 2, 3]


async def permits_of_different_weight():
    class Weighted:
        """A semaphore from which several permits are taken at once, first come, first served."""

        def __init__(self, permits):
            self.free, self.waiting = permits, deque()

        @asynccontextmanager
        async def taking(self, count):
            if self.waiting or self.free < count:
                entry = count, asyncio.get_running_loop().create_future()
                self.waiting.append(entry)
                try:
                    await entry[1]
                except asyncio.CancelledError:
                    if entry in self.waiting:
                        self.waiting.remove(entry)
                        self.wake()
                    else:
                        self.give_back(count)
                    raise
            else:
                self.free -= count
            try:
                yield
            finally:
                self.give_back(count)

        def give_back(self, count):
            self.free += count
            self.wake()

        def wake(self):
            while self.waiting and self.waiting[0][0] <= self.free:
                count, future = self.waiting.popleft()
                if not future.cancelled():
                    self.free -= count
                    future.set_result(None)

    memory, used = Weighted(4), 0

    async def work(size):
        nonlocal used
        async with memory.taking(size):
            used += size
            try:
                assert used <= 4
                await asyncio.sleep(random.uniform(0, 0.01))
            finally:
                used -= size

    await asyncio.gather(*map(work, (3, 2, 4, 1, 2)))
    assert memory.free == 4


async def phases_that_all_go_through_together():
    barrier, phase_of = asyncio.Barrier(3), dict.fromkeys("abc", 0)

    async def run(name):
        for phase in range(1, 4):
            await asyncio.sleep(random.uniform(0, 0.01))
            phase_of[name] = phase
            await barrier.wait()
            assert min(phase_of.values()) >= phase

    async with asyncio.TaskGroup() as group:
        for name in phase_of:
            group.create_task(run(name))
    assert set(phase_of.values()) == {3}


async def philosophers_who_take_the_lower_fork_first():
    forks, meals = [asyncio.Lock() for _ in range(3)], []

    async def dine(seat):
        low, high = sorted((seat, (seat + 1) % 3))
        for _ in range(2):
            async with forks[low]:
                await asyncio.sleep(random.uniform(0, 0.005))
                async with forks[high]:
                    meals.append(seat)
                    await asyncio.sleep(random.uniform(0, 0.005))

    await asyncio.gather(*map(dine, range(3)))
    assert sorted(meals) == [0, 0, 1, 1, 2, 2]
    assert not any(fork.locked() for fork in forks)


async def a_channel_without_a_buffer():
    """A sender waits until its item is taken; one that is cancelled takes its item back."""

    class Channel:
        def __init__(self):
            self.offers, self.takers = deque(), deque()

        async def send(self, item):
            while self.takers:
                taker = self.takers.popleft()
                if not taker.done():
                    taker.set_result(item)
                    return
            offer = item, asyncio.get_running_loop().create_future()
            self.offers.append(offer)
            try:
                await offer[1]
            finally:
                if offer in self.offers:
                    self.offers.remove(offer)

        async def receive(self):
            while self.offers:
                item, taken = self.offers.popleft()
                if not taken.done():
                    taken.set_result(None)
                    return item
            taker = asyncio.get_running_loop().create_future()
            self.takers.append(taker)
            try:
                return await taker
            finally:
                if taker in self.takers:
                    self.takers.remove(taker)

    channel, got = Channel(), []

    async def send(name):
        for number in range(2):
            await asyncio.sleep(random.uniform(0, 0.01))
            await channel.send((name, number))

    async def receive():
        for _ in range(2):
            got.append(await channel.receive())
            await asyncio.sleep(random.uniform(0, 0.01))

    await asyncio.gather(send("a"), receive(), send("b"), receive())
    assert len(set(got)) == 4
    assert not channel.offers
    assert not channel.takers


async def a_value_that_is_set_once():
    class Cell:
        def __init__(self):
            self.future = asyncio.get_running_loop().create_future()

        def set(self, value):
            if self.future.done():
                return False
            self.future.set_result(value)
            return True

        async def get(self):
            return await asyncio.shield(self.future)

    cell = Cell()

    async def write(value):
        await asyncio.sleep(random.uniform(0, 0.01))
        return cell.set(value)

    first, second, *read = await asyncio.gather(write(1), write(2), cell.get(), cell.get())
    assert [first, second].count(True) == 1
    assert read == [1 if first else 2] * 2


async def a_wait_for_either_of_two_events():
    one, two = asyncio.Event(), asyncio.Event()

    async def either(*events):
        tasks = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [event.is_set() for event in events]

    async def fire(event):
        await asyncio.sleep(random.uniform(0, 0.01))
        event.set()

    found, *_ = await asyncio.gather(either(one, two), fire(one), fire(two))
    assert any(found)


async def writers_before_readers():
    class Shared:
        """Readers together; as soon as a writer waits, no new reader enters."""

        def __init__(self):
            self.readers = self.writers_waiting = 0
            self.writing, self.moved = False, asyncio.Condition()

        @asynccontextmanager
        async def reading(self):
            async with self.moved:
                await self.moved.wait_for(lambda: not self.writing and not self.writers_waiting)
                self.readers += 1
            try:
                yield
            finally:
                await self.leave(readers=1)

        @asynccontextmanager
        async def for_writing(self):
            with self.one_more_waits():
                async with self.moved:
                    await self.moved.wait_for(lambda: not self.writing and not self.readers)
                    self.writing = True
            try:
                yield
            finally:
                await self.leave()

        @contextmanager
        def one_more_waits(self):
            self.writers_waiting += 1
            try:
                yield
            finally:
                self.writers_waiting -= 1

        async def leave(self, readers=0):
            """Leave; it is done to the end, whoever is cancelled meanwhile."""
            if readers:
                self.readers -= readers
            else:
                self.writing = False
            telling = asyncio.ensure_future(self.tell())
            await asyncio.shield(telling)

        async def tell(self):
            async with self.moved:
                self.moved.notify_all()

    shared, value = Shared(), 0

    async def read():
        async with shared.reading():
            seen = value
            await asyncio.sleep(random.uniform(0, 0.01))
            assert value == seen, "nobody writes meanwhile"

    async def write():
        nonlocal value
        async with shared.for_writing():
            seen = value
            await asyncio.sleep(random.uniform(0, 0.01))
            value = seen + 1

    await asyncio.gather(read(), write(), read(), write(), read())
    assert value == 2


async def two_who_exchange_what_they_have():
    class Exchanger:
        def __init__(self):
            self.first = None

        async def swap(self, mine):
            if self.first is not None and not self.first[1].done():
                (theirs, answer), self.first = self.first, None
                answer.set_result(mine)
                return theirs
            self.first = entry = mine, asyncio.get_running_loop().create_future()
            try:
                return await entry[1]
            finally:
                if self.first is entry:
                    self.first = None

    exchanger = Exchanger()

    async def bring(item):
        await asyncio.sleep(random.uniform(0, 0.01))
        return await exchanger.swap(item)

    got = await asyncio.gather(*map(bring, "abcd"))
    assert sorted(got) == list("abcd")
    assert all(got["abcd".index(theirs)] == mine for mine, theirs in zip("abcd", got, strict=True))


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
