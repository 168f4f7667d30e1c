"""Correct programs in which the time counts: schedules, deadlines, delays that are put off."""

from __future__ import annotations

import asyncio
import heapq
import inspect
import itertools
import random
from contextvars import ContextVar
from functools import partial

__all__ = ["PROGRAMS"]


async def a_call_that_waits_until_it_is_quiet():
    """Debounced: only the last of many calls is made, once nothing came for a while."""

    class Debounced:
        def __init__(self, call, quiet_s):
            self.call, self.quiet_s, self.timer = call, quiet_s, None

        def __call__(self, value):
            self.cancel()
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(self.quiet_s, self.call, value)

        def cancel(self):
            if self.timer is not None:
                self.timer.cancel()

    saved = []
    save = Debounced(saved.append, quiet_s=5)

    async def write():
        for number in range(4):
            save(number)
            await asyncio.sleep(random.uniform(0, 1))
        await asyncio.sleep(10)

    try:
        await write()
    finally:
        save.cancel()
    assert saved == [3]


async def a_call_that_is_made_at_most_so_often():
    """Throttled: at once, and then at most every five seconds; the last value is not lost."""
    loop, shown = asyncio.get_running_loop(), []

    class Throttled:
        def __init__(self):
            self.free_s, self.timer, self.value = 0.0, None, None

        def show(self, value):
            self.value = value
            if self.timer is None:
                self.timer = loop.call_at(max(loop.time(), self.free_s), self.paint)

        def paint(self):
            self.timer, self.free_s = None, loop.time() + 5
            shown.append((loop.time(), self.value))

        def stop(self):
            if self.timer is not None:
                self.timer.cancel()

    screen = Throttled()
    try:
        for number in range(6):
            screen.show(number)
            await asyncio.sleep(random.uniform(0, 3))
        await asyncio.sleep(10)
    finally:
        screen.stop()
    assert shown[-1][1] == 5
    assert all(later - earlier > 4.9 for (earlier, _), (later, _) in itertools.pairwise(shown))


async def jobs_in_the_order_of_their_times():
    """A scheduler with a heap: a job that is due sooner wakes it from its sleep."""

    class Scheduler:
        def __init__(self):
            self.heap, self.number, self.changed = [], itertools.count(), asyncio.Event()

        def at(self, when_s, job):
            heapq.heappush(self.heap, (when_s, next(self.number), job))
            self.changed.set()

        async def run(self):
            loop = asyncio.get_running_loop()
            while True:
                self.changed.clear()
                if not self.heap:
                    await self.changed.wait()
                    continue
                when_s = self.heap[0][0]
                if when_s <= loop.time():
                    heapq.heappop(self.heap)[2]()
                    continue
                try:
                    async with asyncio.timeout_at(when_s):
                        await self.changed.wait()
                except TimeoutError:
                    pass

    scheduler, done = Scheduler(), asyncio.Queue()
    start_s = asyncio.get_running_loop().time()

    async def plan(name, after_s):
        await asyncio.sleep(random.uniform(0, 0.01))
        scheduler.at(start_s + after_s, partial(done.put_nowait, name))

    running = asyncio.create_task(scheduler.run())
    try:
        async with asyncio.timeout(300):
            await asyncio.gather(plan("late", 30), plan("soon", 10), plan("later", 50))
            names = [await done.get() for _ in range(3)]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert names == ["soon", "late", "later"]


async def a_clock_that_does_not_drift():
    loop, ticks = asyncio.get_running_loop(), []

    async def tick(every_s, times):
        begin_s = loop.time()
        for number in range(1, times + 1):
            await asyncio.sleep(max(0, begin_s + number * every_s - loop.time()))
            ticks.append(loop.time() - begin_s)
            await asyncio.sleep(random.uniform(0, every_s / 2))

    async with asyncio.TaskGroup() as group:
        group.create_task(tick(10, 4))
        group.create_task(tick(7, 4))
    assert len(ticks) == 8
    assert max(ticks) < 42


_LEFT: ContextVar[float] = ContextVar("_LEFT")


