"""The numbers by which the things that a run touches are told apart, alike in every run."""

from __future__ import annotations

import asyncio
import types
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.search.exhaustive.observation.kinds_of_things import CONTAINERS, VALUES, odd_names
from harness.search.exhaustive.observation.lifetimes import (
    asks_for_lifetimes,
    freed_by,
    held_weakly,
    is_of_python,
    may_be_held_weakly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ThingNames"]

# Things that are named when a task is made; what lies beyond is named at its first touch.
WALKED_MAX = 400

_CLOSED = (
    *VALUES, types.ModuleType, type, types.BuiltinFunctionType, types.CodeType, types.FrameType,
    asyncio.AbstractEventLoop,
)  # fmt: skip


class _Kind(NamedTuple):
    """What has to be asked of each thing of a class as it is met."""

    known_weakly: bool
    has_attributes: bool


class ThingNames:
    """Numbers things in the order in which they are first met, and keeps them alive for the run.

    Two runs that agree up to a step number all things alike that were met up to there. So that most
    are met early, all that a new task can reach by its arguments is met when the task is made.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._things: list[Any] = []
        # Dicts that hold the attributes of what has a number, by address.
        self.of_attributes: set[int] = set()
        # Whether such a dict had been touched before it was known to be one.
        self.aliased = False
        # Whether such a dict is held for itself, or shown as a container: any may then be one.
        self.exposed = False
        # Why it matters to the program when things are freed, which are kept here; or "".
        self.lifetime = ""
        # Names of attributes behind which lies code of C.
        self.odd: set[str] = set()
        self._kinds: dict[type, _Kind] = {}

    def __len__(self) -> int:
        return len(self._things)

    def number_of(self, thing: Any) -> int:
        """Return the number of a thing."""
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self._things)
            # Kept, so that no other thing gets its address.
            self._things.append(thing)
            self._met(thing)
        return number

    def _met(self, thing: Any) -> None:
        kind = type(thing)
        if kind is dict:
            if "__builtins__" in thing or "__spec__" in thing:
                self.of_attributes.add(id(thing))
            self.exposed = self.exposed or id(thing) in self.of_attributes
            return
        if kind is list:
            return
        asked = _PLAIN.get(kind)
        if asked is None:
            asked = self._kinds.get(kind)
        if asked is None:
            asked = self._kinds[kind] = self._kind_met(kind)
        if asked.known_weakly:
            self.lifetime = self.lifetime or held_weakly(thing)
        if asked.has_attributes:
            own = getattr(thing, "__dict__", None)
            if type(own) is dict:
                if id(own) in self._numbers:
                    self.aliased = self.exposed = True
                self.of_attributes.add(id(own))

    def _kind_met(self, kind: type) -> _Kind:
        odd, freed = odd_names(kind), freed_by(kind)
        exposing = kind in {types.MappingProxyType, types.SimpleNamespace}
        self.exposed = self.exposed or exposing
        self.lifetime = self.lifetime or freed
        self.odd |= odd
        weakly = may_be_held_weakly(kind)
        found = _Kind(known_weakly=weakly, has_attributes=kind.__dictoffset__ != 0)
        if is_of_python(kind.__module__) and not (odd or freed or exposing):
            _PLAIN[kind] = found
        return found

    def meet(self, coroutine: Any) -> None:
        """Number all that a coroutine which has not begun can reach, in an order that repeats."""
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            return
        self.lifetime = self.lifetime or asks_for_lifetimes(frame.f_code, frame.f_globals)
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


# Of classes that all runs share, and of which nothing else is to be noted.
_PLAIN: dict[type, _Kind] = {}

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
