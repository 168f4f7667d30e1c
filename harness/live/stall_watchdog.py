"""Own the end of runs that no longer move: a thread that sees it, dumps why, and ends the run."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING

from harness.history import Blocked, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

__all__ = ["StallWatchdog", "Stalled"]

LOOK_EVERY_S = 0.25
# How long a loop may be without a turn, after a stall was seen, before its thread is interrupted.
TURN_WITHIN_S = 5.0


class Stalled(BaseException):
    """Raised in the main thread out of whatever blocks the event loop."""


class StallWatchdog:
    """Watches one run: no sign of life for ``stall_s`` wall seconds ends it.

    ``diagnose`` is called on the loop and says who waits for what. A loop that takes no turn any
    more (blocking code in a coroutine) is diagnosed from outside by its thread's stack, and is
    interrupted by a signal.
    """

    def __init__(self, *, stall_s: float, diagnose: Callable[[], Diagnosis]) -> None:
        self.diagnosis: Diagnosis | None = None
        self._stall_s = stall_s
        self._diagnose = diagnose
        self._begin_s = self._alive_s = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall watchdog", daemon=True)
        self._main = threading.current_thread()

    def sign_of_life(self) -> None:
        """Note that the run moves."""
        self._alive_s = time.monotonic()

    def __enter__(self) -> StallWatchdog:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._in_main = self._main is threading.main_thread()
        if self._in_main:
            self._before = signal.signal(signal.SIGUSR1, _raise_stalled)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        # The thread looks every quarter of a second, so this is short.
        self._thread.join(timeout=10 * LOOK_EVERY_S + TURN_WITHIN_S)
        if self._in_main:
            signal.signal(signal.SIGUSR1, self._before)

    def _watch(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            if time.monotonic() - self._alive_s > self._stall_s:
                self._end()
                return

    def _end(self) -> None:
        took_a_turn = threading.Event()

        def dump() -> None:
            took_a_turn.set()
            if self.diagnosis is not None:
                # The loop was stuck, and turns again only to clean up: what it hides was seen.
                return
            self.diagnosis = self._diagnose()
            if self._task is not None:
                self._task.cancel()

        self._loop.call_soon_threadsafe(dump)
        if took_a_turn.wait(TURN_WITHIN_S) or self._done.is_set():
            return
        self.diagnosis = self._from_outside()
        if self._in_main and self._main.ident is not None:
            signal.pthread_kill(self._main.ident, signal.SIGUSR1)

    def _from_outside(self) -> Diagnosis:
        """Diagnose a loop that is stuck inside a callback, by the stack of its thread."""
        frame = sys._current_frames().get(self._main.ident or 0)
        stack = traceback.extract_stack(frame) if frame is not None else []
        where = f"{stack[-1].filename}:{stack[-1].lineno}" if stack else "unknown"
        return Diagnosis(
            at_s=time.monotonic() - self._begin_s,
            blocked=(
                Blocked(
                    task="event loop",
                    waits_for="blocking code in a coroutine: the loop takes no turn",
                    where=where,
                ),
            ),
            exact=False,
            attachments=(("stack of the event loop", "".join(traceback.format_list(stack))),),
        )


def _raise_stalled(_signal: int, _frame: FrameType | None) -> None:
    msg = "the event loop took no turn"
    raise Stalled(msg)
