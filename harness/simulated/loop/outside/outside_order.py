"""The order of what comes from outside the loop: a policy chooses it, within the latencies."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import islice
from math import inf
from typing import TYPE_CHECKING

import simpy
from simpy.events import NORMAL

from harness.choices.kinds import ChoiceKind
from harness.simulated.loop.outside.arrivals import OUTSIDE, Arrival, Arrivals, reaches
from harness.simulated.loop.outside.lateness import Lateness, due_by, in_order
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.simulated.loop.ports import ExploredLoop
    from harness.simulated.loop.virtual_time import Entry, VirtualEnvironment

__all__ = ["OUTSIDE", "OutsideOrder"]

# What is chosen: what comes while callbacks are ready, how many of the timers that are due here are
# not yet due on a clock that callbacks move on, and which others are before one that surely is.
BUSY = "comes while the loop is busy"
TIE = "the loop wakes before the last timers of a moment are due"
SOONER = "comes before a timer that is due at once"

# Numbers of events that no event has reached yet.
NEVER = 1 << 62

# A profile says what is usual. A search also tries what a busy node or a cold disk does.
STRETCH = 4.0

# More events than this at one moment are not going to end.
EVENTS_MAX = 1_000_000


class OutsideOrder:
    """Moves an exploring loop's clock and delivers what is due.

    An event whose latency was drawn could have come at any moment between its bounds (its window).
    A timer's window begins at its moment, and is as long as the loop may be late; ``Lateness`` says
    which timers keep their order in it. One event can come next if it can come before all others
    must have: its window begins no later than the first of all windows ends. The policy chooses
    among these; what is overtaken comes later, but still within its window.

    While callbacks are ready, the loop is busy, for as long as it may be late at most. What can
    come by then may come along with what is ready, or between two callbacks of a pass. A timer
    never comes within a pass: asyncio looks for timers before it begins one.
    """

    def __init__(self, loop: ExploredLoop, *, late_s: float) -> None:
        self._loop = loop
        self._environment: VirtualEnvironment = loop.environment
        self._environment.windows = {}
        self._environment.stretch = STRETCH
        self.lateness = Lateness(loop, late_s)
        self._arrivals = Arrivals(loop, self.lateness)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin another run; the queue is empty."""
        self.lateness.begin_anew()
        self._arrivals.begin_anew()
        self._overtaken: set[int] = set()
        # What was chosen to come next, by its number, and what it overtakes.
        self._chosen = -1
        self._passed: list[Arrival] = []
        self._endless = False
        # Something has begun outside in the callback that runs.
        self.has_begun = False
        # What has begun outside since the last pass began has this number or a higher one.
        self._fresh = NEVER

    def soonest_s(self) -> float | None:
        """Return the moment of the next event that something waits for, or None."""
        return self._environment.next_s()

    def advance(self) -> bool:
        """Move the clock to what comes next, and let it happen; False if the loop must pause."""
        loop, environment = self._loop, self._environment
        when = environment.advance_s()
        if loop._stopping:
            return loop.paused(Pause.STOPPED)
        if self._endless:
            return loop.paused(Pause.SPINNING)
        if when is None:
            return loop.paused(Pause.STUCK)
        if loop.time_limit_s is not None and when > loop.time_limit_s:
            environment.move_to(loop.time_limit_s)
            return loop.paused(Pause.TIME_LIMIT)
        queue = environment.queue
        if environment.windows or not self.lateness.none_near(queue):
            self._bring_forward()
            when = max(environment.now, queue[0][0])
        if loop.ledger is not None and loop.ledger.sample_due_s <= when:
            loop.ledger.sample(when)
        environment.move_to(when)
        if loop._ready and not loop.adversarial:
            # It polls, and so it never waits: what it is late by stays.
            self.lateness.goes_on(when)
        else:
            self.lateness.stretch_begins(self.lateness.base_of(queue[0]), when)
        self._deliver(when, advanced=True)
        return True

    def creep_to(self, now: float) -> None:
        """Move the clock to a moment before what comes next: callbacks have taken that long."""
        self._environment.move_to(now)
        self.lateness.goes_on(now)

    def deliver_due(self) -> None:
        """Let happen what is due at this moment; but not what was overtaken."""
        environment = self._environment
        self._fresh = NEVER
        if environment.queue and environment.queue[0][0] <= environment.now:
            environment.push_on()
            self._deliver(environment.now)

    def while_busy(self, waiting: int) -> tuple[int, Entry] | None:
        """Let the policy choose what comes along with what is ready, as a pass begins.

        ``waiting`` callbacks are ready. Return what comes within the pass, and before which of its
        callbacks, if anything does.
        """
        environment, lateness = self._environment, self.lateness
        until_s = lateness.stretch_s + lateness.late_s
        queue = environment.queue
        while queue and (environment.windows or self._overtaken or queue[0][0] <= until_s):
            possible = lateness.soonest(until_s)
            soon = [one for one in possible if one[2] < self._fresh]
            within = [one for one in possible if isinstance(one[3], simpy.Event)]
            count = 1 + len(soon) + waiting * len(within)
            if count == 1:
                return None
            chosen = self._loop.choose(ChoiceKind.ORDER, count, BUSY) - 1
            if chosen < 0:
                return None
            if chosen >= len(soon):
                position, index = divmod(chosen - len(soon), len(within))
                return position, within[index]
            waiting += self.comes(soon[chosen])
        return None

    def within_pass(self, position: int, waiting: int) -> tuple[int, Entry] | None:
        """Let the policy choose what else comes within a pass, from one of its callbacks on."""
        self.has_begun = False
        if position >= waiting:
            return None
        within = [
            one
            for one in self.lateness.soonest(self.lateness.stretch_s + self.lateness.late_s)
            if isinstance(one[3], simpy.Event)
        ]
        if not within:
            return None
        count = 1 + (waiting - position) * len(within)
        chosen = self._loop.choose(ChoiceKind.ORDER, count, BUSY) - 1
        if chosen < 0:
            return None
        further, index = divmod(chosen, len(within))
        return position + further, within[index]

    def comes(self, entry: Entry) -> int:
        """Let an event come now, with what follows from it; return how many callbacks are ready."""
        environment = self._environment
        queue, ready = environment.queue, self._loop._ready
        if entry not in queue:
            return 0
        number, event = entry[2], entry[3]
        first_s = entry[0] if isinstance(event, simpy.Event) else event.when_s
        if environment.windows and number in environment.windows:
            first_s = environment.windows[number][0]
        if first_s > environment.now:
            environment.move_to(first_s)
            self.lateness.clock_moved(first_s)
        before = len(ready)
        queue.remove(entry)
        heapify(queue)
        begin = next(environment._eid)
        self._happens(entry, chosen=True)
        # What it brings about at once is the end of a process, say.
        self._follow(lambda one: one[2] >= begin)
        if len(ready) > before:
            self._loop.trace.wakes.append(environment.now)
            self._trace(before)
        return len(ready) - before

    def begin_at_once(self) -> None:
        """Let begin what was just set going outside, as a thread that is free does."""
        self._follow(lambda one: one[1] < NORMAL)
        self.has_begun = True

    def _follow(self, belongs: Callable[[Entry], bool]) -> None:
        """Let those of SimPy's events happen that are due now and belong there."""
        queue, now = self._environment.queue, self._environment.now
        begin = NEVER
        while queue and queue[0][0] <= now:
            due = [
                one
                for one in queue
                if one[0] <= now
                and isinstance(one[3], simpy.Event)
                and (one[2] >= begin or belongs(one))
            ]
            if not due:
                return
            if begin == NEVER:
                begin = next(self._environment._eid)
            one = min(due, key=in_order)
            queue.remove(one)
            heapify(queue)
            self._happens(one)

    def _bring_forward(self) -> None:
        """Have the policy choose what comes next, and put it at the head of the queue."""
        environment, lateness = self._environment, self.lateness
        options = lateness.soonest(inf)
        if len(options) < 2:
            return
        arrivals = [self._arrivals.of(entry) for entry in options]
        index = self._loop.policy.order(arrivals)
        self._loop.picks.append(index)
        if index:
            chosen = options[index]
            self._chosen = chosen[2]
            self._passed = arrivals[:index]
            must_s = min(lateness.last_s(entry) for entry in options)
            moment_s = max(environment.now, min(chosen[0], must_s))
            # Overtaken: it comes no sooner than what overtook it, and stays within its window.
            overtaken = [
                entry
                for entry in environment.queue
                if entry[0] <= moment_s and entry[:3] < chosen[:3] and reaches(entry)
            ]
            self._move(chosen, moment_s)
            for entry in sorted(overtaken, key=in_order):
                self._move(entry, moment_s, behind=True)

    def _move(self, entry: Entry, when: float, *, behind: bool = False) -> None:
        """Give an event that lies in the queue another moment."""
        environment, lateness = self._environment, self.lateness
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
            entry = (when, priority, moved, event)
            lateness.moves(number, entry)
            heappush(queue, entry)
        else:
            # Priorities of SimPy are whole numbers from 0: this one goes before all of them.
            heappush(queue, (when, -1, number, event))

    def _deliver(self, now: float, *, advanced: bool = False) -> None:
        """Let happen what is due; but what was overtaken waits to be chosen, too.

        ``advanced``: the clock has moved to the first event, so that one was chosen. Of the timers
        those come for sure that were due as they were set.
        """
        environment, loop = self._environment, self._loop
        queue, ready = environment.queue, loop._ready
        # A trace has the moment once more after a timer that moved the clock: see VirtualLoop.
        alone = advanced and not environment.background_numbers
        traced = False
        self._fresh = next(environment._eid)
        timers_left = -1
        held: list[Entry] = []
        for _ in range(EVENTS_MAX):
            if not queue or queue[0][0] > now:
                break
            entry = heappop(queue)
            is_timer = self._is_live_timer(entry)
            at_once = is_timer and self._comes_at_once(entry)
            if at_once and not advanced:
                self._comes_after_others(entry, held)
            elif not advanced and entry[2] in self._overtaken:
                held.append(entry)
                continue
            elif is_timer and not at_once:
                if timers_left < 0:
                    timers_left = self._timers_taken(now, least=int(advanced))
                if not timers_left:
                    held.append(entry)
                    continue
                timers_left -= 1
            before = len(ready)
            self._happens(entry)
            if len(ready) > before:
                if not traced:
                    loop.trace.wakes.append(environment.now)
                self._trace(before)
                traced = not alone or not is_timer
            alone = advanced = False
        else:
            self._endless = True
        for entry in held:
            heappush(queue, entry)

    def _comes_at_once(self, entry: Entry) -> bool:
        """Return True for a timer that the very next pass takes, however late the loop is."""
        lateness = self.lateness
        return not self._loop.adversarial and lateness.late_s > 0 and lateness.is_due_at_once(entry)

    def _comes_after_others(self, entry: Entry, held: list[Entry]) -> None:
        """Let the policy choose which timers come in this pass before one that is due at once.

        They were set before it, for longer, and the loop has been busy for that long since then.
        What is held lies in the queue again after that.
        """
        lateness, queue = self.lateness, self._environment.queue
        at_once = lateness.is_due_at_once
        queue += (entry, *held)
        heapify(queue)
        held.clear()
        while True:
            soon = lateness.soonest(lateness.stretch_s + lateness.late_s)
            others = [one for one in soon if self._is_live_timer(one) and not at_once(one)]
            if not others:
                break
            chosen = self._loop.choose(ChoiceKind.ORDER, 1 + len(others), SOONER) - 1
            if chosen < 0:
                break
            self.comes(others[chosen])
        queue.remove(entry)
        heapify(queue)

    def _timers_taken(self, now: float, *, least: int) -> int:
        """Let the policy choose how many of the timers that are due come in this pass."""
        queue = self._environment.queue
        if self._loop.adversarial or not self.lateness.late_s:
            return NEVER
        count = 1 + sum(
            entry[2] not in self._overtaken
            and self._is_live_timer(entry)
            and not self.lateness.is_due_at_once(entry)
            for entry in due_by(queue, now)
        )
        if count <= least:
            return NEVER
        return count - self._loop.choose(ChoiceKind.ORDER, count + 1 - least, TIE)

    def _is_live_timer(self, entry: Entry) -> bool:
        return self.lateness.is_timer(entry) and reaches(entry)

    def _happens(self, entry: Entry, *, chosen: bool = False) -> None:
        """Let an event happen, which has just been taken from the queue."""
        environment, loop = self._environment, self._loop
        _, _, number, event = entry
        forward = number == self._chosen
        ends = (environment.windows or {}).pop(number, None) is not None or forward or chosen
        if (
            loop.watcher is not None
            and (ends or self._arrivals.is_seen_timer(number))
            and reaches(entry)
        ):
            # A latency is over, or what might have come at another moment comes. All else that
            # happens outside is no step of a lane: it comes at its moment, beside what is due then.
            loop.watcher.arrives(self._arrivals.of(entry), self._passed if forward else ())
        self._arrivals.comes(number)
        self.lateness.happens(number)
        self._overtaken.discard(number)
        environment.background_numbers.discard(number)
        if isinstance(event, simpy.Event):
            environment.process_event(event)
        elif event.call is None:
            event.environment = None
            environment.cancelled_count -= 1
        else:
            event.environment = None
            loop.now_ready(event)

    def _trace(self, before: int) -> None:
        """Note whom the callbacks wake that have become ready."""
        wake = self._loop.trace.wakes.append
        for handle in islice(self._loop._ready, before, None):
            wake(-1 - handle.context.get(TASK_NUMBER, 0))
