"""The watchdog that ends a simulated run whose code never gives the loop a turn again."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from harness.diagnosis.places import running_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["NeverYields", "TurnWatchdog"]

CPU_S = 10.0
CPU_AFTER_S = 0.1


class NeverYields(BaseException):
    """Code under test used much CPU time without a turn for the loop; no ``except Exception``."""


class TurnWatchdog:
    """Ends code that runs for ``cpu_s`` to twice as many CPU seconds inside one callback.

    ``turns`` tells how many callbacks the loop has run so far. Virtual time cannot show such code:
    it stands still meanwhile. CPU time is measured but never shown to the program, so a run that
    is not ended this way is the same with and without it. It works in the main thread; elsewhere,
    where signals do not reach, it does nothing.
    """

    def __init__(self, turns: Callable[[], int], *, cpu_s: float = CPU_S) -> None:
        self._turns = turns
        self._cpu_s = cpu_s
        self._seen = -1

    def __enter__(self) -> TurnWatchdog:
        self._in_main = threading.current_thread() is threading.main_thread()
        if self._in_main:
            self._before: Any = signal.signal(signal.SIGVTALRM, self._look)
            signal.setitimer(signal.ITIMER_VIRTUAL, self._cpu_s, self._cpu_s)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._in_main:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, self._before)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        turns = self._turns()
        if turns != self._seen:
            self._seen = turns
            return
        # The run is lost: other code that never yields in the clean-up gets less time.
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_AFTER_S, CPU_AFTER_S)
        place = running_place(frame) or "an unknown place"
        raise NeverYields(
            f"no turn for the loop in {self._cpu_s:g} s of CPU time, at {place}: a loop without an"
            " await that waits, or an await of what is there already"
        )
