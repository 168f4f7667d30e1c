"""Correct programs whose things have states: breakers, sagas, transactions, workflows."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["PROGRAMS"]


async def a_breaker_that_lets_one_try():
    """Open after two failures; after a while one call alone may try whether it works again."""

    class Breaker:
        def __init__(self):
            self.failures, self.open_until_s, self.trying = 0, 0.0, False

        @asynccontextmanager
        async def call(self):
            now = asyncio.get_running_loop().time()
            if self.failures >= 2 and (self.trying or now < self.open_until_s):
                raise PermissionError("open")
            probe = self.failures >= 2
            self.trying = self.trying or probe
            try:
                yield
            except ConnectionError:
                self.failures += 1
                self.open_until_s = asyncio.get_running_loop().time() + 10
                raise
            else:
                self.failures = 0
            finally:
                if probe:
                    self.trying = False

    breaker, works, outcomes = Breaker(), False, Counter()

    async def call():
        try:
            async with breaker.call():
                await asyncio.sleep(random.uniform(0, 0.01))
                if not works:
                    raise ConnectionError
        except (ConnectionError, PermissionError) as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["answered"] += 1

    await asyncio.gather(call(), call())
    await call()
    assert outcomes == {"ConnectionError": 2, "PermissionError": 1}
    works = True
    await asyncio.sleep(20)
    await asyncio.gather(call(), call(), call())
    assert outcomes["answered"] == 1
    await call()
    assert outcomes["answered"] == 2


async def a_saga_that_is_undone():
    """Steps with compensations: if one fails, those before it are undone, the last one first."""
    state = set()

    async def do(step):
        await asyncio.sleep(random.uniform(0, 0.01))
        if step == "fly" and random.random() < 0.5:
            raise LookupError("no seat")
        state.add(step)

    async def book(user):
        try:
            async with AsyncExitStack() as undo:
                for step in ("hotel", "car"):
                    undo.callback(state.discard, (user, step))
                    await do((user, step))
                await do("fly")
                state.discard("fly")
                undo.pop_all()
        except LookupError:
            return False
        return True

    went = dict(zip("abc", await asyncio.gather(*map(book, "abc")), strict=True))
    state.discard("fly")
    assert state == {(user, step) for user in "abc" if went[user] for step in ("hotel", "car")}


async def money_that_is_moved():
    """Two accounts are locked in one order, so that nobody waits in a circle; the sum stays."""

    @dataclass
    class Account:
        number: int
        balance: int = 100
        lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    accounts = [Account(number) for number in range(3)]

    async def move(source, target, amount):
        first, second = sorted((source, target), key=lambda one: one.number)
        async with first.lock, second.lock:
            if source.balance < amount:
                return False
            left = source.balance - amount
            await asyncio.sleep(random.uniform(0, 0.01))
            source.balance, target.balance = left, target.balance + amount
            return True

    a, b, c = accounts
    moves = [(a, b, 70), (b, c, 60), (c, a, 50), (a, c, 70)]
    await asyncio.gather(*(move(*one) for one in moves))
    assert sum(one.balance for one in accounts) == 300
    assert min(one.balance for one in accounts) >= 0


async def a_write_that_is_tried_until_nobody_came_between():
    """Optimistic: read with a version, write if the version is still the same."""
    value, version = 0, 0

    def store(new, seen):
        nonlocal value, version
        if version != seen:
            return False
        value, version = new, version + 1
        return True

    async def add(amount):
        while True:
            read, seen = value, version
            await asyncio.sleep(random.uniform(0, 0.01))
            if store(read + amount, seen):
                return

    async with asyncio.TaskGroup() as group:
        for amount in (1, 10, 100):
            group.create_task(add(amount))
    assert value == 111


async def a_vote_of_all_before_anything_is_done():
    """Two phases: all prepare, then all commit, or all let it be."""

    class Member:
        def __init__(self, agrees):
            self.agrees, self.state = agrees, "idle"

        async def prepare(self):
            await asyncio.sleep(random.uniform(0, 0.01))
            if not self.agrees:
                raise ValueError("I do not agree")
            self.state = "prepared"

        async def commit(self):
            await asyncio.sleep(random.uniform(0, 0.01))
            assert self.state == "prepared"
            self.state = "committed"

    async def decide(members):
        votes = [asyncio.create_task(one.prepare()) for one in members]
        try:
            await asyncio.gather(*votes)
        except ValueError:
            await asyncio.wait(votes)
            for one in members:
                one.state = "idle"
            return False
        finally:
            for vote in votes:
                vote.cancel()
            await asyncio.gather(*votes, return_exceptions=True)
        await asyncio.gather(*(one.commit() for one in members))
        return True

    all_agree, one_does_not = [Member(True), Member(True)], [Member(True), Member(False)]
    found = await asyncio.gather(decide(all_agree), decide(one_does_not))
    assert list(found) == [True, False]
    assert {one.state for one in all_agree} == {"committed"}
    assert {one.state for one in one_does_not} == {"idle"}


class _Light(Enum):
    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"


async def lights_that_change_in_turn():
    follows = {
        _Light.RED: _Light.GREEN,
        _Light.GREEN: _Light.YELLOW,
        _Light.YELLOW: _Light.RED,
    }
    light, changed, seen = _Light.RED, asyncio.Condition(), []

    async def change():
        nonlocal light
        for _ in range(6):
            await asyncio.sleep(random.uniform(0, 0.01))
            async with changed:
                light = follows[light]
                seen.append(light)
                changed.notify_all()

    async def drive():
        async with changed:
            await changed.wait_for(lambda: light is _Light.GREEN)
            assert light is _Light.GREEN

    await asyncio.gather(drive(), drive(), change())
    assert seen == [_Light.GREEN, _Light.YELLOW, _Light.RED] * 2


async def an_order_that_goes_its_way():
    """A workflow whose steps wait for each other by name."""

    class Workflow:
        def __init__(self, needs):
            self.needs, self.tasks, self.log = needs, {}, []

        async def step(self, name):
            for other in self.needs[name]:
                # Who is cancelled here must not cancel what others wait for, too.
                await asyncio.shield(self.tasks[other])
            await asyncio.sleep(random.uniform(0, 0.01))
            self.log.append(name)

        async def run(self):
            async with asyncio.TaskGroup() as group:
                for name in self.needs:
                    self.tasks[name] = group.create_task(self.step(name), name=name)

    flow = Workflow({"ship": ("pack", "pay"), "pay": ("order",), "pack": ("order",), "order": ()})
    await flow.run()
    assert flow.log[0] == "order"
    assert flow.log[-1] == "ship"
    assert len(flow.log) == 4


async def a_lift_that_calls_at_each_floor():
    class Lift:
        def __init__(self):
            self.floor, self.wanted, self.called = 0, set(), asyncio.Event()
            self.arrived = {floor: asyncio.Event() for floor in range(4)}

        async def run(self):
            while True:
                await self.called.wait()
                while self.wanted:
                    goal = min(self.wanted, key=lambda floor: (abs(floor - self.floor), floor))
                    await asyncio.sleep(abs(goal - self.floor) * 0.1)
                    self.floor = goal
                    self.wanted.discard(goal)
                    self.arrived[goal].set()
                self.called.clear()

        async def ride(self, floor):
            self.arrived[floor].clear()
            self.wanted.add(floor)
            self.called.set()
            await self.arrived[floor].wait()

    lift, reached = Lift(), []

    async def ride(floor):
        await asyncio.sleep(random.uniform(0, 0.3))
        await lift.ride(floor)
        reached.append(floor)

    running = asyncio.create_task(lift.run())
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(ride(3), ride(1), ride(2))
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert sorted(reached) == [1, 2, 3]


async def seats_that_are_held_for_a_while():
    """A seat that is not paid for in time is free again."""
    loop, holds, sold = asyncio.get_running_loop(), {}, {}

    def hold(seat, user):
        if seat in sold or seat in holds:
            return False
        holds[seat] = user, loop.call_later(60, holds.pop, seat, None)
        return True

    def pay(seat, user):
        if seat not in holds or holds[seat][0] != user:
            return False
        holds.pop(seat)[1].cancel()
        sold[seat] = user
        return True

    async def buy(user, thinks_s):
        while 1 not in sold:
            if hold(1, user):
                await asyncio.sleep(random.uniform(*thinks_s))
                if pay(1, user):
                    return user
            await asyncio.sleep(5)
        return None

    try:
        found = await asyncio.gather(buy("slow", (200, 300)), buy("quick", (1, 20)))
    finally:
        for _user, timer in holds.values():
            timer.cancel()
    assert list(found) == [None, "quick"]
    assert sold == {1: "quick"}


async def an_auction_that_ends():
    best, history, closed = 10, [10], asyncio.Event()

    async def bid(step):
        nonlocal best
        while not closed.is_set():
            mine = best + step
            await asyncio.sleep(random.uniform(0, 0.01))
            if mine > best and not closed.is_set():
                best = mine
                history.append(mine)

    async def auctioneer():
        try:
            await asyncio.sleep(0.05)
        finally:
            closed.set()

    await asyncio.gather(bid(1), bid(2), bid(5), auctioneer())
    assert history == sorted(set(history))
    assert best == history[-1]


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
