"""Correct programs with contexts: variables of a task, managers, generators, groups in groups."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar, copy_context

__all__ = ["PROGRAMS"]

_REQUEST: ContextVar[str] = ContextVar("_REQUEST", default="nobody's")


async def a_number_for_each_request():
    lines = []

    async def log(text):
        await asyncio.sleep(random.uniform(0, 0.005))
        lines.append((_REQUEST.get(), text))

    async def handle(number):
        _REQUEST.set(f"request {number}")
        await log("begins")
        await asyncio.gather(log("reads"), log("writes"))
        await log("ends")

    await asyncio.gather(*(asyncio.create_task(handle(number)) for number in range(3)))
    for number in range(3):
        mine = [text for request, text in lines if request == f"request {number}"]
        assert (mine[0], mine[-1], len(mine)) == ("begins", "ends", 4)
    assert _REQUEST.get() == "nobody's"


async def a_variable_that_is_set_back():
    @contextmanager
    def acting_as(user):
        token = _REQUEST.set(user)
        try:
            yield
        finally:
            _REQUEST.reset(token)

    async def work(user):
        with acting_as(user):
            await asyncio.sleep(random.uniform(0, 0.01))
            with acting_as("root"):
                await asyncio.sleep(random.uniform(0, 0.01))
                assert _REQUEST.get() == "root"
            assert _REQUEST.get() == user
        return _REQUEST.get()

    found = await asyncio.gather(work("ann"), work("bob"))
    assert list(found) == ["nobody's"] * 2


async def a_callback_in_a_context_of_its_own():
    loop, seen = asyncio.get_running_loop(), asyncio.Queue()

    def call():
        seen.put_nowait(_REQUEST.get())

    for name in "abc":
        context = copy_context()
        context.run(_REQUEST.set, name)
        loop.call_later(random.uniform(0, 0.01), call, context=context)
    loop.call_soon(call)
    found = [await seen.get() for _ in range(4)]
    assert sorted(found) == ["a", "b", "c", "nobody's"]


async def a_transaction_as_a_context():
    """Rolled back on any error, a cancellation included; committed otherwise."""

    class Database:
        def __init__(self):
            self.rows, self.lock = {}, asyncio.Lock()

        @asynccontextmanager
        async def transaction(self):
            async with self.lock:
                changed = dict(self.rows)
                yield changed
                self.rows = changed

    database = Database()

    async def transfer(amount, fails):
        async with database.transaction() as rows:
            rows["a"] = rows.get("a", 0) - amount
            await asyncio.sleep(random.uniform(0, 0.01))
            if fails:
                raise ValueError("no such account")
            rows["b"] = rows.get("b", 0) + amount

    found = await asyncio.gather(
        transfer(1, fails=False), transfer(2, fails=True), transfer(4, fails=False),
        return_exceptions=True,
    )  # fmt: skip
    assert [isinstance(one, ValueError) for one in found] == [False, True, False]
    assert database.rows == {"a": -5, "b": 5}


async def pages_that_are_asked_for_as_they_are_needed():
    asked = []

    async def page(number):
        asked.append(number)
        await asyncio.sleep(random.uniform(0, 0.01))
        rows = list(range(number * 3, min(number * 3 + 3, 8)))
        return rows, number + 1 if len(rows) == 3 else None

    async def all_rows():
        number = 0
        while number is not None:
            rows, number = await page(number)
            for row in rows:
                yield row

    async def first_over(limit):
        async with aclosing(all_rows()) as rows:
            async for row in rows:
                if row > limit:
                    return row
        return None

    assert await first_over(3) == 4
    assert asked == [0, 1]
    assert [row async for row in all_rows()] == list(range(8))


async def the_next_page_while_this_one_is_read():
    async def page(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        return [number * 2, number * 2 + 1] if number < 3 else []

    async def rows():
        coming = asyncio.create_task(page(0))
        try:
            number = 0
            while found := await coming:
                number += 1
                coming = asyncio.create_task(page(number))
                for row in found:
                    yield row
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def read(most):
        got = []
        async with aclosing(rows()) as stream:
            async for row in stream:
                got.append(row)
                await asyncio.sleep(random.uniform(0, 0.01))
                if len(got) == most:
                    break
        return got

    assert list(await asyncio.gather(read(3), read(99))) == [[0, 1, 2], [0, 1, 2, 3, 4, 5]]


async def generators_in_generators():
    open_now = set()

    async def ticks(name):
        open_now.add(name)
        try:
            for number in range(6):
                await asyncio.sleep(random.uniform(0, 0.005))
                yield number
        finally:
            open_now.discard(name)

    async def even(name):
        async with aclosing(ticks(name)) as stream:
            async for number in stream:
                if number % 2 == 0:
                    yield number

    async def take(count, name):
        got = []
        async with aclosing(even(name)) as stream:
            async for number in stream:
                got.append(number)
                if len(got) == count:
                    return got
        return got

    assert list(await asyncio.gather(take(2, "a"), take(9, "b"))) == [[0, 2], [0, 2, 4]]
    assert not open_now


async def a_generator_that_is_sent_to():
    """A running mean, driven by asend()."""

    async def mean():
        total, count, found = 0.0, 0, None
        while True:
            value = yield found
            await asyncio.sleep(random.uniform(0, 0.005))
            total, count = total + value, count + 1
            found = total / count

    async def drive(*values):
        async with aclosing(mean()) as running:
            await running.asend(None)
            return [await running.asend(value) for value in values][-1]

    assert list(await asyncio.gather(drive(2, 4, 6), drive(1, 2))) == [4.0, 1.5]


async def groups_within_a_group():
    done = []

    async def leaf(name):
        await asyncio.sleep(random.uniform(0, 0.01))
        done.append(name)

    async def branch(name):
        async with asyncio.TaskGroup() as group:
            for number in range(2):
                group.create_task(leaf(f"{name}{number}"))
        done.append(name)

    async with asyncio.TaskGroup() as trunk:
        for name in "ab":
            trunk.create_task(branch(name))
    assert sorted(done) == ["a", "a0", "a1", "b", "b0", "b1"]
    assert all(done.index(leaf) < done.index(leaf[0]) for leaf in ("a0", "a1", "b0", "b1"))


async def errors_of_several_kinds():
    async def fail(error):
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            # Who is stopped by a sibling's error tells its own one as well.
            if error is not None:
                raise error

    caught = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("a")))
            group.create_task(fail(KeyError("b")))
            group.create_task(fail(None))
    except* ValueError as errors:
        caught += errors.exceptions
    except* KeyError as errors:
        caught += errors.exceptions
    assert sorted(type(one).__name__ for one in caught) == ["KeyError", "ValueError"]


async def things_that_are_opened_side_by_side():
    """All are closed again, those too that were opened when another one failed."""
    opened = set()

    @asynccontextmanager
    async def connection(name):
        await asyncio.sleep(random.uniform(0, 0.01))
        if name == "bad":
            raise ConnectionRefusedError(name)
        opened.add(name)
        try:
            yield name
        finally:
            opened.discard(name)

    async def use(*names):
        async with AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(connection(name))
            await asyncio.sleep(random.uniform(0, 0.01))
            return sorted(opened & set(names))

    found = await asyncio.gather(use("a", "b"), use("c", "bad", "d"), return_exceptions=True)
    assert found[0] == ["a", "b"]
    assert isinstance(found[1], ConnectionRefusedError)
    assert not opened


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
