"""The operations of the core that are fast in plain Python and in C only if each has its own form.

These are the plain ones, and they say what each does. The compiled core has those of the same names
from ``primitives.pxd``, and never this file: there they are C functions.
"""

from __future__ import annotations

from array import array
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context, ContextVar

__all__ = [
    "COMPILED", "called", "called_with", "made", "note_moment", "note_step", "pop", "push", "run",
    "run_noted", "spread",
]  # fmt: skip

_Made = TypeVar("_Made")

# True in C. What it guards is a call in C that plain Python writes out, where a call a step costs
# too much: such a function has a type here, and no body.
COMPILED = False

# The queue of events is a heap: ``push(heap, entry)`` and ``pop(heap)``.
push = heappush
pop = heappop

# A trace's arrays: ``note_step(steps, number)`` and ``note_moment(wakes, entry)``.
note_step = array.append
note_moment = array.append


def spread(take: Callable[[tuple[Any, ...], Context | None], Any]) -> Callable[..., Any]:
    """Make a ``call_soon`` that hands a callback with its arguments to ``take`` as one tuple."""

    def call_soon(*call: Any, context: Context | None = None) -> Any:
        if not call:
            raise TypeError("call_soon() missing 1 required positional argument: 'callback'")
        return take(call, context)

    return call_soon


if TYPE_CHECKING:

    def called(method: Callable[[], _Made]) -> _Made:
        """Call a method of a deque: ``method()``."""

    def called_with(method: Callable[[_Made], None], argument: _Made) -> None:
        """Call a method of a deque: ``method(argument)``."""

    def made(kind: type[_Made], names: dict[str, Any]) -> _Made:
        """Make an object: ``kind(**names)``."""

    def run(context: Context, call: tuple[Any, ...]) -> None:
        """Run a callback in its context: ``context.run(*call)``."""

    def run_noted(
        context: Context, call: tuple[Any, ...], steps: array[int], variable: ContextVar[int]
    ) -> None:
        """Note the number that ``variable`` has in the context as a step, and run a callback."""
