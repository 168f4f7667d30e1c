# ruff: noqa: D102 - each method notes the accesses that it is named after
"""What the accesses of a stretch of code touch, once their symbols stand for things."""

from __future__ import annotations

import asyncio
import collections
import inspect
import types
from asyncio import locks, queues, taskgroups, timeouts
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.observation.calls import Given, note_builtin, note_call
from harness.search.exhaustive.observation.contents import Contents
from harness.search.exhaustive.observation.kinds_of_things import (
    AROUND,
    OF_FAILURES,
    Nature,
    Way,
    Ways,
    base_of,
)
from harness.search.exhaustive.observation.resolver import NO_THING, Resolver, Unknowing
from harness.search.exhaustive.observation.step_touches import StepTouches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from harness.search.exhaustive.bytecode.code_segments import Segment
    from harness.search.exhaustive.bytecode.symbols import Access, Symbol

__all__ = ["COROUTINES", "AccessNotes", "primitive"]

_KNOWS_NOTHING = Unknowing()
COROUTINES = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


class AccessNotes(Contents):
    """Notes what accesses touch, step by step, in the touches of the step that is observed."""

    def __init__(self) -> None:
        super().__init__()
        self._ways = Ways()
        # Of this step, what was found by names that may be bound anew.
        self._segments: list[Segment] = []
        self._calls: list[tuple[Any, Access]] = []

    def begin(self) -> StepTouches:
        """Note from here on what another step touches."""
        if self.touches.everything:
            # It may have changed classes.
            self._forget_kinds()
        self.touches = StepTouches()
        return self.touches

    def _forget_kinds(self) -> None:
        self._ways.clear()
        self._natures.forget()

    def note(self, segment: Segment, frame: FrameType) -> None:
        """Note what the accesses of a frame's segment touch."""
        resolver = Resolver(frame)
        for access in segment.accesses:
            _BY_HOW[access.how](self, access, resolver)
        if segment.names:
            self._segments.append(segment)

    def builtin(self, function: Any, call: Access | None = None, frame: Any = None) -> None:
        """Note what a builtin touches that is called, perhaps by this instruction of a frame."""
        if call is None:
            note_builtin(function, None, self)
            return
        if call.names:
            self._calls.append((function, call))
        self._builtin_called(function, call, Resolver(frame))

    def _builtin_called(self, function: Any, call: Access, resolver: Resolver) -> None:
        given = Given(call.given, call.keywords, resolver)
        attribute = partial(self._attribute, resolver=resolver)
        note_builtin(function, given, self, attribute)

    def end(self) -> None:
        """The step has ended: what it found by names that it bound anew may be anything."""
        segments, calls = self._segments, self._calls
        if not (segments or calls):
            return
        rebound = self.touches.rebound()
        for segment in segments:
            if not rebound.isdisjoint(segment.names):
                for access in segment.accesses:
                    if not rebound.isdisjoint(access.names):
                        _BY_HOW[access.how](self, access, _KNOWS_NOTHING)
        for function, call in calls:
            if not rebound.isdisjoint(call.names):
                self._builtin_called(function, call, _KNOWS_NOTHING)
        segments.clear()
        calls.clear()

    def nothing(self, access: Access, resolver: Resolver) -> None:
        """Note nothing: an event told of it."""

    def called(self, access: Access, resolver: Resolver) -> None:
        given = Given(access.given, access.keywords, resolver)
        note_call(access.symbol, given, self, evented=access.how == "called")

    def attribute_read(self, access: Access, resolver: Resolver) -> None:
        self._attribute(False, access.symbol, access.name, resolver)

    def attribute_written(self, access: Access, resolver: Resolver) -> None:
        self._attribute(True, access.symbol, access.name, resolver)

    def _attribute(self, written: bool, symbol: Symbol, name: str, resolver: Resolver) -> None:
        owner = resolver.value(symbol)
        touches = self.touches
        if owner is NO_THING:
            self._attribute_of_any(written, name)
            return
        kind = type(owner)
        if issubclass(kind, (type, types.ModuleType, super)):
            touches.touches.add((f".{name}", None, written))
            if written:
                self._forget_kinds()
            return
        way = self._ways[kind, name, written]
        if way is Way.ANYTHING:
            touches.anything(f"the attribute {name} of {kind.__name__}")
            return
        touches.things.append((f".{name}", owner, written))
        if way is Way.INSIDE:
            if issubclass(kind, asyncio.Future):
                touches.add("future", owner, written=written)
            elif issubclass(kind, BaseException):
                touches.add("items", owner, written=written)
            else:
                touches.add(primitive(kind), owner, written=written)
        elif written and self.nature(owner) is Nature.NAMESPACE:
            self.any_thing(written=True)

    def _attribute_of_any(self, written: bool, name: str) -> None:
        touches = self.touches
        touches.touches.add((f".{name}", None, written))
        touches.asked |= {name, ""}
        if written:
            # It may be one of a class.
            self._forget_kinds()
        if name in AROUND:
            touches.anything(f"the attribute {name}")
        elif name[:1] == "_":
            # It may be one of asyncio's own things.
            touches.touches |= {(one, None, written) for one in ("future", *_INSIDE)}
        if written and name in OF_FAILURES:
            # It may be an exception's.
            self.any_thing(written=True)

    def counted(self, access: Access, resolver: Resolver) -> None:
        # No container has an operator for a number but "*".
        thing = resolver.value(access.symbol)
        if thing is not NO_THING and self.nature(thing) is Nature.UNKNOWN:
            self.touches.anything(f"an operator of {type(thing).__name__}")

    def taken(self, access: Access, resolver: Resolver) -> None:
        """Note what is added in place: it is iterated, unless it is a number."""
        thing = resolver.value(access.symbol)
        if thing is NO_THING:
            self.any_thing(written=False)
        elif self.nature(thing) not in {Nature.VALUE, Nature.OBJECT}:
            self.iterated(access.symbol, resolver)

    def searched(self, access: Access, resolver: Resolver) -> None:
        thing = resolver.value(access.symbol)
        if thing is NO_THING:
            self.any_thing(written=True)
            return
        self.advanced(thing)
        if isinstance(thing, (list, tuple)) or self.nature(thing) is Nature.VIEW:
            self.read_through(thing)

    def written(self, access: Access, resolver: Resolver) -> None:
        self.slot(access, resolver)
        if access.given:
            key, value = access.given
            if type(resolver.value(access.symbol)) is not dict:
                self._slice_written(key, value, resolver)

    def _slice_written(self, key: Symbol, value: Symbol, resolver: Resolver) -> None:
        """Note that what a slice is set to is iterated, unless it is the value of a key."""
        place = resolver.value(key)
        if not isinstance(place, (int, str)):
            thing = resolver.value(value)
            if thing is NO_THING or self.nature(thing) is not Nature.OBJECT:
                self.iterated(value, resolver)

    def slot(self, access: Access, resolver: Resolver) -> None:
        """Note that something of a thing is got, or changed, by its key or by an operator."""
        thing, read = resolver.value(access.symbol), access.how == "read"
        touches = self.touches
        if thing is NO_THING:
            self.any_thing(written=True)
            return
        nature = self.nature(thing)
        if nature is Nature.CONTAINER:
            touches.things.append(("items", thing, not read))
        elif nature is Nature.FACTORY:
            touches.things.append(("items", thing, True))
            factory = thing.default_factory
            if read and not (factory in _MAKERS or self.is_of_frames(factory)):
                touches.anything("a default factory that is code of C")
        elif nature in {Nature.VIEW, Nature.CURSOR}:
            self.any_thing(written=not read)
        elif nature in {Nature.UNKNOWN, Nature.NAMESPACE, Nature.FRAMES}:
            touches.anything(f"an operator of {type(thing).__name__}")

    def entered_with(self, access: Access, resolver: Resolver) -> None:
        thing = resolver.value(access.symbol)
        enters = None if thing is NO_THING else getattr(type(thing), "__enter__", None)
        if not isinstance(enters, types.FunctionType):
            self.touches.anything("with what is not known")

    def awaited(self, access: Access, resolver: Resolver) -> None:
        symbol = access.symbol
        if symbol is not None and symbol[0] == "result":
            function = resolver.value(symbol[1])
            function = getattr(function, "__func__", function)
            if isinstance(function, types.FunctionType) and (
                function.__code__.co_flags & COROUTINES
            ):
                return
        thing = resolver.value(symbol)
        if isinstance(thing, types.CoroutineType):
            self.touches.add("items", thing, written=True)
            return
        self.touches.add("future", None if thing is NO_THING else thing, written=False)


