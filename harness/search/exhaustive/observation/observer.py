"""The observation of steps: which things each reads and writes, as seen by a profiler."""

from __future__ import annotations

import asyncio
import collections
import inspect
import sys
import types
from asyncio import locks, queues, taskgroups, tasks, timeouts
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.observation.calls import Given, note_builtin, note_call
from harness.search.exhaustive.observation.code_segments import (
    accesses_of,
    awaits_in,
    given_at,
    suspends_in,
)
from harness.search.exhaustive.observation.contents import Contents
from harness.search.exhaustive.observation.frame_kinds import (
    ANYTHING,
    CANCELLING,
    KINDS,
    LOOKED_AT,
    LOOKING,
    PASSED,
    PROGRAM,
    SELF,
    TASKS,
    kind_of,
)
from harness.search.exhaustive.observation.kinds_of_things import (
    AROUND,
    Nature,
    Way,
    base_of,
    way_to,
)
from harness.search.exhaustive.observation.lifetimes import asks_for_lifetimes
from harness.search.exhaustive.observation.names_of_things import ThingNames
from harness.search.exhaustive.observation.resolver import NO_THING, Resolver, attribute_of
from harness.search.exhaustive.step_touches import StepTouches

if TYPE_CHECKING:
    from types import FrameType

    from harness.search.exhaustive.observation.symbols import Access, Symbol

__all__ = ["FootprintObserver"]

_STANDING = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_COROUTINES = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


class _Activation:
    __slots__ = ("begin", "frame", "kind", "over")

    def __init__(self, frame: FrameType, begin: int, kind: int) -> None:
        self.frame = frame
        self.begin = begin
        self.kind = kind
        self.over = False


