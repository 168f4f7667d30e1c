"""What a search watches of one run: its steps, and who made which possible."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.choices.policies import StepWatcher
from harness.search.exhaustive.footprint import EVERYTHING, Footprint, Touch
from harness.search.exhaustive.observation.observer import FootprintObserver
from harness.search.exhaustive.observation.step_touches import StepTouches
from harness.search.exhaustive.races import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane, WatchedLoop
    from harness.search.exhaustive.decision_path import Decision

__all__ = ["Trail"]


class _Ahead:
    """A callback of asyncio's own that is ready: by which steps, and what lies before it."""

    __slots__ = ("before", "joins", "origin")

    def __init__(self, origin: int, before: list[Any], joins: Any) -> None:
        self.origin = origin
        self.before = before
        self.joins = joins


class Trail(StepWatcher):
    """Watches one run: the footprint of each step, and the steps that made it possible.

    ``asleep`` are lanes whose next step, with its footprint, was taken before in an order that is
    equivalent to every one in which it comes next here. Once such a lane goes, the run is
    ``redundant``. ``idle`` is True where nothing can be told: in asyncio's own order the order of
    all steps matters.

    The first ``passed`` events are as in an earlier run, which has learnt from them. ``known`` are
    these events, or nothing if they have to be observed again.
    """

    needs_loop = False

    def __init__(
        self,
        *,
        known: Sequence[Event] = (),
        passed: int = 0,
        footprints: dict[frozenset[Touch], Footprint] | None = None,
    ) -> None:
        self.events: list[Event] = []
        self._known = known
        self._passed = passed
        self._footprints = {} if footprints is None else footprints
        self.asleep: dict[int, Footprint] = {}
        self.redundant = False
        # Something happened that no step did (time ran ahead): races with it are not told.
        self.barred = False
        self.idle = False
        self.whys: dict[str, int] = {}
        self._observer = FootprintObserver()
        self._decision: Decision | None = None
        self._open: StepTouches | None = None
        self._running: StepTouches | None = None
        self._in_step = False
        self._count = 0
        self._tasks_seen = 0
        self._loop: Any = None
        self._kept: list[Any] = []
        self._enablers: dict[int, int] = {}
        self._causes: list[int] = []
        self._last_of: dict[int, int] = {}
        self._event_of: dict[int, int] = {}
        self._aheads: dict[int, _Ahead] = {}
        self._joined: dict[int, int] = {}

    @property
    def names(self) -> int:
        """How many things have been met so far."""
        return len(self._observer.names)

    @property
    def known(self) -> int:
        """How many of its events, from the first on, an earlier run has analysed."""
        return len(self._known)

    def event_at(self, number: int) -> Event | None:
        """Return an event by its number; None if the run has none of it."""
        return self.events[number] if 0 <= number < len(self.events) else None

    def bind(self, loop: WatchedLoop) -> None:
        """Take the loop that is to run."""
        self._loop = loop
        self.idle = not loop.adversarial

    def decided(self, decision: Decision, asleep: dict[int, Footprint]) -> None:
        """Take the decision by which the next step goes, and who sleeps as it begins."""
        self.asleep = asleep
        self._decision = decision

    def enumerated(self, value: int) -> None:
        """Note a choice that is no order: in a step it makes the step unlike any other."""
        if not self._in_step:
            self.bar(forget=value > 0)
        elif self._running is not None:
            self._running.anything("a choice")

    def bar(self, *, forget: bool) -> None:
        """Note that something may have happened that no step did."""
        if len(self.events) < self._passed:
            # The run before has learnt from it.
            return
        self.barred = True
        if forget:
            self.asleep = {}

    def settle(self) -> None:
        """Close the last step: nothing of it can come any more. Wake who conflicts with it."""
        if self._open is None:
            return
        event = self.events[-1]
        if len(self.events) > len(self._known):
            event.footprint = self._footprint_of(self._open)
            if self._open.everything:
                self.whys[self._open.why] = self.whys.get(self._open.why, 0) + 1
        self._open = None
        if self.asleep:
            self.asleep = {
                lane: footprint
                for lane, footprint in self.asleep.items()
                if lane != event.lane and not footprint.conflicts(event.footprint)
            }

    def _footprint_of(self, touches: StepTouches) -> Footprint:
        if touches.everything:
            return EVERYTHING
        key = touches.all()
        found = self._footprints.get(key)
        if found is None:
            found = self._footprints[key] = Footprint(key)
        return found

    def begins(self, handle: Any, overtaken: Sequence[Lane]) -> None:
        """Observe the step."""
        del overtaken
        if self.idle:
            return
        if not self._tasks_seen:
            self._meet_tasks()
        self._count = len(self._loop.ready)
        if handle.lane < 0:
            return
        self.settle()
        self._in_step = True
        number = len(self.events)
        if number < len(self._known) and not self._known[number].meets:
            return
        self._comes(handle)
        if self._stands_alone(handle):
            return
        self._running = self._observer.begin(handle.call[0])

    def _comes(self, handle: Lane) -> None:
        """Note that a lane's turn comes: if it sleeps, all that follows was run before."""
        if len(self.events) >= self._passed and handle.lane in self.asleep:
            self.redundant = True

    def _stands_alone(self, handle: Lane) -> bool:
        """Return True for a step that comes after all before it, and before all that is to come.

        Nothing can be reordered with it, whatever it touches.
        """
        if self._count or self._loop.environment.queue:
            return False
        number = len(self.events)
        return self._causes_of(handle, number) == (1 << number) - 1

    def _causes_of(self, handle: Lane, number: int) -> int:
        """Return, as bits, the steps without which this one could not be."""
        enablers = self._enablers.get(id(handle), (1 << number) - 1)
        enablers |= self._last_of.get(handle.lane, 0)
        causes = left = enablers
        while left:
            last = left.bit_length() - 1
            causes |= self._causes[last]
            # What that one has among its own causes need not be asked again.
            left &= ~(1 << last | self._causes[last])
        return causes

    def skipped(self, handle: Lane) -> None:
        """Take the turn of a callback that was cancelled for a step: in another order it runs."""
        if self.idle or handle.lane < 0:
            return
        self.settle()
        self._count = len(self._loop.ready)
        self._comes(handle)
        touches = StepTouches()
        touches.anything("a callback that was cancelled")
        self._add_event(handle, touches)

    def ended(self, handle: Any) -> None:
        """Note what the step touched, and what it made possible."""
        if self._running is not None:
            # First of all: what follows is no part of the step.
            self._observer.end()
        if self.idle or handle.call is None:
            return
        if handle.lane >= 0:
            self._in_step = False
            self._step_ended(handle)
        else:
            self._plumbing_ended(handle)

    def _step_ended(self, handle: Any) -> None:
        observed, self._running = self._running is not None, None
        touches = self._observer.touches if observed else StepTouches()
        callback = handle.call[0]
        owner = getattr(callback, "__self__", None)
        if observed and isinstance(owner, asyncio.Task):
            self._observer.touch("future", owner, written=owner.done())
        elif getattr(callback, "__name__", "") == "stop_after":
            touches.anything("the end of the program")
            self._ends()
        if self._meet_tasks():
            # Tasks are numbered as they are made.
            touches.touches.add(("numbers", None, True))
        self._add_event(handle, touches)

    def _add_event(self, handle: Lane, touches: StepTouches) -> None:
        number, names = len(self.events), self.names
        touches.number(self._observer.names)
        if number < len(self._known):
            # As in the run before: this way leads off from that one's only further on.
            self.events.append(self._known[number])
            self._decision = None
            self._open = touches
        elif not self.redundant:
            everyone = (1 << number) - 1
            event = Event(handle.lane, self._enablers.get(id(handle), everyone), self._decision)
            event.meets = self.names > names
            if self._decision is not None:
                self._decision.event = number
                self._decision = None
            self.events.append(event)
            self._open = touches
        self._event_of[id(handle)] = number
        self._causes.append(self._causes_of(handle, number))
        self._last_of[handle.lane] = 1 << number
        self._made_ready(touches, 1 << number, number)

    def _ends(self) -> None:
        """The program ends, so whoever is ready never goes on: who might is to go first, too."""
        if self._decision is not None:
            self._decision.wanted.update(range(self._decision.count))

    def _plumbing_ended(self, handle: Any) -> None:
        ahead = self._aheads.pop(id(handle), None)
        # Where it goes back to what came from outside, no step is known without which it cannot be.
        origin = -1 if ahead is None else ahead.origin
        if ahead is None or origin < 0:
            enablers = (1 << len(self.events)) - 1
        else:
            enablers = 1 << ahead.origin
            for one in ahead.before:
                if id(one) in self._event_of:
                    enablers |= 1 << self._event_of[id(one)]
            joined = self._joined.get(id(ahead.joins), 0) | enablers
            self._joined[id(ahead.joins)] = enablers = joined
        if len(self._loop.ready) == self._count:
            return
        if self._open is not None and origin == len(self.events) - 1:
            # It ran at once: what it made possible, its step did.
            self._made_ready(self._open, enablers, origin)
            return
        touches = StepTouches()
        self._made_ready(touches, enablers, origin)
        if not (0 <= origin < len(self.events) and self.events[origin].footprint.everything):
            self.bar(forget=True)

    def _made_ready(self, touches: StepTouches, enablers: int, origin: int) -> None:
        ready = self._loop.ready
        for index in range(self._count, len(ready)):
            handle = ready[index]
            if handle.call is None:
                continue
            self._kept.append(handle)
            if handle.lane >= 0:
                self._enablers[id(handle)] = enablers
                touches.touches.add((f"lane {handle.lane}", None, not _joins(handle)))
                continue
            before = [one for one in ready[:index] if one.lane >= 0 and one.call is not None]
            callback = handle.call[0]
            self._kept.append(callback)
            self._aheads[id(handle)] = _Ahead(origin, before, callback)
            ended_well = len(handle.call) > 1 and _ended_well(handle.call[1])
            number = self._observer.names.number_of(callback)
            touches.touches.add(("callbacks", number, not ended_well))
            if before and not (ended_well and _waits_for_more(callback)):
                # What it will make possible comes after all that lies before it in the queue.
                touches.anything("a callback of asyncio behind others")

    def _meet_tasks(self) -> bool:
        made = self._loop.made_tasks
        if len(made) == self._tasks_seen:
            return False
        new = made[self._tasks_seen :]
        for task in new:
            self._observer.names.meet(task.get_coro())
            self._observer.names.number_of(task)
        self._tasks_seen = len(made)
        return bool(new)

    @property
    def lifetime(self) -> str:
        """Why it matters to the program when a thing is freed, or "": watching keeps things."""
        return self._observer.names.lifetime

    def observed_share(self) -> float:
        """Return the share of steps that are not taken as doing anything."""
        if not self.events:
            return 0.0
        known = sum(event.footprint is not EVERYTHING for event in self.events)
        return known / len(self.events)


def _ended_well(future: Any) -> bool:
    return (
        isinstance(future, asyncio.Future)
        and future.done()
        and not future.cancelled()
        # Not exception(): that would tell asyncio that somebody has taken the error.
        and future._exception is None
    )


def _joins(handle: Any) -> bool:
    """Return True if its order among its like does not matter: a task of a group ended well."""
    callback = handle.call[0]
    return (
        isinstance(getattr(callback, "__self__", None), asyncio.TaskGroup)
        and callback.__name__ == "_on_task_done"
        and _ended_well(handle.call[1])
    )


def _waits_for_more(callback: Any) -> bool:
    """Return True for a gather's callback while others of its children are not done."""
    code = getattr(callback, "__code__", None)
    if code is None or "children" not in code.co_freevars or callback.__closure__ is None:
        return False
    children = callback.__closure__[code.co_freevars.index("children")].cell_contents
    return any(not child.done() for child in children)
