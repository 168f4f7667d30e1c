"""What may come next from outside, as a policy sees it: a lane, and words for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy

from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from harness.simulated.loop.outside.lateness import Lateness
    from harness.simulated.loop.ports import ExploredLoop
    from harness.simulated.loop.virtual_time import Entry

__all__ = ["OUTSIDE", "Arrival", "Arrivals", "process_of", "reaches"]

# Lanes of what is outside have numbers from here on, so that none is a task's.
OUTSIDE = 1_000_000

# Of a task's timers; the next ones are of the next timer, whoever set it.
TIMERS = 2_000_000


class Arrival:
    """An event that may come next from outside, with the lane that it belongs to."""

    __slots__ = ("entry", "label", "lane")

    def __init__(self, entry: Entry, *, lane: int, label: str) -> None:
        self.entry = entry
        self.lane = lane
        self.label = label

    def __hash__(self) -> int:
        return hash(self.entry[3])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrival) and other.entry[3] is self.entry[3]


class Arrivals:
    """What may come from outside in one run, each with its lane; timers have lanes of their own."""

    def __init__(self, loop: ExploredLoop, lateness: Lateness) -> None:
        self._loop = loop
        self._lateness = lateness
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin another run; the queue is empty."""
        self._timer_lanes: dict[int, int] = {}
        self._timers_seen = 0

    def of(self, entry: Entry) -> Arrival:
        """Return an entry of the queue as a policy sees it."""
        event = entry[3]
        if isinstance(event, simpy.Event):
            process = process_of(event)
            name = None if process is None else getattr(process, "label", None) or process.name
            lane = OUTSIDE + getattr(process, "serial", 0)
            return Arrival(entry, lane=lane, label=name or "event")
        return Arrival(entry, lane=self._timer_lane(entry), label="timer")

    def _timer_lane(self, entry: Entry) -> int:
        """Return the lane of a timer: each has its own, named by who set it."""
        number = self._lateness.first_number(entry[2])
        lane = self._timer_lanes.get(number)
        if lane is None:
            self._timers_seen += 1
            lane = self._timer_lanes[number] = TIMERS + self._timers_seen
            timer: Any = entry[3]
            self._loop.timer_met(lane, timer.context.get(TASK_NUMBER, 0))
        return lane

    def is_seen_timer(self, number: int) -> bool:
        """Return True for a timer that a policy has seen."""
        return self._lateness.first_number(number) in self._timer_lanes

    def comes(self, number: int) -> None:
        """Note that an entry leaves the queue."""
        if self._timer_lanes:
            self._timer_lanes.pop(self._lateness.first_number(number), None)


def process_of(event: simpy.Event) -> Any:
    """Return the SimPy process that waits for an event, or None."""
    for callback in event.callbacks or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, simpy.Process):
            return owner
    return None


def reaches(entry: Entry) -> bool:
    """Return True for an entry of the queue that does something; a timer may be cancelled."""
    event = entry[3]
    return isinstance(event, simpy.Event) or event.call is not None
