"""The observation of steps: which things each reads and writes, as seen by a profiler."""

from __future__ import annotations

import asyncio
import sys
import types
from asyncio import tasks
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.bytecode.code_segments import (
    accesses_of,
    awaits_in,
    given_at,
    suspends_in,
)
from harness.search.exhaustive.observation.accesses import COROUTINES, AccessNotes, primitive
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
    names_a_new_task,
)
from harness.search.exhaustive.observation.names_of_things import ThingNames
from harness.search.exhaustive.observation.resolver import attribute_of

if TYPE_CHECKING:
    from types import FrameType

    from harness.search.exhaustive.observation.frame_kinds import More
    from harness.search.exhaustive.observation.step_touches import StepTouches

__all__ = ["FootprintObserver"]


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
    * what a loop goes over is no iterator if what its name stands for by then is none;
    * asyncio's primitives are changed by their methods only;
    * a run sees nothing that another run has left.
    """

    def __init__(self) -> None:
        self.names = ThingNames()
        self._notes = AccessNotes()
        self.touches = self._notes.touches
        self._activations: list[_Activation] = []
        self._before: Any = None

    def begin(self, callback: Any) -> StepTouches:
        """Observe a step, which calls ``callback``, from here on."""
        self.touches = self._notes.begin()
        self._activations = []
        self._calls(callback)
        self._before = sys.getprofile()
        sys.setprofile(self._profile)
        return self.touches

    def end(self) -> None:
        """The step has ended."""
        sys.setprofile(self._before)
        self._notes.end()
        # The frame that ends it is among them, and would be cyclic garbage with all it refers to.
        self._activations.clear()

    def _calls(self, callback: Any) -> None:
        """Note what a callback touches that has no frame of its own: no event tells of its call."""
        if isinstance(callback, types.BuiltinFunctionType):
            if not _is_step(callback):
                self._notes.builtin(callback)
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
                    self._notes.builtin(argument)
        elif event == "call":
            self._entered(frame)
        elif event == "return":
            self._left(frame)

    def _entered(self, frame: FrameType) -> None:
        activations = self._activations
        code = frame.f_code
        _, kind, more = KINDS.get(id(code)) or kind_of(frame)
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
                self.touches.things.append((primitive(type(owner)), owner, True))
        elif kind == PROGRAM:
            if more:
                self._entered_more(frame, more)
        elif kind == TASKS:
            self._task_function(frame)
        elif kind == ANYTHING and not names_a_new_task(frame):
            self.touches.anything(f"{code.co_qualname} of {Path(code.co_filename).name}")

    def _task_function(self, frame: FrameType) -> None:
        """Note what one of asyncio's functions on tasks looks into, or awaits where nobody sees."""
        name = frame.f_code.co_name
        if name in LOOKING:
            self.touch("items", None, written=False)
        elif name == "wait_for":
            # From CPython 3.12 on it awaits what it is given, here where nothing is read.
            awaited = frame.f_locals.get("fut")
            if isinstance(awaited, asyncio.Future):
                self.touch("future", awaited, written=False)

    def _entered_more(self, frame: FrameType, more: More) -> None:
        names = self.names
        names.lifetime = names.lifetime or more.lifetime
        if more.standing:
            # Where it stands, and what its locals are, shows in what it gives next.
            self.touches.add("frame", frame, written=True)

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
            code.co_flags & COROUTINES
            and frame.f_lasti in suspends_in(code)
            and upper.frame.f_lasti in awaits_in(upper.frame.f_code)
        ):
            # What it awaits stands still, so it does, too: nothing behind the await has happened.
            upper.over = True

    def _builtin_called(self, function: Any, frame: FrameType) -> None:
        """Note what a builtin touches that a frame of the program is about to call."""
        upper, now = self._activations[-1], frame.f_lasti
        if upper.frame is frame and not upper.over:
            self._passed(upper, now)
            upper.begin = now
        self._notes.builtin(function, given_at(frame.f_code, now), frame)

    def _passed(self, one: _Activation, end: int) -> None:
        """Note what may have been touched between an activation's last event and this one."""
        segment = accesses_of(one.frame.f_code, one.begin, end)
        if segment.everything:
            self.touches.anything(f"an instruction of {one.frame.f_code.co_qualname}")
        self.touches.touches |= segment.touches
        if segment.accesses:
            self._notes.note(segment, one.frame)


# asyncio's own registries of tasks: who looks at them is taken as doing anything.
_REGISTRIES = frozenset(
    id(found)
    for found in (getattr(tasks, name, None) for name in ("_all_tasks", "_scheduled_tasks"))
    if found is not None
)

_TASK_METHODS = frozenset(vars(tasks.Task))


def _is_step(callback: Any) -> bool:
    """Return True for a callback by which asyncio goes on with a task: its frames are seen."""
    owner, name = getattr(callback, "__self__", None), getattr(callback, "__name__", "")
    return isinstance(owner, tasks.Task) and name not in _TASK_METHODS
