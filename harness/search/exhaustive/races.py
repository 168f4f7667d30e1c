"""Which steps of a run raced, and who must go first so that the race goes otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.exhaustive.footprint import EVERYTHING, Footprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.search.exhaustive.decision_path import Decision

__all__ = ["Event", "races_of"]


class Event:
    """One step of a run: its lane, what it touched, and the steps without which it cannot be.

    ``enablers`` is a set of bits, one for each earlier event that made this step possible.
    """

    __slots__ = ("before", "decision", "enablers", "footprint", "lane", "meets")

    def __init__(self, lane: int, enablers: int, decision: Decision | None) -> None:
        self.lane = lane
        self.enablers = enablers
        self.decision = decision
        self.footprint: Footprint = EVERYTHING
        # The steps that come before it in the order of causes, as bits; known once it was analysed.
        self.before = 0
        # Whether things were met in it that were not met before.
        self.meets = False


def races_of(events: list[Event], *, begin: int) -> Iterator[tuple[Decision, frozenset[int]]]:
    """Yield the races in which a step from ``begin`` on came second; earlier ones were analysed.

    A race is two steps that conflict, with no third between them in the order of causes, of which
    the second could have come first. It is told as the decision that let the first go ahead, with
    the lanes of which one must go there for the race to end otherwise: the initials of source-DPOR
    (Abdulla, Aronis, Jonsson & Sagonas, POPL 2014).
    """
    last: dict[int, int] = {}
    for index, event in enumerate(events):
        if index < begin:
            last[event.lane] = index
            continue
        enablers = event.enablers
        if event.lane in last:
            enablers |= 1 << last[event.lane]
        last[event.lane] = index
        before = enablers
        for earlier in range(index):
            if enablers >> earlier & 1:
                before |= events[earlier].before
        for earlier in range(index - 1, -1, -1):
            if before >> earlier & 1:
                continue
            first = events[earlier]
            if not event.footprint.conflicts(first.footprint):
                continue
            before |= first.before | 1 << earlier
            if first.decision is not None:
                yield first.decision, _initials(events, earlier, index, before_last=before)
        event.before = before


def _initials(events: list[Event], first: int, last: int, *, before_last: int) -> frozenset[int]:
    """Return the lanes that can begin what does not come after ``first``, up to ``last``."""
    bits = 0
    lanes = set()
    for index in range(first + 1, last):
        if not events[index].before >> first & 1:
            if not events[index].before & bits:
                lanes.add(events[index].lane)
            bits |= 1 << index
    # What the last one comes after is not yet whole here, but all of it that lies behind first is.
    if not before_last & bits:
        lanes.add(events[last].lane)
    return frozenset(lanes)
