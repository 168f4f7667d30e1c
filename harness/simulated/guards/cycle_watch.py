"""The watch for tasks that wait in a cycle while others run on: it ends the run at the first."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import simpy

from harness.diagnosis.wait_graph import lasting_cycles
from harness.simulated.loop.virtual_time import judges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["CycleWatch", "nothing_comes"]


class CycleWatch:
    """Looks for a cycle when a wait for a lock has lasted long; stops the loop if there is one."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.cycle: tuple[asyncio.Task[Any], ...] = ()

    def look(self) -> None:
        """Keep the first cycle that no timer will end, and stop the loop."""
        tasks = asyncio.all_tasks(self._loop)
        cycles = lasting_cycles(tasks, self._timed()) if not self.cycle else ()
        if cycles:
            self.cycle = cycles[0]
            self._loop.stop()

    def _timed(self) -> Iterator[asyncio.Future[Any]]:
        """Find the tasks and futures that a timer will cancel or complete."""
        for entry in self._loop.environment.queue:
            event = entry[-1]
            if not isinstance(event, simpy.Event) and event.call and not judges(event):
                for thing in _things(event.call):
                    if isinstance(thing, asyncio.Future):
                        yield thing


def nothing_comes(loop: VirtualLoop) -> bool:
    """Return True if nothing is ready or on its way but deadlines that judge: all others wait."""
    ready = [one for one in loop.ready if one.call is not None]
    return not loop.environment.on_their_way() and all(map(judges, ready))


def _things(call: tuple[Any, ...]) -> Iterator[object]:
    """List what a timer's callback has at hand: its arguments, its object, that one's attributes.

    A timeout has the task that it will cancel as an attribute, in asyncio and elsewhere.
    """
    callback, *arguments = call
    if isinstance(callback, partial):
        arguments += [*callback.args, *callback.keywords.values()]
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    yield from arguments
    yield owner
    yield from list(getattr(owner, "__dict__", {}).values())
    for cell in getattr(callback, "__closure__", None) or ():
        # A cell may be empty still.
        yield getattr(cell, "cell_contents", None)
