"""How late a busy loop may be, and which of two timers then still comes first."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.simulated.loop.ports import ExploredLoop
    from harness.simulated.loop.virtual_time import Entry

__all__ = ["Lateness", "due_by"]

# To look at so few entries costs less than to leave some out.
FEW = 32


class Lateness:
    """Which events of the queue can come next, if the loop is late by no more than ``late_s``.

    Callbacks take no virtual time, on a real clock they do. There a timer is set a little later
    than here, and it is seen a little later. So it comes at any moment from its own to ``late_s``
    after it, and what lies that near may come before it, with one exception. What was set later,
    for the same time or longer, is never earlier: busy or not, the clock does not go back.

    To know that exception, the numbers of the queue's entries tell in which order timers were set.
    ``stretches`` are the times between two moves of the clock; each begins at a number, and was
    begun by an event, of which the number is its base. A timer that was set before that event was
    set is late by no more than what is set in the stretch.
    """

    def __init__(self, loop: ExploredLoop, late_s: float) -> None:
        self.late_s = late_s
        self._environment = loop.environment
        self._timer_class: Any = self._environment._timer_class
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin with the first stretch, which nothing began."""
        self._begins = [0]
        self._bases = [-1]
        # A timer that was overtaken lies in the queue under another number: its first one.
        self.first_numbers: dict[int, int] = {}
        self._moved: dict[int, Entry] = {}
        self.stretch_s = 0.0

    def stretch_begins(self, begun_by: int, now: float) -> None:
        """Note that the clock has moved to an event; -1 if it could have come at another time."""
        self.stretch_s = now
        if self.late_s:
            self._begins.append(next(self._environment._eid))
            self._bases.append(begun_by)

    def moves(self, before: int, entry: Entry) -> None:
        """Note that an entry lies in the queue under another number than before."""
        number = entry[2]
        self.first_numbers[number] = self.first_numbers.pop(before, before)
        self._moved.pop(before, None)
        self._moved[number] = entry

    def happens(self, number: int) -> None:
        """Note that an entry has left the queue."""
        if self.first_numbers.pop(number, None) is not None:
            del self._moved[number]

    def is_timer(self, entry: Entry) -> bool:
        """Return True for a timer of the loop that it may be late for, unlike a watchdog's."""
        background = self._environment.background_numbers
        return type(entry[3]) is self._timer_class and entry[2] not in background

    def soonest(self, until_s: float) -> list[Entry]:
        """List what can come next and by ``until_s``, in the order in which it comes by default."""
        environment = self._environment
        windows = environment.windows or {}
        timer_class, background = self._timer_class, environment.background_numbers
        late_s = self.late_s
        found: list[tuple[float, Entry]] = []
        whole = windows or len(environment.queue) <= FEW
        for entry in environment.queue if whole else self._up_to_the_first(environment.queue):
            first_s, _, number, _ = entry
            event: Any = entry[3]
            last_s = first_s
            if type(event) is timer_class:
                if event.call is None:
                    continue
                if number not in background:
                    first_s = min(first_s, event.when_s)
                    last_s = max(last_s, event.when_s + late_s)
            elif number in windows:
                first_s, last_s = windows[number]
                last_s = max(last_s, entry[0])
            until_s = min(until_s, last_s)
            if first_s <= until_s:
                found.append((first_s, entry))
        possible = [entry for first_s, entry in found if first_s <= until_s]
        if len(possible) > 1:
            possible.sort(key=_order)
            return self._without_the_blocked(possible)
        return possible

    def _up_to_the_first(self, queue: list[Entry]) -> list[Entry]:
        """List what can come before the first of a queue must have come; it has no window."""
        event: Any = queue[0][3]
        last_s = queue[0][0]
        if type(event) is self._timer_class:
            if event.call is None:
                return queue
            last_s = max(last_s, event.when_s) + self.late_s
        return due_by(queue, last_s) + [one for one in self._moved.values() if one[0] > last_s]

    def _without_the_blocked(self, possible: list[Entry]) -> list[Entry]:
        """Leave out each timer that another one of these always comes before."""
        timers = [entry for entry in possible if self.is_timer(entry)]
        if len(timers) < 2:
            return possible
        return [
            entry
            for entry in possible
            if not (self.is_timer(entry) and any(self._precedes(one, entry) for one in timers))
        ]

    def _precedes(self, one: Entry, other: Entry) -> bool:
        """Return True if a timer always comes before another one."""
        first: Any = one[3]
        second: Any = other[3]
        if first.when_s > second.when_s or first is second:
            return False
        return self._set_no_later(self._number(one), self._number(other))

    def _number(self, entry: Entry) -> int:
        return self.first_numbers.get(entry[2], entry[2])

    def _set_no_later(self, first: int, second: int) -> bool:
        """Return True if the first number's timer was set late by no more than the second's."""
        begins = self._begins
        while first < second:
            stretch = bisect_right(begins, second) - 1
            if begins[stretch] <= first:
                return True
            second = self._bases[stretch]
        return False

    def base_of(self, entry: Entry) -> int:
        """Return the number of an event whose moment follows from when it was set, or -1."""
        windows = self._environment.windows or {}
        return -1 if entry[2] in windows else self._number(entry)

    def none_near(self, queue: Sequence[Entry]) -> bool:
        """Return True, at a glance, if the queue has nothing so near its head that both may come.

        It has no window.
        """
        if len(queue) < 2:
            return True
        second_s = queue[1][0] if len(queue) < 3 else min(queue[1][0], queue[2][0])
        return second_s - queue[0][0] > self.late_s or isinstance(queue[0][3], simpy.Event)


def due_by(queue: list[Entry], last_s: float) -> list[Entry]:
    """List the entries of a queue up to a moment, in no order."""
    if len(queue) <= FEW:
        return [entry for entry in queue if entry[0] <= last_s]
    # It is a heap: behind what comes later, all does.
    found, places = [], [0]
    while places:
        place = places.pop()
        if place < len(queue) and queue[place][0] <= last_s:
            found.append(queue[place])
            places += (2 * place + 1, 2 * place + 2)
    return found


def _order(entry: Entry) -> tuple[float, int, int]:
    return entry[:3]
