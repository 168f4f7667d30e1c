"""A ledger of asyncio's locks: who holds which, since when, from which line, across what."""

from __future__ import annotations

import asyncio
import sys
import weakref
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from harness.diagnosis.await_chain import frames_of, program_frame, taken_for
from harness.diagnosis.places import await_at, callers, line_at, name_of, place_of
from harness.diagnosis.signals.signal_ledger import SignalLedger
from harness.history.records import LockHold, LockWait
from harness.processes.patches import Patches, active

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    # A code object and the instruction in it that was under way.
    _Spot = tuple[CodeType, int]

__all__ = ["LONG_WAIT_S", "Hold", "LockLedger", "PendingWait", "active_ledger"]

# The modules between a program's line and the lock it takes; wait_for's is so from CPython 3.12 on.
_BETWEEN = frozenset({asyncio.locks.__name__, __name__})
_ASKING = _BETWEEN | {asyncio.tasks.__name__}

# A hold that has only begun is looked at again after this many seconds.
_LOOK_AGAIN_S = 1e-6

# A wait of so many seconds is worth a look at who waits for whom.
LONG_WAIT_S = 1.0


def active_ledger() -> LockLedger | None:
    """Return the ledger that is open, or None."""
    return active(LockLedger)


class Hold:
    """One task's hold of one lock, from the line that took it.

    ``scoped`` says that ``async with`` took it: then the same task will give it back.
    """

    __slots__ = (
        "begin_s", "code", "instruction", "lines_s", "lock", "looked_s", "over", "permits",
        "scoped", "task",
    )  # fmt: skip

    def __init__(
        self, lock: object, task: asyncio.Task[Any] | None, frame: FrameType, begin_s: float
    ) -> None:
        self.scoped = frame.f_globals.get("__name__") in _BETWEEN
        frame = _taker(frame)
        self.permits = 1
        self.lock = lock
        self.task = task
        # Not its line, which costs more to find than all else here and is seldom asked for.
        self.code: CodeType = frame.f_code
        self.instruction = frame.f_lasti
        self.begin_s = self.looked_s = begin_s
        self.over = False
        # Seconds by (the innermost line, the await inside the lock), each code and instruction.
        self.lines_s: dict[tuple[_Spot, _Spot], float] | None = None

    @property
    def where(self) -> str:
        """The line that took the lock."""
        return place_of(self.code, line_at(self.code, self.instruction))

    @property
    def task_name(self) -> str:
        """The name of the task that took it."""
        return "no task" if self.task is None else self.task.get_name()

    @property
    def across(self) -> str | None:
        """The line at which its holder was seen longest, if it was seen at all."""
        spot = self._longest()
        return None if spot is None else place_of(spot[0][0], line_at(*spot[0]))

    @property
    def held_await(self) -> str | None:
        """The await inside the lock at which its holder was seen longest: its text, its line."""
        spot = self._longest()
        return None if spot is None else await_at(*spot[1])

    def _longest(self) -> tuple[_Spot, _Spot] | None:
        return max(self.lines_s, key=self.lines_s.__getitem__) if self.lines_s else None


class PendingWait:
    """One task's wait for a lock that others hold."""

    __slots__ = ("begin_s", "code", "instruction", "lock", "over", "task")

    def __init__(
        self, lock: object, task: asyncio.Task[Any] | None, frame: FrameType, begin_s: float
    ) -> None:
        frame = _taker(frame)
        self.lock = lock
        self.task = task
        self.code: CodeType = frame.f_code
        self.instruction = frame.f_lasti
        self.begin_s = begin_s
        self.over = False


