"""What can be said of a callback: whether it is asyncio's own, and what it is in one line."""

from __future__ import annotations

import reprlib
from functools import partial
from typing import Any

__all__ = ["PLUMBING", "described", "is_plumbing", "only_forgets"]

# The lane of callbacks that are asyncio's own (the end of a gather, a future's chain). They run
# as soon as all that became ready before them has: no program can tell a difference, and to
# permute them would only make many schedules of one.
PLUMBING = -1


# Nothing here is a callback of asyncio's own: a program has asked for ``event.set`` or the like. A
# ledger of locks puts functions of its own for these, and a run is to be the same with it.
_OF_PROGRAMS = frozenset({"asyncio.locks", "asyncio.queues"})

# What CPython 3.14 calls at the end of a gather, and of a shield, to drop a note of its call graph.
_FORGETTING = frozenset({"_discard_awaited_by", "_clear_awaited_by_callback"})


def is_plumbing(callback: Any) -> bool:
    """Return True for a callback that is asyncio's own.

    Any other partial is a step, those of ``wait_for`` on CPython 3.11 too: tokens count steps.
    """
    return only_forgets(callback) if type(callback) is partial else _is_of_asyncio(callback)


def only_forgets(callback: Any) -> bool:
    """Return True for what makes nothing ready, and touches asyncio's call graph only."""
    function = callback.func if type(callback) is partial else callback
    return getattr(function, "__name__", "") in _FORGETTING and _is_of_asyncio(function)


def _is_of_asyncio(function: Any) -> bool:
    module = str(getattr(function, "__module__", ""))
    return module.startswith("asyncio") and module not in _OF_PROGRAMS


def described(call: tuple[Any, ...] | None) -> str:
    """Describe a callback with its arguments in one line."""
    if call is None:
        return "cancelled"
    return f"{call[0]!r}({', '.join(map(reprlib.repr, call[1:]))})"
