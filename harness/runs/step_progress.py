"""How far a step has come: the moments that other steps, and a close of the system, wait for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.scenario.model import Start

__all__ = ["StepProgress", "moment_of"]


class StepProgress:
    """What others may wait for: a step's first begin, its first arrival at a gate, its end."""

    def __init__(self, calls: int) -> None:
        self.begins = asyncio.Event()
        self.parks = asyncio.Event()
        self.ends = asyncio.Event()
        self._left = calls

    def ended(self, _task: asyncio.Task[None]) -> None:
        """Count one copy's end; the step has ended with the last.

        Whoever waits for it to begin or to park need not wait any longer: it never will.
        """
        self._left -= 1
        if self._left == 0:
            self.begins.set()
            self.parks.set()
            self.ends.set()


async def moment_of(start: Start, progress: Mapping[str, StepProgress]) -> None:
    """Wait for the moment of another step that ``start`` names, if it names one."""
    if start.after is not None:
        moment: asyncio.Event = getattr(progress[start.after], start.when)
        await moment.wait()
