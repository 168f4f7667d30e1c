"""What can be said of a callback: whether it is asyncio's own, and what it is in one line."""

from __future__ import annotations

import reprlib
from functools import partial
from typing import Any

__all__ = ["PLUMBING", "described", "is_plumbing"]

# The lane of callbacks that are asyncio's own (the end of a gather, a future's chain). They run
# as soon as all that became ready before them has: no program can tell a difference, and to
# permute them would only make many schedules of one.
PLUMBING = -1


def is_plumbing(callback: Any) -> bool:
    """Return True for a callback that is asyncio's own.

    From CPython 3.14 on that may be a ``partial`` of a private function. One of a public function
    is the program's.
    """
    if type(callback) is partial:
        callback = callback.func
        if not getattr(callback, "__name__", "").startswith("_"):
            return False
    return str(getattr(callback, "__module__", "")).startswith("asyncio")


def described(call: tuple[Any, ...] | None) -> str:
    """Describe a callback with its arguments in one line."""
    if call is None:
        return "cancelled"
    return f"{call[0]!r}({', '.join(map(reprlib.repr, call[1:]))})"
