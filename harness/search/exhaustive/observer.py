"""The observation of steps: which things each reads and writes, as seen by a profiler."""

from __future__ import annotations

import inspect
import sys
import types
from asyncio import tasks
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.builtin_effects import CONTAINERS, UNKNOWN, VALUES, effect_of
from harness.search.exhaustive.code_segments import accesses_of, awaits_in, suspends_in
from harness.search.exhaustive.frame_kinds import (
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
from harness.search.exhaustive.names_of_things import ThingNames

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from harness.search.exhaustive.footprint import Touch
    from harness.search.exhaustive.symbolic_stack import Access, Symbol

__all__ = ["FootprintObserver", "StepTouches"]

_NO_THING = object()
_COROUTINES = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


class StepTouches:
    """What one step has touched so far."""

    __slots__ = ("everything", "things", "touches", "via", "why")

    def __init__(self) -> None:
        self.touches: set[Touch] = set()
        # Touches whose things have no numbers yet: the step may have made tasks that meet them.
        self.things: list[tuple[str, Any, bool, Symbol]] = []
        self.everything = False
        self.why = ""
        # Touches of things that were found by a path of names, with these names.
        self.via: dict[Touch, tuple[str, ...]] = {}

    def anything(self, why: str) -> None:
        """Note that the step may have done anything."""
        self.everything = True
        self.why = self.why or why

    def number(self, names: ThingNames) -> None:
        """Give the things their numbers."""
        for what, thing, written, symbol in self.things:
            touch = (what, names.number_of(thing), written)
            self.touches.add(touch)
            if symbol is not None:
                path = tuple(_names_in(symbol))
                if path:
                    self.via[touch] = path
        self.things.clear()

    def all(self) -> frozenset[Touch]:
        """Return all touches. A thing found by a name that the step rebinds may be any thing."""
        if self.via:
            rebound = {what for what, _, written in self.touches if written and what[0] in ".c"}
            for touch, names in self.via.items():
                if not rebound.isdisjoint(names):
                    self.touches.add((touch[0], None, touch[2]))
        return frozenset(self.touches)


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

    * what is called by a name that does not lead to it without running code (a local that was just
      set, a property, a call's result) is a function, a method or a class, and no callable of C
      with a state of its own, such as a ``functools.partial`` of a builtin;
    * operators of C types that are no containers (numbers, dates, decimals) touch nothing shared;
    * ``with`` is not given an object of C that tasks share;
    * an iterator that several tasks advance with ``for`` is reached by a name;
    * asyncio's primitives are changed by their methods only;
    * a run sees nothing that another run has left.
    """

    def __init__(self) -> None:
        self.names = ThingNames()
        self.touches = StepTouches()
        self._activations: list[_Activation] = []
        self._before: Any = None

    def begin(self, callback: Any) -> StepTouches:
        """Observe a step, which calls ``callback``, from here on."""
        self.touches = StepTouches()
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
            callback = getattr(callback, "__func__", _attribute_of(callback, "__call__"))
            if not isinstance(callback, types.FunctionType):
                self.touches.anything(f"a callback that is a {type(callback).__name__}")

    def touch(self, what: str, thing: Any, *, written: bool) -> None:
        """Note a touch of a thing, or of any thing of a kind if it is None."""
        self._add(what, thing, written, None)

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            if self._activations:
                of = LOOKED_AT.get(self._activations[-1].kind)
                if of is object or (
                    of is not None and isinstance(getattr(argument, "__self__", None), of)
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

    def _builtin(self, function: Any) -> None:
        """Note what a builtin that is called touches."""
        effect = effect_of(function)
        if effect is None:
            return
        if effect is UNKNOWN:
            owner = type(getattr(function, "__self__", None)).__name__
            self.touches.anything(f"{function.__name__} of {owner}")
            return
        self.touch(effect[0], effect[1], written=effect[2])
        if effect[0] == "future" and function.__name__ == "cancel":
            # What the task waits for is cancelled with it, unless that was done before.
            waited_for = effect[1]
            while (waited_for := getattr(waited_for, "_fut_waiter", None)) is not None:
                self.touch("future", waited_for, written=True)

    def _passed(self, one: _Activation, end: int) -> None:
        """Note what may have been touched between an activation's last event and this one."""
        segment = accesses_of(one.frame.f_code, one.begin, end)
        if segment.everything:
            self.touches.anything(f"an instruction of {one.frame.f_code.co_qualname}")
        self.touches.touches |= segment.touches
        if segment.accesses:
            resolver = _Resolver(one.frame)
            for access in segment.accesses:
                self._note(access, resolver)

    def _note(self, access: Access, resolver: _Resolver) -> None:
        how, symbol, name = access
        if how.endswith(" attribute"):
            self._attribute(how.startswith("write"), symbol, name, resolver)
        elif how == "call":
            self._called(symbol, resolver, has_arguments=bool(name))
        elif how == "await":
            self._awaited(symbol, resolver)
        else:
            self._contents(how, symbol, resolver)

    def _attribute(self, written: bool, symbol: Symbol, name: str, resolver: _Resolver) -> None:
        owner = resolver.value(symbol)
        shared = owner is _NO_THING or isinstance(owner, (type, types.ModuleType, super))
        self._add(f".{name}", None if shared else owner, written, symbol)

    def _contents(self, how: str, symbol: Symbol, resolver: _Resolver) -> None:
        thing = resolver.value(symbol)
        if thing is _NO_THING:
            self.touches.touches.add(("items", None, how in {"write", "change"}))
        elif isinstance(thing, VALUES) and how != "write":
            return
        elif how == "look" and not isinstance(thing, CONTAINERS):
            # Operators of what is no container are frames of Python, or touch nothing shared.
            return
        else:
            advances = how == "iterate" and hasattr(type(thing), "__next__")
            self._add("items", thing, how in {"write", "change"} or advances, symbol)

    def _called(self, symbol: Symbol, resolver: _Resolver, *, has_arguments: bool) -> None:
        callee = resolver.value(symbol)
        if isinstance(callee, _EVENTFUL):
            return
        if callee is _NO_THING or isinstance(callee, type):
            if has_arguments and not (isinstance(callee, type) and _is_plain(callee)):
                self.touches.touches.add(("items", None, False))
        elif not isinstance(_attribute_of(callee, "__call__"), types.FunctionType):
            self.touches.anything(f"a call of {type(callee).__name__}")

    def _awaited(self, symbol: Symbol, resolver: _Resolver) -> None:
        if symbol is not None and symbol[0] == "result":
            function = resolver.value(symbol[1])
            function = getattr(function, "__func__", function)
            if isinstance(function, types.FunctionType) and (
                function.__code__.co_flags & _COROUTINES
            ):
                return
        thing = resolver.value(symbol)
        if isinstance(thing, types.CoroutineType):
            return
        self._add("future", None if thing is _NO_THING else thing, False, symbol)

    def _add(self, what: str, thing: Any, written: bool, symbol: Symbol) -> None:
        if thing is None:
            self.touches.touches.add((what, None, written))
        else:
            self.touches.things.append((what, thing, written, symbol))


# asyncio's own registries of tasks: who looks at them is taken as doing anything.
_REGISTRIES = frozenset(
    id(found)
    for found in (getattr(tasks, name, None) for name in ("_all_tasks", "_scheduled_tasks"))
    if found is not None
)

_TASK_METHODS = frozenset(vars(tasks.Task))

# Calls of these are events of their own.
_EVENTFUL = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType,
)  # fmt: skip


_PRIMITIVES: dict[type, str] = {}


def _primitive(kind: type) -> str:
    known = _PRIMITIVES.get(kind)
    if known is None:
        known = _PRIMITIVES[kind] = f"primitive {kind.__name__}"
    return known


def _is_step(callback: Any) -> bool:
    """Return True for a callback by which asyncio goes on with a task: its frames are seen."""
    owner, name = getattr(callback, "__self__", None), getattr(callback, "__name__", "")
    return isinstance(owner, tasks.Task) and name not in _TASK_METHODS


def _is_plain(kind: type) -> bool:
    """Return True for a class whose making reads nothing but what its frames read."""
    return isinstance(vars(kind).get("__init__"), types.FunctionType) or issubclass(
        kind, BaseException
    )


class _Resolver:
    """Finds the things that symbols stand for at the end of a segment of a frame."""

    __slots__ = ("_frame", "_locals")

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame
        self._locals: dict[str, Any] | None = None

    def value(self, symbol: Symbol) -> Any:
        """Return the thing, or ``_NO_THING`` if that is not sure."""
        if symbol is None:
            return _NO_THING
        kind = symbol[0]
        if kind == "attr":
            owner = self.value(symbol[1])
            return _NO_THING if owner is _NO_THING else _attribute_of(owner, symbol[2])
        if kind in {"fast", "deref"}:
            if self._locals is None:
                self._locals = self._frame.f_locals
            return self._locals.get(symbol[1], _NO_THING)
        if kind == "global":
            found = self._frame.f_globals.get(symbol[1], _NO_THING)
            return self._frame.f_builtins.get(symbol[1], _NO_THING) if found is _NO_THING else found
        return symbol[1] if kind == "const" else _NO_THING


def _attribute_of(owner: Any, name: str) -> Any:
    """Look an attribute up without running any code of the program."""
    if isinstance(owner, types.ModuleType):
        return owner.__dict__.get(name, _NO_THING)
    if isinstance(owner, (type, super)):
        return _NO_THING
    for kind in type(owner).__mro__:
        found = kind.__dict__.get(name, _NO_THING)
        if found is _NO_THING:
            continue
        if isinstance(found, types.MemberDescriptorType):
            return getattr(owner, name, _NO_THING)
        if isinstance(found, (types.FunctionType, types.MethodDescriptorType)):
            own = getattr(owner, "__dict__", None)
            return own[name] if own and name in own else found
        if hasattr(type(found), "__get__"):
            return _NO_THING
    own = getattr(owner, "__dict__", None)
    return own.get(name, _NO_THING) if own else _NO_THING


def _names_in(symbol: Symbol) -> Iterable[str]:
    while symbol is not None and symbol[0] in {"attr", "deref", "global"}:
        if symbol[0] == "deref":
            yield f"cell {symbol[1]}"
            return
        yield f".{symbol[2]}" if symbol[0] == "attr" else f".{symbol[1]}"
        symbol = symbol[1] if symbol[0] == "attr" else None
