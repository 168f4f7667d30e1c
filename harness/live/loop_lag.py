"""The lag of a real loop: how long it took no turn, and which line ran then."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from harness.diagnosis.places import place_of, program_frame
from harness.history.records import LoopLag

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["LoopLagWatch"]

BEAT_S = 0.02
# Shorter lags come from the machine and the garbage collector, not the program.
LAG_MIN_S = 0.1
_KEPT_MAX = 1_000


class LoopLagWatch:
    """Makes the loop beat every 20 ms; a thread looks at the loop's stack when a beat is late.

    ``lags`` holds those of over 100 ms, in wall seconds from ``attach``, each with the line of the
    program that was seen most often in it.
    """

    def __init__(self) -> None:
        self.lags: list[LoopLag] = []
        self._places: Counter[str] = Counter()
        self._done = threading.Event()
        self._begin_s = self._beat_s = time.perf_counter()
        self._runner = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._watch, name="loop lag watch", daemon=True)

    def attach(self) -> None:
        """Begin to beat; called on the loop, as the run begins."""
        self._loop = asyncio.get_running_loop()
        self._runner = threading.get_ident()
        self._begin_s = self._beat_s = time.perf_counter()
        self._loop.call_later(BEAT_S, self._beat)
        self._thread.start()

    def __enter__(self) -> LoopLagWatch:
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        now_s = time.perf_counter()
        lag_s = now_s - self._beat_s - BEAT_S
        places, self._places = self._places, Counter()
        if lag_s > LAG_MIN_S and len(self.lags) < _KEPT_MAX:
            seen = places.most_common(1)
            where = seen[0][0] if seen else "an unknown line"
            self.lags.append(LoopLag(at_s=self._beat_s - self._begin_s, lag_s=lag_s, where=where))
        self._beat_s = now_s
        if self._loop is not None:
            self._loop.call_later(BEAT_S, self._beat)

    def _watch(self) -> None:
        while not self._done.wait(BEAT_S):
            if time.perf_counter() - self._beat_s > 2 * BEAT_S:
                place = _place(sys._current_frames().get(self._runner))
                if place is not None:
                    self._places[place] += 1


def _place(frame: FrameType | None) -> str | None:
    """Name the line of the program that runs, or None while the loop itself runs."""
    running = program_frame(frame)
    return None if running is None else place_of(running.f_code, running.f_lineno)
