"""The watch for polling: a moment in which the same tasks take turn after turn, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PASS_S", "Polling"]

# What a pass of a loop that only polls takes on a real clock, about.
PASS_S = 10e-6
# Polling that has taken long may go on in larger steps, of this share of the time it has taken:
# so an hour takes it some ten thousand passes. But never in larger ones than this.
GROWTH = 0.001
PASS_S_MAX = 0.1


class Polling:
    """Says by how much time goes on while a program only polls.

    A program may call ``sleep(0)`` again and again for something that only time can bring, such as
    the end of a deadline. On a real clock its polling takes time. In virtual time it takes none, so
    it would poll for ever. Work at one moment, however much, is another thing: there tasks begin,
    end, or take turns. So time creeps only once ``free_passes`` in a row ran the same tasks.
    """

    def __init__(self, free_passes: int) -> None:
        self._free_passes = free_passes
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was seen: another run begins."""
        self.creeps = False
        self._at_s = -1.0
        self._lanes: set[int] = set()
        self._passes = 0
        self._crept_s = 0.0

    def look(self, now_s: float, lanes: Iterable[int], passes: int) -> float:
        """Take note of some passes, and of the tasks that ran in them: how far time goes on.

        Returns the seconds; 0.0 if this is no polling, or not yet.
        """
        ran = set(lanes)
        if now_s != self._at_s or ran != self._lanes:
            self._at_s, self._lanes = now_s, ran
            self._passes, self._crept_s, self.creeps = 0, 0.0, False
            return 0.0
        self._passes += passes
        if self._passes < self._free_passes:
            return 0.0
        if not self.creeps:
            # Those until here took no time, so that the first step is a small one.
            self.creeps, passes = True, 1
        step_s = passes * min(max(PASS_S, self._crept_s * GROWTH), PASS_S_MAX)
        self._crept_s += step_s
        return step_s

    def crept(self, now_s: float) -> None:
        """Take note of the moment that it is now, after time went on."""
        self._at_s = now_s
