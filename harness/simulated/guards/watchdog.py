"""The watchdog of real time: it ends a step that does not return, and a run that outlasts its time.

It costs a run nothing while that goes on: another thread looks now and then how many steps have
been taken. What it sees does not reach the program, so a run that is not ended is the same with it
and without it.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from asyncio import events
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import is_program
from harness.diagnosis.places import place_of
from harness.processes.below_python import get_ident, original
from harness.processes.pulse import PULSE_S, begin_pulse, end_pulse
from harness.simulated.guards.blocked_step import (
    frames_behind,
    place_of_step,
    program_frame_of_step,
    what_never_comes,
)
from harness.simulated.limits.cut import LINES_MAX, Cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["NeverReturns", "Watchdog", "is_debugged"]

# Seconds of CPU time that one step may take, and seconds that it may take by the clock where it
# waits, or where the machine is busy with other things.
CPU_S = 10.0
WAITS_S = 10.0
BUSY_S = 60.0
# So long a step must have waited, with hardly any CPU time, for it to be asked what it waits for.
BLOCKED_S = 1.0
IDLE_SHARE = 0.02
AGAIN_S = 0.3
# Once a run is lost, what it still does to clean up has less time.
AFTER_S = 0.3
# A program that has taken the exception so often is not given the chance any more.
TAKEN_MAX = 3
# Seconds past the end of a search's time in which the run that is under way may still end.
GRACE_S = 0.5
# A look that comes much later than it should was not the program's fault: the machine slept.
LOOK_S_MAX = 5 * PULSE_S

# Of the machine: inside a run time.perf_counter() tells virtual time.
_REAL_CLOCK = original(time.perf_counter)
_CPU_CLOCK = original(time.clock_gettime)
_CPU_OF_ALL = original(time.process_time)
_FRAMES, _KILL = original(sys._current_frames), original(signal.pthread_kill)
# By default it does nothing, and hardly anybody uses it.
_SIGNAL = signal.SIGURG
_DEBUGGERS = frozenset({
    "bdb", "debugpy", "ipdb", "pdb", "pdbpp", "pudb", "pydevd", "_pydevd_bundle",
})  # fmt: skip


class NeverReturns(BaseException):
    """A step was ended from outside, since it did not return; no ``except Exception`` takes it."""


class Watchdog:
    """Ends what does not return, within ``with``; ``cut`` then says why.

    ``turns`` is anything that changes with each step of the loop. ``loop`` gives the loop that
    turns. ``until_s`` is the moment of ``time.perf_counter()`` at which a search's time is over; it
    may be set at any time.

    A step that waits is ended as a finding if it can be shown that what it waits for never comes
    (see ``what_never_comes``). All else that outlasts a limit is ended as just that. In the main
    thread a signal interrupts even a wait for a lock. In another one only Python code can be ended,
    and a wait that was shown to be for ever. Under a debugger nothing is ended.
    """

    def __init__(
        self,
        turns: Callable[[], object],
        loop: Callable[[], Any],
    ) -> None:
        self.cut: Cut | None = None
        self.until_s: float | None = None
        self._turns = turns
        self._loop = loop
        self._blocked_s = BLOCKED_S
        self._lines: Counter[str] = Counter()
        self._seen: object = None
        self._looked_s = self._cpu_at_s = self._stands_s = 0.0
        self._asked = False
        self._why: str | None = None
        self._raised = 0
        self._open = self._ends = False

    def __enter__(self) -> Watchdog:
        self._off = is_debugged(None)
        if self._off:
            return self
        self._thread = get_ident()
        self._cpu = _cpu_clock_of(self._thread)
        self._in_main = threading.current_thread() is threading.main_thread()
        if self._in_main:
            self._before: Any = signal.signal(_SIGNAL, self._heard)
        self._open = True
        self._looked_s = _REAL_CLOCK()
        begin_pulse(self._look)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._open:
            end_pulse()
            self._open = False
            if self._in_main:
                signal.signal(_SIGNAL, self._before)
            if self._raised > TAKEN_MAX:
                sys.settrace(None)

    def begin_anew(self) -> None:
        """Forget the run that was cut: another one begins."""
        self.cut = None

    def _look(self) -> None:
        """Look, in the other thread, whether the loop has taken a step since."""
        now_s = _REAL_CLOCK()
        passed_s, self._looked_s = min(now_s - self._looked_s, LOOK_S_MAX), now_s
        turns = self._turns()
        cpu_s = self._cpu()
        if turns != self._seen:
            self._seen, self._stands_s, self._cpu_at_s, self._asked = turns, 0.0, cpu_s, False
            self._lines.clear()
        else:
            self._stands_s += passed_s
            self._note_line()
        why = self._reason(now_s, cpu_s - self._cpu_at_s)
        if why is not None and not self._off:
            self._why = why
            self._interrupt()

    def _reason(self, now_s: float, cpu_s: float) -> str | None:
        """Say what is to be told to the watched thread, if anything is."""
        stands_s, lost = self._stands_s, self.cut is not None
        idle = cpu_s <= IDLE_SHARE * stands_s
        if lost:
            return "after" if stands_s >= AFTER_S else None
        if self.until_s is not None and now_s > self.until_s + GRACE_S:
            return "budget"
        if cpu_s >= CPU_S or stands_s >= (WAITS_S if idle else BUSY_S):
            return "limit"
        if idle and stands_s >= self._blocked_s and not self._asked:
            self._asked = True
            return "blocked"
        return None

    def _note_line(self) -> None:
        frame = program_frame_of_step(_FRAMES().get(self._thread))
        if frame is not None:
            self._lines[place_of(frame.f_code, frame.f_lineno)] += 1

    def _interrupt(self) -> None:
        if self._in_main:
            if self._open:
                _KILL(self._thread, _SIGNAL)
            return
        frame = _FRAMES().get(self._thread)
        wait = self._judge(frame)
        if self._ends:
            raised = ctypes.py_object(NeverReturns)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), raised)
            if wait is not None and hasattr(wait.lock, "release"):
                # It does not hear of it before it has what it waits for.
                wait.lock.release()

    def _heard(self, _signal: int, frame: FrameType | None) -> None:
        """Judge, in the watched thread itself, and raise in the step that is under way."""
        if self._open and self._why is not None:
            self._judge(frame)
            if self._ends and self.cut is not None:
                self._raised += 1
                if self._raised > TAKEN_MAX:
                    _raise_at_each_line(frame)
                raise NeverReturns(self.cut.text)

    def _judge(self, frame: FrameType | None) -> Any:
        """Decide whether the run ends here, and with it the step: then ``_ends``."""
        why, wait, self._ends = self._why, None, False
        if self._off or (self._raised <= TAKEN_MAX and is_debugged(frame)):
            # Whoever looks at a run step by step is in no hurry.
            self._off = True
            return None
        loop, stands = self._loop(), self._turns() == self._seen
        if loop is None or not (stands or why == "budget") or not _is_in_run(loop):
            return None
        if why != "after" and stands and self._stands_s >= self._blocked_s:
            wait = what_never_comes(frame, loop)
        if why == "blocked" and wait is None:
            return None
        if self.cut is None:
            self.cut = self._told(frame, wait, budget=why == "budget")
            if wait is not None:
                # What was shown once is soon shown again, as the failure is made smaller.
                self._blocked_s = min(self._blocked_s, AGAIN_S)
        loop.stop()
        # A search whose time is over waits for the end of a step that does end.
        self._ends = why != "budget" or self._stands_s >= self._blocked_s
        self._why, self._stands_s = None, 0.0
        return wait

    def _told(self, frame: FrameType | None, wait: Any, *, budget: bool) -> Cut:
        place = "an unknown place" if frame is None else place_of_step(frame, self._loop())
        if wait is not None:
            headline = f"the loop waits for itself: {wait.where} waits for {wait.what}"
            return Cut(shown=True, headline=headline, where=wait.where)
        # Where it stands is told; the others are those where it was seen most often.
        total = sum(self._lines.values()) or 1
        lines = tuple(
            f"{one} ({seen / total:.0%} of the looks)"
            for one, seen in self._lines.most_common(LINES_MAX)
        )
        if budget and self._stands_s >= BLOCKED_S:
            headline = f"the search's time was over while no turn came for the loop, at {place}"
            return Cut(shown=False, headline=headline, lines=lines)
        if budget:
            headline = f"the search's time was over in the middle of a run, at {place}"
            return Cut(shown=False, headline=headline, lines=lines, budget=True)
        idle = self._cpu() - self._cpu_at_s <= IDLE_SHARE * self._stands_s
        took = f"{WAITS_S:g} s in which it waited" if idle else f"{CPU_S:g} s of CPU time"
        headline = f"no turn for the loop in {took}, at {place}"
        return Cut(shown=False, headline=headline, lines=lines)


def _is_in_run(loop: Any) -> bool:
    """Return True while a loop turns, or what it left behind is ended: not between two runs."""
    return loop.is_running() or events._get_running_loop() is loop


def _cpu_clock_of(thread: int) -> Callable[[], float]:
    """Return the clock of a thread's CPU time; not every system has one for each thread."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return _CPU_OF_ALL if clock_of is None else partial(_CPU_CLOCK, clock_of(thread))


def is_debugged(frame: FrameType | None) -> bool:
    """Return True if somebody looks at this thread step by step: a debugger, or a tracer.

    That coverage is measured says nothing of the kind.
    """
    tracer = sys.gettrace()
    if tracer is not None and _package_of(tracer) != "coverage":
        return True
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    names = (str(one.f_globals.get("__name__", "")) for one in frames_behind(frame))
    return frame is not None and any(name.partition(".")[0] in _DEBUGGERS for name in names)


def _raise_at_each_line(frame: FrameType | None) -> None:
    """Have the next line of each frame of the program raise, one after another.

    A loop round a ``try`` that takes everything is left so: its ``except`` has lines of its own.
    """

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            raise NeverReturns
        return None

    for one in frames_behind(frame):
        if is_program(one):
            one.f_trace = trace
    # What raises is not called again: the interpreter takes it away.
    sys.settrace(trace)


def _package_of(tracer: Any) -> str:
    owner = getattr(tracer, "__self__", tracer)
    return str(getattr(type(owner), "__module__", "")).partition(".")[0]