class FootprintObserver:
    """Observes the steps of one run, one after another.

    While a step runs, a profiler function is called as frames are entered and left, and as builtin
    functions are called. Between two such events the code tells what may have happened.

    A thing that cannot be told counts as any of its kind; a builtin, an instruction or a callable
    that is not known counts as everything. What is assumed all the same:

    * hashing a key, and comparing it with another, touches nothing that C code keeps;
    * operators of what is not known by a name look at containers, no matter how deep; if they are
      iterators, their advancing is seen, and what C code they call in turn where they were made;
    * a class of C that has its things freed, or an attribute that code of C computes, is that of a
      thing that a task can reach by its arguments and closures;
    * asyncio's primitives are changed by their methods only;
    * a run sees nothing that another run has left.
    """

    def __init__(self) -> None:
        self.names = ThingNames()
        self._natures: dict[type, Nature] = {}
        self._ways: dict[tuple[type, str, bool], Way] = {}
        self._open(StepTouches())
        self._activations: list[_Activation] = []
        self._before: Any = None

    def _open(self, touches: StepTouches) -> None:
        self.touches = touches
        self._contents = Contents(touches, self._natures)

    def begin(self, callback: Any) -> StepTouches:
        """Observe a step, which calls ``callback``, from here on."""
        self._open(StepTouches())
        self._activations = []
        self._calls(callback)
        self._before = sys.getprofile()
        sys.setprofile(self._profile)
        return self.touches

    def end(self) -> None:
        """The step has ended."""
        sys.setprofile(self._before)
        # The frame that ends it is among them, and would be cyclic garbage with all it refers to.
        self._activations.clear()

    def _calls(self, callback: Any) -> None:
        """Note what a callback touches that has no frame of its own: no event tells of its call."""
        if isinstance(callback, types.BuiltinFunctionType):
            if not _is_step(callback):
                self._builtin(callback)
        elif not (isinstance(callback, types.FunctionType) or _is_step(callback)):
            callback = getattr(callback, "__func__", attribute_of(callback, "__call__"))
            if not isinstance(callback, types.FunctionType):
                self.touches.anything(f"a callback that is a {type(callback).__name__}")

    def touch(self, what: str, thing: Any, *, written: bool) -> None:
        """Note a touch of a thing, or of any thing of a kind if it is None."""
        self.touches.add(what, thing, written=written)

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            if self._activations:
                kind = self._activations[-1].kind
                if kind == PROGRAM:
                    self._builtin_called(argument, frame)
                elif kind in LOOKED_AT and isinstance(
                    getattr(argument, "__self__", None), asyncio.Future
                ):
                    self._builtin(argument)
        elif event == "call":
            self._entered(frame)
        elif event == "return":
            self._left(frame)

    def _entered(self, frame: FrameType) -> None:
        activations = self._activations
        code = frame.f_code
        known = KINDS.get(id(code))
        kind = kind_of(frame) if known is None else known[1]
        if activations:
            upper = activations[-1]
            if upper.kind == PROGRAM:
                if not upper.over:
                    now = upper.frame.f_lasti
                    self._passed(upper, now)
                    upper.begin = now
                if id(code) in CANCELLING:
                    kind = ANYTHING
            elif kind == PASSED:
                # Passed over within what is passed over.
                return
        activations.append(_Activation(frame, frame.f_lasti, kind))
        if kind == SELF:
            owner = frame.f_locals.get("self")
            if owner is not None and id(owner) not in _REGISTRIES:
                self.touches.things.append((_primitive(type(owner)), owner, True, None))
        elif kind == TASKS and code.co_name in LOOKING:
            self.touch("items", None, written=False)
        elif kind == PROGRAM:
            names = self.names
            names.lifetime = names.lifetime or asks_for_lifetimes(code, frame.f_globals)
            if code.co_flags & _STANDING:
                # Where it stands, and what its locals are, shows in what it gives next.
                self.touches.add("frame", frame, written=True)
        elif kind == ANYTHING:
            self.touches.anything(f"{code.co_qualname} of {Path(code.co_filename).name}")

    def _left(self, frame: FrameType) -> None:
        activations = self._activations
        if not activations or activations[-1].frame is not frame:
            return
        one = activations.pop()
        if one.kind == PROGRAM and not one.over:
            self._passed(one, frame.f_lasti)
        if not activations or activations[-1].kind != PROGRAM:
            return
        upper, code = activations[-1], frame.f_code
        if (
            code.co_flags & _COROUTINES
            and frame.f_lasti in suspends_in(code)
            and upper.frame.f_lasti in awaits_in(upper.frame.f_code)
        ):
            # What it awaits stands still, so it does, too: nothing behind the await has happened.
            upper.over = True

    def _builtin(self, function: Any, given: Given | None = None) -> None:
        """Note what a builtin that is called touches."""
        attribute = None
        if given is not None:
            attribute = partial(self._attribute, resolver=given.resolver)
        note_builtin(function, given, self.touches, self._contents, attribute)

    def _builtin_called(self, function: Any, frame: FrameType) -> None:
        """Note what a builtin touches that a frame of the program is about to call."""
        upper, now = self._activations[-1], frame.f_lasti
        if upper.frame is frame and not upper.over:
            self._passed(upper, now)
            upper.begin = now
        call = given_at(frame.f_code, now)
        given = None
        if call is not None:
            given = Given(call.given, call.keywords, Resolver(frame))
        self._builtin(function, given)

    def _passed(self, one: _Activation, end: int) -> None:
        """Note what may have been touched between an activation's last event and this one."""
        segment = accesses_of(one.frame.f_code, one.begin, end)
        if segment.everything:
            self.touches.anything(f"an instruction of {one.frame.f_code.co_qualname}")
        self.touches.touches |= segment.touches
        if segment.accesses:
            resolver = Resolver(one.frame)
            for access in segment.accesses:
                self._note(access, resolver)

    def _note(self, access: Access, resolver: Resolver) -> None:
        how, symbol = access.how, access.symbol
        if how.endswith(" attribute"):
            self._attribute(how.startswith("write"), symbol, access.name, resolver)
        elif how in {"call", "called"}:
            given = Given(access.given, access.keywords, resolver)
            note_call(
                symbol, given, evented=how == "called", touches=self.touches,
                contents=self._contents,
            )  # fmt: skip
        elif how == "await":
            self._awaited(symbol, resolver)
        elif how in {"with", "entered"}:
            self._entered_with(symbol, resolver, evented=how == "entered")
        else:
            self._contents_touched(how, symbol, resolver)
            if how == "write" and access.given:
                key, value = access.given
                self._slice_written(key, value, resolver)

    def _attribute(self, written: bool, symbol: Symbol, name: str, resolver: Resolver) -> None:
        owner = resolver.value(symbol)
        touches = self.touches
        if owner is NO_THING:
            self._attribute_of_any(written, name)
            return
        if isinstance(owner, (type, types.ModuleType, super)):
            touches.touches.add((f".{name}", None, written))
            return
        key = (type(owner), name, written)
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = way_to(type(owner), name, written=written)
        if way is Way.ANYTHING:
            touches.anything(f"the attribute {name} of {type(owner).__name__}")
            return
        touches.add(f".{name}", owner, written=written, symbol=symbol)
        if way is Way.INSIDE:
            if isinstance(owner, asyncio.Future):
                touches.add("future", owner, written=written)
            elif isinstance(owner, BaseException):
                touches.add("items", owner, written=written)
            else:
                touches.add(_primitive(type(owner)), owner, written=written)
        elif written and self._contents.nature(owner) is Nature.NAMESPACE:
            self._contents.any_thing(written=True)

    def _attribute_of_any(self, written: bool, name: str) -> None:
        touches = self.touches
        touches.touches.add((f".{name}", None, written))
        touches.asked |= {name, ""}
        if name in AROUND:
            touches.anything(f"the attribute {name}")
        elif name[:1] == "_":
            # It may be one of asyncio's own things.
            touches.touches |= {(one, None, written) for one in ("future", *_INSIDE)}
        if name == "args" and written:
            # Of an exception.
            self._contents.any_thing(written=True)

    def _contents_touched(self, how: str, symbol: Symbol, resolver: Resolver) -> None:
        contents = self._contents
        if how == "iterate":
            contents.iterated(symbol, resolver)
            return
        if how == "deep":
            contents.deep(symbol, resolver)
            return
        if how == "look":
            contents.shallow(symbol, resolver)
            return
        thing = resolver.value(symbol)
        if how == "count":
            # No container has an operator for a number but "*".
            if thing is not NO_THING and contents.nature(thing) is Nature.UNKNOWN:
                self.touches.anything(f"an operator of {type(thing).__name__}")
        elif thing is NO_THING:
            contents.any_thing(written=how != "take")
        elif how == "take":
            # What is added in place is iterated, unless it is a number.
            if contents.nature(thing) not in {Nature.VALUE, Nature.OBJECT}:
                contents.iterated(symbol, resolver)
        elif how == "contains":
            contents.advanced(thing, symbol)
            if isinstance(thing, (list, tuple)) or contents.nature(thing) is Nature.VIEW:
                contents.read_through(thing, symbol)
        else:
            self._slot(how, thing, symbol)

    def _slice_written(self, key: Symbol, value: Symbol, resolver: Resolver) -> None:
        """Note that what a slice is set to is iterated, unless it is the value of a key."""
        place = resolver.value(key)
        if not isinstance(place, (int, str)):
            thing = resolver.value(value)
            if thing is NO_THING or self._contents.nature(thing) is not Nature.OBJECT:
                self._contents.iterated(value, resolver)

    def _slot(self, how: str, thing: Any, symbol: Symbol) -> None:
        """Note that something of a thing is got, or changed, by its key or by an operator."""
        nature, touches = self._contents.nature(thing), self.touches
        if nature in {Nature.CONTAINER, Nature.FACTORY}:
            written = how != "read" or nature is Nature.FACTORY
            touches.add("items", thing, written=written, symbol=symbol)
            if nature is Nature.FACTORY and how == "read":
                factory = thing.default_factory
                if not (factory in _MAKERS or self._contents.is_of_frames(factory)):
                    touches.anything("a default factory that is code of C")
        elif nature in {Nature.VIEW, Nature.CURSOR}:
            self._contents.any_thing(written=how != "read")
        elif nature in {Nature.UNKNOWN, Nature.NAMESPACE, Nature.FRAMES}:
            touches.anything(f"an operator of {type(thing).__name__}")

    def _entered_with(self, symbol: Symbol, resolver: Resolver, *, evented: bool) -> None:
        if evented:
            return
        thing = resolver.value(symbol)
        enters = None if thing is NO_THING else getattr(type(thing), "__enter__", None)
        if not isinstance(enters, types.FunctionType):
            self.touches.anything("with what is not known")

    def _awaited(self, symbol: Symbol, resolver: Resolver) -> None:
        if symbol is not None and symbol[0] == "result":
            function = resolver.value(symbol[1])
            function = getattr(function, "__func__", function)
            if isinstance(function, types.FunctionType) and (
                function.__code__.co_flags & _COROUTINES
            ):
                return
        thing = resolver.value(symbol)
        if isinstance(thing, types.CoroutineType):
            self.touches.add("items", thing, written=True, symbol=symbol)
            return
        self.touches.add(
            "future", None if thing is NO_THING else thing, written=False, symbol=symbol
        )


