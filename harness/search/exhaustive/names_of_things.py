"""The numbers by which the things that a run touches are told apart, alike in every run."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.builtin_effects import CONTAINERS, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ThingNames"]

# Things that are named when a task is made; what lies beyond is named at its first touch.
WALKED_MAX = 400

_CLOSED = (
    *VALUES, types.ModuleType, type, types.BuiltinFunctionType, types.CodeType, types.FrameType,
    asyncio.AbstractEventLoop,
)  # fmt: skip


class ThingNames:
    """Numbers things in the order in which they are first met, and keeps them alive for the run.

    Two runs that agree up to a step number all things alike that were met up to there. So that most
    are met early, all that a new task can reach by its arguments is met when the task is made.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._things: list[Any] = []

    def __len__(self) -> int:
        return len(self._things)

    def number_of(self, thing: Any) -> int:
        """Return the number of a thing."""
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self._things)
            # Kept, so that no other thing gets its address.
            self._things.append(thing)
        return number

    def meet(self, coroutine: Any) -> None:
        """Number all that a coroutine which has not begun can reach, in an order that repeats."""
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            return
        queue = deque(frame.f_locals.values())
        numbers, seen = self._numbers, 0
        while queue and seen < WALKED_MAX:
            thing = queue.popleft()
            kind = type(thing)
            closed = _KINDS.get(kind)
            if closed is None:
                closed = _KINDS[kind] = issubclass(kind, _CLOSED)
            if not closed and id(thing) not in numbers:
                seen += 1
                self.number_of(thing)
                queue.extend(_parts(thing))
            elif kind is tuple and seen < WALKED_MAX // 2:
                seen += 1
                queue.extend(thing)


# Whether the things of a class are values, or not worth a walk.
_KINDS: dict[type, bool] = {}


def _parts(thing: Any) -> Iterator[Any]:
    """Yield what lies in a thing. Sets have no order that repeats: theirs has to wait."""
    if isinstance(thing, dict):
        yield from list(thing.values())[:WALKED_MAX]
    elif isinstance(thing, (list, deque)):
        yield from list(thing)[:WALKED_MAX]
    elif isinstance(thing, types.FunctionType):
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue
    elif isinstance(thing, types.MethodType):
        yield thing.__self__
    elif isinstance(thing, types.CoroutineType):
        if thing.cr_frame is not None:
            yield from thing.cr_frame.f_locals.values()
    elif not isinstance(thing, (*CONTAINERS, asyncio.Future)):
        yield from list(getattr(thing, "__dict__", {}).values())
