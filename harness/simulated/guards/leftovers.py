"""The end of coroutines that are left when a simulated run is over."""

from __future__ import annotations

import ctypes
import inspect
from asyncio import events
from contextlib import suppress
from types import CoroutineType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

__all__ = ["end_leftover"]


def end_leftover(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """Close the coroutine of a task that did not end when it was cancelled, inside its loop.

    One that does not end for that either would spin for ever once Python destroys it without a
    loop, at exit at the latest: ``while True`` round a ``try`` that takes everything. So it never
    is destroyed.
    """
    chain = _chain(task)
    before = events._get_running_loop()
    events._set_running_loop(loop)
    try:
        # The innermost first: else the refusal of a coroutine is an error in its awaiter.
        ended = all(_closed(coroutine) for coroutine in reversed(chain))
    finally:
        events._set_running_loop(before)
    if not ended:
        # A list of ours would be cleared at exit, and they with it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(chain[0]))


def _chain(task: asyncio.Task[Any]) -> list[CoroutineType[Any, Any, Any]]:
    """List the task's coroutine, the one that it awaits, and so on."""
    chain = []
    awaited: Any = task.get_coro()
    while isinstance(awaited, CoroutineType):
        chain.append(awaited)
        awaited = awaited.cr_await
    return chain


def _closed(coroutine: CoroutineType[Any, Any, Any]) -> bool:
    # The run is over and reported: there is no place left for an error.
    with suppress(Exception, SystemExit):
        coroutine.close()
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
