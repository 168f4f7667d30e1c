"""The watchdog for stalled runs: a thread that diagnoses and ends a run that no longer moves."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.diagnosis.places import running_place
from harness.history.records import Blocked, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

__all__ = ["StallWatchdog", "Stalled"]

LOOK_EVERY_S = 0.25
# Seconds that a loop may take no turn, after a stall was seen, before its thread is interrupted.
# Code that swallows an interruption is interrupted again.
TURN_WITHIN_S = 5.0
# Seconds that a run may take to clean up, after it was cancelled for a stall.
CLEAN_UP_WITHIN_S = 30.0


class Stalled(BaseException):
    """Raised in the main thread, inside the code that blocks the event loop."""


class StallWatchdog:
    """Ends a run that shows no sign of life for ``stall_s`` wall seconds.

    ``diagnose`` is called on the loop and returns who waits for what; then the run is cancelled. A
    loop that takes no turn any more (blocking code in a coroutine) is diagnosed by the stack of its
    thread. What does not end when cancelled is interrupted by signals until the run is over.
    Signals reach the main thread only: a run in another thread is only cancelled.
    """

    def __init__(self, *, stall_s: float, diagnose: Callable[[], Diagnosis]) -> None:
        self.diagnosis: Diagnosis | None = None
        self._stall_s = stall_s
        self._clean_up_s = max(TURN_WITHIN_S, min(stall_s, CLEAN_UP_WITHIN_S))
        self._diagnose = diagnose
        self._begin_s = self._alive_s = self._turn_s = time.monotonic()
        self._patient_until_s: dict[object, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall watchdog", daemon=True)
        self._runner = threading.current_thread()

    def attach(self) -> None:
        """Note the loop and the task to end; called on the loop, as the run begins."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    def sign_of_life(self) -> None:
        """Note that the run moves."""
        self._alive_s = time.monotonic()

    @contextmanager
    def patient(self, for_s: float) -> Iterator[None]:
        """Expect no sign of life inside the block for so many seconds: a deadline or a delay."""
        key = object()
        self._patient_until_s[key] = time.monotonic() + for_s
        try:
            yield
        finally:
            del self._patient_until_s[key]
            self.sign_of_life()

    def __enter__(self) -> StallWatchdog:
        self._in_main = self._runner is threading.main_thread()
        if self._in_main:
            self._before = signal.signal(signal.SIGUSR1, self._raise_stalled)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        self._done.set()
        # The thread looks every quarter of a second, so this wait is short.
        self._thread.join(timeout=10 * LOOK_EVERY_S + TURN_WITHIN_S)
        if self._in_main:
            signal.signal(signal.SIGUSR1, self._before)

    def _watch(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            now_s = time.monotonic()
            if now_s - self._turn_s > self._stall_s or self._quiet_s(now_s) > self._stall_s:
                self._end()
                return
            self._post(self._note_turn)

    def _quiet_s(self, now_s: float) -> float:
        """Return the seconds without an expected sign of life."""
        return now_s - max(self._alive_s, *self._patient_until_s.copy().values(), 0.0)

    def _note_turn(self) -> None:
        self._turn_s = time.monotonic()

    def _post(self, callback: Callable[[], None]) -> None:
        """Call back on the loop, if there is one and it is open."""
        if self._loop is None:
            self._turn_s = time.monotonic()
            return
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            # The loop has been closed: the run is nearly over.
            self._turn_s = time.monotonic()

    def _end(self) -> None:
        """Diagnose the run, cancel it, and interrupt what is left."""
        took_a_turn = threading.Event()

        def dump() -> None:
            took_a_turn.set()
            if self.diagnosis is not None:
                # The loop was stuck, and was diagnosed then; it now only cleans up.
                return
            try:
                self.diagnosis = self._diagnose()
            finally:
                self.diagnosis = self.diagnosis or self._from_outside()
                if self._task is not None:
                    self._task.cancel()

        self._post(dump)
        if not took_a_turn.wait(TURN_WITHIN_S) and not self._done.is_set():
            self.diagnosis = self._from_outside()
            self._interrupt()
        while not self._done.wait(self._clean_up_s):
            self._interrupt()

    def _interrupt(self) -> None:
        if self._in_main and self._runner.ident is not None:
            signal.pthread_kill(self._runner.ident, signal.SIGUSR1)

    def _raise_stalled(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._over:
            raise Stalled("the run did not move, and did not end when it was cancelled")

    def _from_outside(self) -> Diagnosis:
        """Diagnose a loop that is stuck in a callback, by the stack of its thread."""
        frame = sys._current_frames().get(self._runner.ident or 0)
        stack = traceback.extract_stack(frame) if frame is not None else []
        return Diagnosis(
            at_s=time.monotonic() - self._begin_s,
            blocked=(
                Blocked(
                    task="event loop",
                    waits_for="blocking code in a coroutine: the loop takes no turn",
                    where=running_place(frame) or "unknown",
                ),
            ),
            exact=False,
            attachments=(("stack of the event loop", "".join(traceback.format_list(stack))),),
        )