class LockLedger:
    """Records the holders of every Lock, Semaphore, BoundedSemaphore and Condition while open.

    It replaces two methods of two classes, works with any asyncio loop, and restores them.
    A lock that was taken before it was opened has no holder in it.

    ``holds`` are the finished holds that lasted for more than ``hold_min_s`` seconds: in virtual
    time holds of no duration harm nobody, in real time a millisecond is a sensible bound. At most
    ``holds_max`` are kept, the rest is dropped. Without ``named`` they lack the locks' names, which
    take longest to find.

    ``across`` of a hold comes from samples of its holder's line. ``sample`` takes those that are
    due: the virtual loop calls it before it moves the clock, a live run may call it on a timer. A
    hold is looked at when it has lasted for twice as long as at the last look, so its samples are
    few however long it lasts.

    ``waits`` are the waits for locks that others held, with the same bounds. ``on_long_wait`` is
    called by ``sample`` when a wait has lasted ``LONG_WAIT_S`` seconds, and each time that doubles.
    ``signals`` are the last notify, set and clear of events and conditions.
    """

    def __init__(
        self, *, holds_max: int = 10_000, hold_min_s: float = 0.0, named: bool = True
    ) -> None:
        self.holds: list[LockHold] = []
        self.waits: list[LockWait] = []
        self._patches = Patches(self)
        self.signals = SignalLedger(self._patches)
        self.on_long_wait: Callable[[], None] | None = None
        # True once a lock was taken otherwise than by "async with", which always gives it back.
        self.by_hand = False
        self.hold_min_s = hold_min_s
        self._named = named
        self.holds_max = holds_max
        self.sample_due_s = inf
        self._held: dict[int, list[Hold]] = {}
        self._fresh: dict[Hold, None] = {}
        self._due: list[tuple[float, int, Hold | PendingWait]] = []
        self._waiting: dict[PendingWait, None] = {}
        self._handed_on: weakref.WeakSet[object] = weakref.WeakSet()
        self._numbers = count()
        self._serials = count(1)
        self._lock_numbers: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self._names: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()

    def __enter__(self) -> LockLedger:
        self._patches.open()
        for kind in (asyncio.Lock, asyncio.Semaphore):
            self._patches.replace(kind, "acquire", self._acquiring(kind.acquire))
            self._patches.replace(kind, "release", self._releasing(kind.release))
        self.signals.put_on()
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()

    def holders_of(self, lock: object) -> tuple[Hold, ...]:
        """Return who holds a lock now, the longest holder first."""
        return tuple(self._held.get(id(lock), ()))

    def all_held(self) -> tuple[Hold, ...]:
        """Return every hold that lasts."""
        return tuple(hold for holds in self._held.values() for hold in holds)

    def is_handed_on(self, lock: object) -> bool:
        """Return True if a task has released it that did not take it: others may do so again."""
        return lock in self._handed_on

    def held_counts(self) -> dict[int, int]:
        """Count the locks that each task holds, by the number that the virtual loop gave it."""
        counts: dict[int, int] = {}
        for holds in self._held.values():
            for hold in holds:
                number = getattr(hold.task, "number", 0)
                counts[number] = counts.get(number, 0) + 1
        return counts

    def name_of(self, lock: object, frames: list[FrameType]) -> str:
        """Name a lock by the variable that holds it; a name once found is kept."""
        name = self._names.get(lock)
        if name is None:
            name = name_of(lock, frames)
            if name is None:
                return f"a {type(lock).__name__}"
            self._names[lock] = name
        return name

    def sample(self, now: float) -> None:
        """Look at the holders whose hold has doubled since the last look."""
        looked: list[Hold | PendingWait] = list(self._fresh)
        self._fresh.clear()
        while self._due and self._due[0][0] <= now:
            looked.append(heappop(self._due)[2])
        long_wait = False
        for one in looked:
            if one.over:
                continue
            if isinstance(one, Hold):
                self._look(one, now)
            else:
                long_wait = True
                self._look_again(one, now + max(now - one.begin_s, LONG_WAIT_S))
        self.sample_due_s = self._due[0][0] if self._due else inf
        if long_wait and self.on_long_wait is not None:
            self.on_long_wait()

    def _look(self, hold: Hold, now: float) -> None:
        frames = frames_of(hold.task)
        frame = program_frame(frames)
        if frame is not None:
            inside = next((one for one in frames if one.f_code is hold.code), frame)
            spots = ((frame.f_code, frame.f_lasti), (inside.f_code, inside.f_lasti))
            lines_s = hold.lines_s = hold.lines_s or {}
            lines_s[spots] = lines_s.get(spots, 0.0) + (now - hold.looked_s)
        hold.looked_s = now
        self._look_again(hold, now + max(now - hold.begin_s, _LOOK_AGAIN_S))

    def _look_again(self, one: Hold | PendingWait, when_s: float) -> None:
        heappush(self._due, (when_s, next(self._numbers), one))

    def all_holds(self, now: float) -> tuple[LockHold, ...]:
        """Return the holds that lasted, and those that still do with ``end_s`` None."""
        lasting = [
            self._record(hold, None, [])
            for holds in self._held.values()
            for hold in holds
            if now - hold.begin_s > self.hold_min_s
        ]
        return (*self.holds, *lasting)

    def all_waits(self, now: float) -> tuple[LockWait, ...]:
        """Return the waits that lasted, and those that still do with ``end_s`` None."""
        lasting = [
            self._record_wait(wait, None, frames_of(wait.task))
            for wait in self._waiting
            if now - wait.begin_s > self.hold_min_s
        ]
        return (*self.waits, *lasting)

    def _acquiring(self, original: Any) -> Any:
        async def acquire(lock: Any) -> Literal[True]:
            if (lock.locked() or lock._waiters) and self._patches.acts():
                wait = self._begins_to_wait(lock, sys._getframe(1), acquire.__code__)
                try:
                    await original(lock)
                finally:
                    self._ends_to_wait(wait, sys._getframe(1))
            else:
                await original(lock)
            if self._patches.acts():
                self._took(lock, sys._getframe(1), acquire.__code__)
            return True

        return acquire

    def _releasing(self, original: Any) -> Any:
        held = self._held

        def release(lock: Any) -> None:
            original(lock)
            if not self._patches.acts():
                return
            if id(lock) in held:
                self._gave(lock, sys._getframe(1))
            else:
                self._handed_on.add(lock)

        return release

    def _begins_to_wait(self, lock: object, frame: FrameType, method: CodeType) -> PendingWait:
        loop = asyncio.get_running_loop()
        wait = PendingWait(lock, *taken_for(loop, frame, method=method), loop.time())
        self._waiting[wait] = None
        if self.on_long_wait is not None:
            due_s = wait.begin_s + LONG_WAIT_S
            self._look_again(wait, due_s)
            self.sample_due_s = min(self.sample_due_s, due_s)
        return wait

    def _ends_to_wait(self, wait: PendingWait, frame: FrameType) -> None:
        wait.over = True
        del self._waiting[wait]
        _, now = _task_and_time()
        if now is None or now - wait.begin_s <= self.hold_min_s:
            return
        if len(self.waits) < self.holds_max:
            self.waits.append(self._record_wait(wait, now, list(callers(frame))))

    def _took(self, lock: object, frame: FrameType, method: CodeType) -> None:
        loop = asyncio.get_running_loop()
        hold = Hold(lock, *taken_for(loop, frame, method=method), loop.time())
        holds = self._held.setdefault(id(lock), [])
        holds.append(hold)
        if isinstance(lock, asyncio.Semaphore):
            hold.permits = lock._value + len(holds)
        self.by_hand |= not hold.scoped
        self._fresh[hold] = None
        self.sample_due_s = 0.0

    def _gave(self, lock: object, frame: FrameType) -> None:
        holds = self._held[id(lock)]
        task, now = _task_and_time()
        # A semaphore may be given back by a task that did not take it: then the oldest hold ends.
        hold = holds[0]
        if len(holds) == 1:
            del self._held[id(lock)]
        else:
            hold = next((one for one in holds if one.task is task), hold)
            holds.remove(hold)
        if hold.task is not task:
            self._handed_on.add(lock)
        hold.over = True
        self._fresh.pop(hold, None)
        if now is None or now - hold.begin_s <= self.hold_min_s:
            return
        if len(self.holds) >= self.holds_max:
            return
        self.holds.append(self._record(hold, now, list(callers(frame))))

    def _record(self, hold: Hold, end_s: float | None, frames: list[FrameType]) -> LockHold:
        return LockHold(
            lock=self.name_of(hold.lock, frames or frames_of(hold.task)) if self._named else "",
            task=hold.task_name,
            begin_s=hold.begin_s,
            end_s=end_s,
            where=hold.where,
            across=hold.across,
            held_await=hold.held_await,
            kind=type(hold.lock).__name__,
            number=self.number_of(hold.lock),
            permits=hold.permits,
        )

    def _record_wait(
        self, wait: PendingWait, end_s: float | None, frames: list[FrameType]
    ) -> LockWait:
        return LockWait(
            lock=self.name_of(wait.lock, frames) if self._named else "",
            task="no task" if wait.task is None else wait.task.get_name(),
            begin_s=wait.begin_s,
            end_s=end_s,
            where=place_of(wait.code, line_at(wait.code, wait.instruction)),
            number=self.number_of(wait.lock),
        )

    def number_of(self, lock: object) -> int:
        """Return the number that tells a lock from others of its name."""
        if lock not in self._lock_numbers:
            self._lock_numbers[lock] = next(self._serials)
        return self._lock_numbers[lock]


def _taker(frame: FrameType) -> FrameType:
    """Go up from a lock's own frames to the one that wants it."""
    while frame.f_globals.get("__name__") in _ASKING and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _task_and_time() -> tuple[asyncio.Task[Any] | None, float | None]:
    """Return the current task and the loop's time; without a running loop, neither."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None, None
    return asyncio.current_task(loop), loop.time()
