"""Rarer operations of random programs: timers, handles, callbacks, what operators do."""

from __future__ import annotations

import asyncio
import collections
import contextlib

from harness.simulated.loop.virtual_loop import running_virtual_loop
from tests.there import there

__all__ = ["OPERATIONS", "Rarer"]


class Account:
    """Reads and writes itself behind operators, a property and a context manager."""

    def __init__(self):
        self.total = 0

    def __iadd__(self, other):
        self.total += other
        return self

    def __getitem__(self, factor):
        return self.total * factor

    def __bool__(self):
        return self.total > 1

    def __str__(self):
        return f"{self.total} in all"

    def __call__(self, more):
        self.total = self.total * 2 + more

    def __enter__(self):
        self.total += 1

    def __exit__(self, *error):
        self.total *= 2

    @property
    def doubled(self):
        return 2 * self.total

    @doubled.setter
    def doubled(self, more):
        self.total += more


def counting():
    """Yield what it has come to, and go on by what it is sent."""
    total = 0
    while True:
        total = 2 * total + ((yield total) or 1)


class Rarer:
    """What the tasks of one run share for these operations."""

    def __init__(self):
        self.account = Account()
        self.generator = counting()
        next(self.generator)
        self.deque = collections.deque([1, 2])
        self.lists = collections.defaultdict(list)
        self.counter = collections.Counter()
        self.numbers = [3, 1, 2]
        self.handles = []
        self.condition = asyncio.Condition()
        self.barrier = asyncio.Barrier(2)

    def seen(self):
        """Tell all that there is to see."""
        return repr(
            (self.account.total, self.deque, self.lists, sorted(self.counter.items()), self.numbers)
        )


async def soon(shared, mine):
    loop = asyncio.get_running_loop()
    shared.rarer.handles.append(loop.call_soon(shared.items.append, mine))
    await asyncio.sleep(0)


async def later(shared, mine):
    loop = asyncio.get_running_loop()
    shared.rarer.handles.append(loop.call_later(mine / 10, shared.items.append, -mine))
    await asyncio.sleep(0.1)


async def cancel_handle(shared, mine):
    if shared.rarer.handles:
        shared.rarer.handles[-1].cancel()
    await asyncio.sleep(0)


async def read_clock(shared, mine):
    shared.log["clock", mine] = asyncio.get_running_loop().time()
    await asyncio.sleep(mine / 10)


async def give_up(shared, mine):
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(mine / 10):
            await shared.event.wait()
            shared.items.append(mine)


async def wait_a_little(shared, mine):
    with contextlib.suppress(TimeoutError):
        shared.log["waited", mine] = await asyncio.wait_for(shared.queue.get(), 0.1)


async def wait_notified(shared, mine):
    async with shared.rarer.condition:
        await shared.rarer.condition.wait()
        shared.items.append(mine)


async def notify(shared, mine):
    async with shared.rarer.condition:
        shared.rarer.condition.notify(mine)
    await asyncio.sleep(0)


async def meet(shared, mine):
    shared.log["place", mine] = await shared.rarer.barrier.wait()


async def when_done(shared, mine):
    if shared.tasks:
        shared.tasks[0].add_done_callback(lambda _: shared.items.append(mine))
    shared.future.add_done_callback(shared.rarer.deque.append)
    await asyncio.sleep(0)
    shared.future.remove_done_callback(shared.rarer.deque.append)


async def count_tasks(shared, mine):
    shared.log["tasks", mine] = len(asyncio.all_tasks())
    await asyncio.sleep(0)


async def survive(shared, mine):
    try:
        await shared.event.wait()
    except asyncio.CancelledError:
        there(asyncio.current_task()).uncancel()
        shared.items.append(mine)
        await asyncio.sleep(0)


async def pulse(shared, mine):
    shared.event.set()
    if mine:
        shared.event.clear()
    await asyncio.sleep(0)


async def operate(shared, mine):
    shared.rarer.account += mine
    await asyncio.sleep(0)
    shared.rarer.account(mine)


async def assign(shared, mine):
    shared.rarer.account.doubled = mine
    with shared.rarer.account:
        await asyncio.sleep(0)


async def look(shared, mine):
    account = shared.rarer.account
    shared.log["look", mine] = f"{account} {account[2]} {bool(account)} {account.doubled}"
    await asyncio.sleep(0)


async def send(shared, mine):
    shared.log["sent", mine] = shared.rarer.generator.send(mine)
    await asyncio.sleep(0)


async def fill(shared, mine):
    shared.rarer.deque.rotate(mine)
    shared.rarer.lists["a"].append(mine)
    shared.rarer.counter.update("ab")
    await asyncio.sleep(0)


async def empty(shared, mine):
    if shared.rarer.deque and mine:
        shared.log["left", mine] = shared.rarer.deque.popleft()
    shared.log["listed", mine] = len(shared.rarer.lists["a"]), shared.rarer.counter["a"]
    await asyncio.sleep(0)


async def arrange(shared, mine):
    shared.rarer.numbers[mine : mine + 1] = [mine, mine]
    await asyncio.sleep(0)
    shared.rarer.numbers.sort(key=lambda one: one * mine % 3)


async def unpack(shared, mine):
    first, *others = shared.rarer.numbers
    shared.log["unpacked", mine] = first, sum(one for one in others)
    await asyncio.sleep(0)


async def ask_outside(shared, mine):
    loop = running_virtual_loop()

    def answer(environment):
        yield environment.timeout(0.1)
        shared.value += mine

    asked = loop.future_of(loop.environment.process(answer(loop.environment)))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asked), 0.1)
        shared.items.append(mine)


OPERATIONS = (
    soon, later, cancel_handle, read_clock, give_up, wait_a_little, wait_notified, notify, meet,
    when_done, count_tasks, survive, pulse, operate, assign, look, send, fill, empty, arrange,
    unpack, ask_outside,
)  # fmt: skip
