"""Claims about the ledger of signals: it does what asyncio does, and sees who waits since when."""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
from contextlib import nullcontext

import pytest

from harness.diagnosis.await_chain import frames_of
from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.places import place_of
from harness.diagnosis.signals import signal_ledger


@pytest.fixture
def event_wait():
    """Return the text of what the ledger has in place of ``Event.wait``."""
    tree = ast.parse(inspect.getsource(signal_ledger))
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    (maker,) = (one for one in functions if one.name == "_event_wait")
    (wait,) = (one for one in maker.body if isinstance(one, ast.AsyncFunctionDef))
    return wait


def body_of(function):
    """Return the statements of an asynchronous function, its docstring among them."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(found, ast.AsyncFunctionDef)
    return found.body


def test_a_wait_for_an_event_is_asyncios_own_line_by_line(event_wait):
    theirs = body_of(asyncio.Event.wait)[-3:]
    ours = event_wait.body[-3:]
    assert [ast.unparse(one) for one in ours] == [ast.unparse(one) for one in theirs]


def test_asyncios_own_wait_does_nothing_else_but_return_at_once_where_the_event_is_set():
    first = [one for one in body_of(asyncio.Event.wait)[:-3] if not isinstance(one, ast.Expr)]
    assert [ast.unparse(one) for one in first] == ["if self._value:\n    return True"]


async def test_it_knows_since_when_a_task_waits():
    event, condition = asyncio.Event(), asyncio.Condition()
    loop = asyncio.get_running_loop()

    async def for_condition():
        async with condition:
            await condition.wait()

    with LockLedger() as ledger:
        begin_s = loop.time()
        first = asyncio.create_task(event.wait())
        second = asyncio.create_task(for_condition())
        other = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        waits = [ledger.signals.waiting(task) for task in (first, second)]
        assert ledger.signals.waiting(other) is None
        assert None not in waits
        orders = [one.order for one in waits if one is not None]
        assert orders == sorted(orders)
        assert all(begin_s <= one.at_s <= loop.time() for one in waits if one is not None)
        event.set()
        async with condition:
            condition.notify()
        assert await first is True
        await second
        assert [ledger.signals.waiting(task) for task in (first, second)] == [None, None]
        other.cancel()


async def test_a_cancelled_wait_leaves_no_waiter():
    event = asyncio.Event()
    with LockLedger():
        task = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        assert "waiters:1" in repr(event)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert "waiters" not in repr(event)


async def test_who_waits_for_an_event_stands_where_asyncios_own_wait_does():
    places = []
    for opened in (nullcontext(), LockLedger()):
        with opened:
            waiter = asyncio.create_task(asyncio.Event().wait())
            await asyncio.sleep(0)
            (frame,) = frames_of(waiter)
            places.append(place_of(frame.f_code, frame.f_lineno))
            waiter.cancel()
    assert places[0] == places[1]
    assert places[0].endswith(" in Event.wait")
