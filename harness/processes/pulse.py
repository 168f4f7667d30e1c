"""The thread that looks now and then at whoever is watched: at a run that may never end."""

from __future__ import annotations

import _thread
import os
import time
from typing import TYPE_CHECKING

from harness.processes.below_python import original

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PULSE_S", "begin_pulse", "end_pulse", "is_pulse"]

# Seconds between two looks.
PULSE_S = 0.1
# Looks without anybody to look at, after which the thread sleeps until it is needed.
IDLE_LOOKS = 20
# What a thread takes to end, once it has nothing more to do.
_END_S = 0.0005
# Inside a run both are refused.
_REAL_SLEEP = original(time.sleep)
_BEGIN_THREAD = original(_thread.start_new_thread)


class _Pulse:
    """One thread for the process, made when it is first needed; between runs it sleeps.

    A timer's signal would be the program's own affair, and pytest-timeout's. It is made below
    ``threading``, so that nobody who counts threads, or waits for them at exit, sees it. Whoever
    forks has no second thread: it ends before, and begins again with the next run.
    """

    def __init__(self) -> None:
        self.ident = 0
        self._look: Callable[[], None] | None = None
        self._lock = _thread.allocate_lock()
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._sleeps = False
        self._ends = False

    def begin(self, look: Callable[[], None]) -> None:
        self._look = look
        if not self.ident:
            with self._lock:
                if not self.ident:
                    self._ends = False
                    self.ident = _BEGIN_THREAD(self._live, ())
        elif self._sleeps:
            self._rouse()

    def end(self) -> None:
        self._look = None

    def stop(self) -> None:
        """End the thread; when this returns, it has ended."""
        if self.ident:
            self._ends = True
            while self.ident:
                self._rouse()
                # It needs the interpreter to end, and gets it while this sleeps.
                _REAL_SLEEP(_END_S)
            _REAL_SLEEP(_END_S)

    def forget(self) -> None:
        """Know in a child that the thread is not there."""
        self.__init__()  # type: ignore[misc]

    def _rouse(self) -> None:
        if self._wake.locked():
            try:
                self._wake.release()
            except RuntimeError:
                # It was roused already.
                return

    def _live(self) -> None:
        idle = 0
        try:
            while not self._ends:
                self._sleeps = idle >= IDLE_LOOKS
                if self._sleeps and self._look is None:
                    self._wake.acquire()
                    idle = 0
                    continue
                self._sleeps = False
                self._wake.acquire(timeout=PULSE_S)
                look = self._look
                idle = idle + 1 if look is None else 0
                if look is not None and not self._ends:
                    look()
        finally:
            self.ident = 0


_pulse = _Pulse()
os.register_at_fork(before=_pulse.stop, after_in_child=_pulse.forget)


def begin_pulse(look: Callable[[], None]) -> None:
    """Have a function called every ``PULSE_S`` seconds, in another thread, until ``end_pulse``."""
    _pulse.begin(look)


def end_pulse() -> None:
    """Have nothing called any more."""
    _pulse.end()


def is_pulse(thread: int) -> bool:
    """Return True for the identifier of the thread that looks."""
    return thread == _pulse.ident
