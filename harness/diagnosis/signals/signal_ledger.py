"""The last signal of each Event and Condition: who set, cleared or notified it, where, when."""

from __future__ import annotations

import asyncio
import sys
import weakref
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from harness.diagnosis.await_chain import frames_of
from harness.diagnosis.places import callers, line_at, place_of

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from harness.processes.patches import Patches

__all__ = ["Signal", "SignalLedger", "Waiting"]

# Every queue has an event for join() and sets it at each turn: its counts say all there is to say.
_QUEUES = asyncio.queues.__name__

_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__"})


class Signal:
    """One call of ``set``, ``clear`` or ``notify``, which woke so many of those ``waiting``.

    ``first`` says that nothing was called on the thing before; ``order`` counts all signals.
    """

    __slots__ = ("at_s", "code", "first", "instruction", "order", "task", "waiting", "woken")

    def __init__(
        self, frame: FrameType, *, order: int, first: bool, woken: int, waiting: int
    ) -> None:
        # Not its line, which costs more to find than all else here and is seldom asked for.
        self.code: CodeType = frame.f_code
        self.instruction = frame.f_lasti
        self.order = order
        self.first = first
        self.woken = woken
        self.waiting = waiting
        self.at_s, self.task = _moment_and_task()

    @property
    def where(self) -> str:
        """The line that called."""
        return place_of(self.code, line_at(self.code, self.instruction))

    @property
    def constructs(self) -> bool:
        """True if a constructor called, or no loop ran yet: it was not meant to wake anybody."""
        return self.at_s is None or (self.first and self.code.co_name in _CONSTRUCTORS)

    @property
    def prepares(self) -> bool:
        """True if it sets how the thing begins: the function that makes an event called first."""
        makes = asyncio.Event.__name__ in self.code.co_names
        return self.constructs or (self.first and makes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """When a task began to wait; ``order`` compares with that of signals."""

    order: int
    at_s: float


class SignalLedger:
    """Notes the last signals of Events and Conditions while open; part of a ``LockLedger``."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        self._last: weakref.WeakKeyDictionary[object, dict[str, Signal]]
        self._last = weakref.WeakKeyDictionary()
        # By address: an entry of an earlier event at that address is older than all of this one's.
        self._passed: dict[int, int] = {}
        self._order = count()

    def put_on(self) -> None:
        """Wrap asyncio's methods, until the patches are closed."""
        event, condition = asyncio.Event, asyncio.Condition
        self._patches.replace(event, "set", self._setting(event.set))
        self._patches.replace(event, "clear", self._clearing(event.clear))
        self._patches.replace(event, "wait", self._event_wait(event.wait))
        self._patches.replace(condition, "notify", self._notifying(condition.notify))
        self._patches.replace(condition, "wait", self._condition_wait(condition.wait))

    def last(self, thing: object, call: str) -> Signal | None:
        """Return the last call of this name on an event or condition, if one was seen."""
        return self._last.get(thing, {}).get(call)

    def waiting(self, task: asyncio.Task[Any]) -> Waiting | None:
        """Return since when a task waits for an event or a condition."""
        for frame in frames_of(task):
            if frame.f_globals is globals() and "_order" in (begun := frame.f_locals):
                return Waiting(order=begun["_order"], at_s=begun["_at_s"])
        return None

    def passed(self, event: object) -> int:
        """Return the order of the last wait for an event that found it set; -1 if none did."""
        return self._passed.get(id(event), -1)

    def _setting(self, original: Any) -> Any:
        def set(event: Any) -> None:  # noqa: A001 - the name that tracebacks show
            waiting = len(event._waiters)
            original(event)
            frame = sys._getframe(1)
            if frame.f_globals.get("__name__") != _QUEUES and self._patches.acts():
                self._note(event, "set", frame, woken=waiting, waiting=waiting)

        return set

    def _clearing(self, original: Any) -> Any:
        def clear(event: Any) -> None:
            # What is clear stays so: every put of a queue comes by here, and has to be cheap.
            if event._value:
                original(event)
                frame = sys._getframe(1)
                if frame.f_globals.get("__name__") != _QUEUES and self._patches.acts():
                    self._note(event, "clear", frame)

        return clear

    def _notifying(self, original: Any) -> Any:
        def notify(condition: Any, n: int = 1) -> None:
            waiting = len(condition._waiters)
            original(condition, n)
            frame = sys._getframe(1)
            if self._patches.acts():
                self._note(condition, "notify", frame, woken=min(waiting, n), waiting=waiting)

        return notify

    # Many tasks may wait at once, so a wait keeps little: when it began lies in its frame, where
    # ``waiting`` finds it, and that of an event has no other frame under it.

    def _event_wait(self, original: Any) -> Any:
        ledger = self

        async def wait(self: Any) -> Literal[True]:
            if not ledger._patches.acts():
                await original(self)
                return True
            if self._value:
                ledger._passed[id(self)] = next(ledger._order)
                return True
            _order, _at_s = next(ledger._order), asyncio.get_running_loop().time()
            # From here on, line by line what asyncio does.
            fut = self._get_loop().create_future()
            self._waiters.append(fut)
            try:
                await fut
                return True
            finally:
                self._waiters.remove(fut)

        wait.__code__ = _standing_in(wait.__code__, original.__code__)
        return wait

    def _condition_wait(self, original: Any) -> Any:
        ledger = self

        async def wait(self: Any) -> Literal[True]:
            if ledger._patches.acts():
                _order, _at_s = next(ledger._order), asyncio.get_running_loop().time()
            await original(self)
            return True

        return wait

    def _note(
        self, thing: object, call: str, frame: FrameType, *, woken: int = 0, waiting: int = 0
    ) -> None:
        caller = next(callers(frame), frame)
        signals = self._last.setdefault(thing, {})
        signals[call] = Signal(
            caller, order=next(self._order), first=not signals, woken=woken, waiting=waiting
        )


def _moment_and_task() -> tuple[float | None, str]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None, "no task"
    task = asyncio.current_task(loop)
    return loop.time(), "no task" if task is None else task.get_name()


@lru_cache
def _standing_in(ours: CodeType, theirs: CodeType) -> CodeType:
    """Have code of ours stand, line by line, where asyncio's own does, whose end it repeats."""
    last, its_last = (
        max(line for _, _, line in code.co_lines() if line is not None) for code in (ours, theirs)
    )
    return ours.replace(
        co_filename=theirs.co_filename,
        co_name=theirs.co_name,
        co_qualname=theirs.co_qualname,
        co_firstlineno=ours.co_firstlineno + its_last - last,
    )