# Classes whose making without arguments touches nothing.
_MAKERS = frozenset({list, dict, set, int, float, str, bytes, tuple, bool, collections.deque, None})

# asyncio's own registries of tasks: who looks at them is taken as doing anything.
_REGISTRIES = frozenset(
    id(found)
    for found in (getattr(tasks, name, None) for name in ("_all_tasks", "_scheduled_tasks"))
    if found is not None
)

_TASK_METHODS = frozenset(vars(tasks.Task))

_PRIMITIVES: dict[type, str] = {}
# What asyncio's own primitives are noted as.
_INSIDE = tuple(
    f"primitive {one.__name__}"
    for module in (locks, queues, taskgroups, timeouts)
    for one in vars(module).values()
    if isinstance(one, type) and one.__module__ == module.__name__
)


def _primitive(kind: type) -> str:
    known = _PRIMITIVES.get(kind)
    if known is None:
        known = _PRIMITIVES[kind] = f"primitive {(base_of(kind) or kind).__name__}"
    return known


def _is_step(callback: Any) -> bool:
    """Return True for a callback by which asyncio goes on with a task: its frames are seen."""
    owner, name = getattr(callback, "__self__", None), getattr(callback, "__name__", "")
    return isinstance(owner, tasks.Task) and name not in _TASK_METHODS
