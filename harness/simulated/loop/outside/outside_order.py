"""The order of what comes from outside the loop: a policy chooses it, within the latencies."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING, Any

import simpy

from harness.choices.kinds import ChoiceKind
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from harness.simulated.loop.ports import ExploredLoop
    from harness.simulated.loop.virtual_time import Entry, VirtualEnvironment

__all__ = ["OUTSIDE", "Arrival", "OutsideOrder"]

# Lanes of what is outside have numbers from here on, so that none is a task's.
OUTSIDE = 1_000_000

# A profile says what is usual. A search also tries what a busy node or a cold disk does.
STRETCH = 4.0

# More events than this at one moment are not going to end.
EVENTS_MAX = 1_000_000


class Arrival:
    """An event of the simulated world that may come next, with the lane that it belongs to."""

    __slots__ = ("entry", "label", "lane")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        event = entry[3]
        if isinstance(event, simpy.Event):
            process = _process_of(event)
            self.lane = OUTSIDE + getattr(process, "serial", 0)
            self.label = (
                "event" if process is None else getattr(process, "label", None) or process.name
            )
        else:
            self.lane = event.context.get(TASK_NUMBER, 0)
            self.label = "timer"

    def __hash__(self) -> int:
        return hash(self.entry[3])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrival) and other.entry[3] is self.entry[3]


class OutsideOrder:
    """Moves an exploring loop's clock and delivers what is due.

    An event whose latency was drawn could have come at any moment between its bounds (its window).
    A timer comes at its moment and at no other. One event can come next if it can come before all
    others must have: its window begins no later than the first of all windows ends. The policy
    chooses among these; what is overtaken comes later, but still within its window.
    """

    def __init__(self, loop: ExploredLoop) -> None:
        self._loop = loop
        self._environment: VirtualEnvironment = loop.environment
        self._environment.windows = {}
        self._environment.stretch = STRETCH
        self._overtaken: set[int] = set()
        # What was chosen to come next, by its number, and what it overtakes.
        self._chosen = -1
        self._passed: list[Arrival] = []

    def soonest_s(self) -> float | None:
        """Return the moment of the next event that something waits for, or None."""
        return self._environment.next_s()

    def advance(self) -> bool:
        """Move the clock to what comes next, and let it happen; False if the loop must pause."""
        loop, environment = self._loop, self._environment
        when = environment.next_s()
        if loop._stopping:
            return loop.paused(Pause.STOPPED)
        if when is None:
            return loop.paused(Pause.STUCK)
        if loop.time_limit_s is not None and when > loop.time_limit_s:
            environment.move_to(loop.time_limit_s)
            return loop.paused(Pause.TIME_LIMIT)
        if environment.windows:
            self._bring_forward(when)
            when = max(environment.now, environment.queue[0][0])
        if loop.ledger is not None and loop.ledger.sample_due_s <= when:
            loop.ledger.sample(when)
        environment.move_to(when)
        self._deliver(when, advanced=True)
        return True

    def deliver_due(self) -> None:
        """Let happen what is due at this moment; but not what was overtaken."""
        queue, now = self._environment.queue, self._environment.now
        if queue and queue[0][0] <= now and queue[0][2] not in self._overtaken:
            self._deliver(now)

    def between_passes(self) -> None:
        """Let something arrive between two passes, if the policy wants it, and it can."""
        environment = self._environment
        windows, now = environment.windows, environment.now
        if not windows:
            return
        early = [
            entry
            for entry in environment.queue
            if entry[2] in self._overtaken
            or (entry[0] > now and entry[2] in windows and windows[entry[2]][0] <= now)
        ]
        if not early:
            return
        early.sort(key=_order)
        chosen = self._loop.choose(
            ChoiceKind.ORDER, 1 + len(early), "arrives between two passes of the loop"
        )
        if chosen:
            self._move(early[chosen - 1], now)
            self._deliver(now)

    def _bring_forward(self, when: float) -> None:
        """Have the policy choose what comes next, and put it at the head of the queue."""
        environment = self._environment
        windows = environment.windows or {}
        queue = environment.queue
        must_s = when
        if queue[0][2] in windows or len(queue) > 1:
            must_s = min(_latest(entry, windows) for entry in queue if _reaches(entry))
        options = [
            entry
            for entry in queue
            if _reaches(entry)
            and (windows[entry[2]][0] if entry[2] in windows else entry[0]) <= must_s
        ]
        if len(options) < 2:
            return
        options.sort(key=_order)
        index = self._loop.policy.order([Arrival(entry) for entry in options])
        self._loop.picks.append(index)
        if index:
            self._chosen = options[index][2]
            self._passed = [Arrival(one) for one in options[:index]]
            moment_s = max(environment.now, min(options[index][0], must_s))
            self._move(options[index], moment_s)
            for entry in options[:index]:
                # Overtaken: it comes no sooner than what overtook it, and stays within its window.
                if entry[0] <= moment_s:
                    self._move(entry, moment_s, behind=True)

    def _move(self, entry: Entry, when: float, *, behind: bool = False) -> None:
        """Give an event that lies in the queue another moment."""
        environment = self._environment
        queue = environment.queue
        queue.remove(entry)
        heapify(queue)
        _, priority, number, event = entry
        windows = environment.windows or {}
        if behind:
            moved = next(environment._eid)
            self._overtaken.discard(number)
            self._overtaken.add(moved)
            if number in windows:
                windows[moved] = windows.pop(number)
            if number in environment.background_numbers:
                environment.background_numbers.discard(number)
                environment.background_numbers.add(moved)
            heappush(queue, (when, priority, moved, event))
        else:
            # Priorities of SimPy are whole numbers from 0: this one goes before all of them.
            heappush(queue, (when, -1, number, event))

    def _deliver(self, now: float, *, advanced: bool = False) -> None:
        """Let happen what is due; but what was overtaken waits to be chosen, too."""
        environment, loop = self._environment, self._loop
        queue, windows = environment.queue, environment.windows or {}
        wake = loop.trace.wakes.append
        traced = chosen = False
        # A trace has the moment once more after a timer that moved the clock: see VirtualLoop.
        alone = advanced and not environment.background_numbers
        for _ in range(EVENTS_MAX):
            if not queue or queue[0][0] > now or (chosen and queue[0][2] in self._overtaken):
                return
            chosen = True
            entry = heappop(queue)
            _, _, number, event = entry
            ends = windows.pop(number, None) is not None or number == self._chosen
            if loop.watcher is not None and ends:
                # A latency is over. All else that happens outside is no step of a lane: it comes at
                # its moment, with what is due beside it.
                loop.watcher.arrives(Arrival(entry), self._passed if number == self._chosen else ())
            self._overtaken.discard(number)
            environment.background_numbers.discard(number)
            before = len(loop._ready)
            if isinstance(event, simpy.Event):
                environment.process_event(event)
            elif event.call is None:
                event.environment = None
                environment.cancelled_count -= 1
            else:
                event.environment = None
                loop.now_ready(event)
            if len(loop._ready) > before:
                if not traced:
                    traced = True
                    wake(now)
                for handle in islice(loop._ready, before, None):
                    wake(-1 - handle.context.get(TASK_NUMBER, 0))
                traced = not alone or isinstance(event, simpy.Event)
            alone = False
        loop.steps_max = 0


def _latest(entry: Entry, windows: dict[int, tuple[float, float]]) -> float:
    window = windows.get(entry[2])
    return entry[0] if window is None else max(window[1], entry[0])


def _reaches(entry: Entry) -> bool:
    event = entry[3]
    return isinstance(event, simpy.Event) or event.call is not None


def _order(entry: Entry) -> tuple[float, int, int]:
    return entry[:3]


def _process_of(event: simpy.Event) -> Any:
    for callback in event.callbacks or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, simpy.Process):
            return owner
    return None
