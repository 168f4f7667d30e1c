"""How late a busy loop may be, and which of two timers then still comes first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.simulated.loop.ports import ExploredLoop
    from harness.simulated.loop.virtual_time import Entry

__all__ = ["Lateness", "due_by", "in_order"]

# To look at so few entries costs less than to leave some out.
FEW = 32
# A float's error in how long a timer was set for.
ROUNDING_S = 1e-9


class Lateness:
    """Which events of the queue can come next, if the loop is late by no more than ``late_s``.

    Callbacks take no virtual time, on a real clock they do. There a timer is set a little later
    than here, and it is seen a little later. So it comes at any moment from its own to ``late_s``
    after it, and what lies that near may come before it, with one exception. What was set later,
    for the same time or longer, is never earlier: busy or not, the clock does not go back. For how
    long a timer was set is only known of ``call_later``; the moment of a ``call_at`` may rest on
    what the clock told long before.

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
        # What the clock has told since an event's number; it moves within a stretch, too.
        self._told_from = [0]
        self._told_s = [0.0]
        # A timer that was overtaken lies in the queue under another number: its first one.
        self._first_numbers: dict[int, int] = {}
        self._moved: dict[int, Entry] = {}
        self.stretch_s = 0.0

    def stretch_begins(self, begun_by: int, now: float) -> None:
        """Note that the clock has moved to an event; -1 if it could have come at another time."""
        self.stretch_s = now
        if self.late_s:
            self._begins.append(self.clock_moved(now))
            self._bases.append(begun_by)

    def goes_on(self, now: float) -> None:
        """Note that callbacks alone have taken that long: the loop did not wait."""
        self.stretch_s = now
        self.clock_moved(now)

    def clock_moved(self, now: float) -> int:
        """Note that the clock tells another time; return the number from which it does."""
        number: int = next(self._environment._eid)
        self._told_from.append(number)
        self._told_s.append(now)
        return number

    def is_due_at_once(self, entry: Entry) -> bool:
        """Return True for a timer that was due as it was set: so it is, however late the loop."""
        timer: Any = entry[3]
        return bool(timer.when_s <= self._told(self._number(entry)))

    def _told(self, number: int) -> float:
        """Return what the clock told as a timer was set."""
        return self._told_s[bisect_right(self._told_from, number) - 1]

    def moves(self, before: int, entry: Entry) -> None:
        """Note that an entry lies in the queue under another number than before."""
        number = entry[2]
        self._first_numbers[number] = self._first_numbers.pop(before, before)
        self._moved.pop(before, None)
        self._moved[number] = entry

    def happens(self, number: int) -> None:
        """Note that an entry has left the queue."""
        if self._first_numbers.pop(number, None) is not None:
            del self._moved[number]

    def is_timer(self, entry: Entry) -> bool:
        """Return True for a timer of the loop that it may be late for, unlike a watchdog's."""
        background = self._environment.background_numbers
        return type(entry[3]) is self._timer_class and entry[2] not in background

    def last_s(self, entry: Entry) -> float:
        """Return the last moment at which an event can come."""
        last_s: float = entry[0]
        window = (self._environment.windows or {}).get(entry[2])
        if window is not None:
            last_s = max(last_s, window[1])
        elif self.is_timer(entry):
            timer: Any = entry[3]
            last_s = max(last_s, timer.when_s + self.late_s)
        return last_s

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
            possible.sort(key=in_order)
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
        timers = [self._number(entry) if self.is_timer(entry) else -1 for entry in possible]
        earliest = _Earliest(self._begins)
        absolute, shortest_s = self._environment.absolute_numbers, inf
        blocked = set()
        for number, entry in sorted(zip(timers, possible, strict=True), key=_first):
            if number < 0:
                continue
            earliest.add(number, _when_s(entry))
            if number not in absolute:
                for_s = _when_s(entry) - self._told(number)
                if shortest_s <= for_s + ROUNDING_S:
                    blocked.add(number)
                shortest_s = min(shortest_s, for_s)
        if earliest.count < 2:
            return possible
        return [
            entry
            for number, entry in zip(timers, possible, strict=True)
            if number < 0
            or not (number in blocked or self._is_preceded(number, _when_s(entry), earliest))
        ]

    def _is_preceded(self, number: int, when_s: float, earliest: _Earliest) -> bool:
        """Return True if one of these timers was set late by no more than this, for no longer."""
        while number > earliest.first:
            stretch = bisect_right(self._begins, number) - 1
            if earliest.before(number, stretch) <= when_s:
                return True
            number = self._bases[stretch]
        return False

    def first_number(self, number: int) -> int:
        """Return the number under which an entry lay in the queue before it was overtaken."""
        return self._first_numbers.get(number, number)

    def _number(self, entry: Entry) -> int:
        return self._first_numbers.get(entry[2], entry[2])

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


class _Earliest:
    """The moments of timers that were set in each stretch: the earliest up to each number."""

    def __init__(self, begins: list[int]) -> None:
        self.first = 0
        self.count = 0
        self._begins = begins
        self._known: dict[int, tuple[list[int], list[float]]] = {}

    def add(self, number: int, when_s: float) -> None:
        """Add a timer; they come in the order of their numbers."""
        self.first = self.first if self.count else number
        self.count += 1
        stretch = bisect_right(self._begins, number) - 1
        numbers, moments = self._known.setdefault(stretch, ([], []))
        numbers.append(number)
        moments.append(min(when_s, moments[-1]) if moments else when_s)

    def before(self, number: int, stretch: int) -> float:
        """Return the earliest moment of those that were set in a stretch before this number."""
        if stretch not in self._known:
            return inf
        numbers, moments = self._known[stretch]
        count = bisect_left(numbers, number)
        return moments[count - 1] if count else inf


def _first(pair: tuple[int, Entry]) -> int:
    return pair[0]


def _when_s(entry: Entry) -> float:
    timer: Any = entry[3]
    return float(timer.when_s)


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


def in_order(entry: Entry) -> tuple[float, int, int]:
    """Return what entries of a queue are sorted by: moment, priority and number."""
    return entry[:3]
