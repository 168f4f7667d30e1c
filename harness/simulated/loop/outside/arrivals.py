"""What may come next from outside, as a policy sees it: a lane, and words for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from harness.simulated.loop.virtual_time import Entry

__all__ = ["Arrival", "process_of"]


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


def process_of(event: simpy.Event) -> Any:
    """Return the SimPy process that waits for an event, or None."""
    for callback in event.callbacks or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, simpy.Process):
            return owner
    return None
