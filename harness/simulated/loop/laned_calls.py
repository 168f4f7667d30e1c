"""The ``call_soon`` of an exploring loop: it notes the lane that each callback belongs to."""

from __future__ import annotations

from contextvars import copy_context
from types import FunctionType
from typing import TYPE_CHECKING, Any

from harness.simulated.loop.handles import ReadyHandle
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

__all__ = ["PLUMBING", "is_plumbing", "laned_call_soon"]

# The lane of callbacks that are asyncio's own (the end of a gather, a future's chain). They run
# as soon as all that became ready before them has: no program can tell a difference, and to
# permute them would only make many schedules of one.
PLUMBING = -1


def is_plumbing(callback: Any) -> bool:
    """Return True for a callback that is asyncio's own."""
    return str(getattr(callback, "__module__", "")).startswith("asyncio")


def laned_call_soon(ready: Any) -> Callable[..., ReadyHandle]:
    """Make ``call_soon`` of an exploring loop, which adds to ``ready``: every handle has its lane.

    ``_speedups.pyx`` does the same, compiled.
    """
    append = ready.append
    new = ReadyHandle.__new__
    handle_class = ReadyHandle
    in_python = FunctionType
    number = TASK_NUMBER

    def call_soon(*call: Any, context: Context | None = None) -> ReadyHandle:
        handle = new(handle_class)
        handle.call = call
        if context is None:
            context = copy_context()
        handle.context = context
        # A task's step is not written in Python: to ask for its module costs more than all else.
        if type(call[0]) is in_python and is_plumbing(call[0]):
            handle.lane = PLUMBING
        else:
            handle.lane = context.get(number, 0)
        append(handle)
        return handle

    return call_soon