def _iterated(notes: AccessNotes, access: Access, resolver: Resolver) -> None:
    notes.iterated(access.symbol, resolver)


def _deep(notes: AccessNotes, access: Access, resolver: Resolver) -> None:
    notes.deep(access.symbol, resolver)


def _look(notes: AccessNotes, access: Access, resolver: Resolver) -> None:
    notes.shallow(access.symbol, resolver)


_BY_HOW: dict[str, Callable[[AccessNotes, Access, Resolver], None]] = {
    "read attribute": AccessNotes.attribute_read,
    "write attribute": AccessNotes.attribute_written,
    "call": AccessNotes.called,
    "called": AccessNotes.called,
    "await": AccessNotes.awaited,
    "with": AccessNotes.entered_with,
    "entered": AccessNotes.nothing,
    "iterate": _iterated,
    "deep": _deep,
    "look": _look,
    "count": AccessNotes.counted,
    "take": AccessNotes.taken,
    "contains": AccessNotes.searched,
    "read": AccessNotes.slot,
    "change": AccessNotes.slot,
    "write": AccessNotes.written,
}

# Classes whose making without arguments touches nothing.
_MAKERS = frozenset({list, dict, set, int, float, str, bytes, tuple, bool, collections.deque, None})

_PRIMITIVES: dict[type, str] = {}
# What asyncio's own primitives are noted as.
_INSIDE = tuple(
    f"primitive {one.__name__}"
    for module in (locks, queues, taskgroups, timeouts)
    for one in vars(module).values()
    if isinstance(one, type) and one.__module__ == module.__name__
)


def primitive(kind: type) -> str:
    """Return what one of asyncio's primitives is noted as."""
    known = _PRIMITIVES.get(kind)
    if known is None:
        known = _PRIMITIVES[kind] = f"primitive {(base_of(kind) or kind).__name__}"
    return known