async def a_deadline_that_is_handed_down():
    """Each call has what is left of the caller's time, through a context variable."""
    loop, outcomes = asyncio.get_running_loop(), []

    async def call(name, takes_s):
        async with asyncio.timeout_at(_LEFT.get()):
            await asyncio.sleep(takes_s)
            outcomes.append(name)

    async def request(name, within_s):
        token = _LEFT.set(loop.time() + within_s)
        try:
            await call(f"{name} first", random.uniform(1, 2))
            await call(f"{name} second", random.uniform(1, 2))
        except TimeoutError:
            outcomes.append(f"{name} late")
        finally:
            _LEFT.reset(token)

    await asyncio.gather(request("short", 2.0), request("long", 60))
    assert "short late" in outcomes
    assert {"long first", "long second"} <= set(outcomes)


async def a_time_limit_that_is_moved():
    """As long as parts arrive, the limit moves on; when nothing comes, it strikes."""
    parts = asyncio.Queue()

    async def send():
        for number in range(4):
            parts.put_nowait(number)
            await asyncio.sleep(random.uniform(1, 3))

    async def receive():
        loop, got = asyncio.get_running_loop(), []
        try:
            async with asyncio.timeout(10) as limit:
                while True:
                    got.append(await parts.get())
                    limit.reschedule(loop.time() + 10)
        except TimeoutError:
            return got

    got, _ = await asyncio.gather(receive(), send())
    assert got == [0, 1, 2, 3]


async def a_limit_within_a_limit():
    async def inner():
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(random.uniform(20, 30))
        except TimeoutError:
            return "inner"
        return "none"

    async def outer():
        try:
            async with asyncio.timeout(60):
                first = await inner()
                async with asyncio.timeout(5):
                    await asyncio.sleep(random.uniform(0, 0.01))
                return first, "in time"
        except TimeoutError:
            return "outer", ""

    assert list(await asyncio.gather(outer(), outer())) == [("inner", "in time")] * 2


async def pauses_that_grow_and_vary():
    attempts, pauses = [], []

    async def unsteady(name):
        await asyncio.sleep(random.uniform(0, 0.01))
        attempts.append(name)
        if attempts.count(name) < 4:
            raise ConnectionResetError(name)
        return name

    async def call(name):
        longest_s = 0.1
        while True:
            try:
                return await unsteady(name)
            except ConnectionResetError:
                pauses.append(random.uniform(0, longest_s))
                await asyncio.sleep(pauses[-1])
                longest_s *= 2

    assert list(await asyncio.gather(call("a"), call("b"))) == ["a", "b"]
    assert len(pauses) == 6
    assert max(pauses) <= 0.4


async def retries_that_share_a_budget():
    """Of ten calls that fail, only three may be made again: else the retries are the load."""
    budget, calls = 3, 0

    async def failing():
        nonlocal calls
        calls += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        raise ConnectionError

    async def call():
        nonlocal budget
        while True:
            try:
                return await failing()
            except ConnectionError:
                if budget == 0:
                    return None
                budget -= 1

    await asyncio.gather(*(call() for _ in range(5)))
    assert calls == 8
    assert budget == 0


async def a_timer_that_can_be_stopped():
    class Timer:
        """Calls once, after a while; whoever stops it in time is told so."""

        def __init__(self, after_s, call):
            self.fired, self.task = False, asyncio.create_task(self.run(after_s, call))

        async def run(self, after_s, call):
            await asyncio.sleep(after_s)
            self.fired = True
            call()

        async def stop(self):
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            return not self.fired

    rung = []

    async def use(name):
        timer = Timer(random.uniform(0, 0.02), partial(rung.append, name))
        try:
            await asyncio.sleep(random.uniform(0, 0.02))
        finally:
            stopped = await timer.stop()
        assert stopped == (name not in rung)

    await asyncio.gather(*map(use, "abc"))


async def a_wheel_of_slots():
    """A timer wheel: many timeouts, one ticking task."""

    class Wheel:
        def __init__(self, slots):
            self.slots, self.now = [set() for _ in range(slots)], 0

        def after(self, ticks):
            future = asyncio.get_running_loop().create_future()
            slot = self.slots[(self.now + ticks) % len(self.slots)]
            slot.add(future)
            future.add_done_callback(slot.discard)
            return future

        async def turn(self):
            while True:
                await asyncio.sleep(0.1)
                self.now += 1
                for future in list(self.slots[self.now % len(self.slots)]):
                    if not future.done():
                        future.set_result(self.now)

    wheel = Wheel(8)
    turning = asyncio.create_task(wheel.turn())

    async def wait(ticks):
        await asyncio.sleep(random.uniform(0, 0.3))
        begin = wheel.now
        assert await wheel.after(ticks) == begin + ticks

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(wait(1), wait(5), wait(3))
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
    assert not any(wheel.slots)


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
