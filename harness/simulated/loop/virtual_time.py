"""Virtual time: a SimPy environment whose events and asyncio's timers share one queue."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

import simpy
from simpy.events import NORMAL

from harness.errors import Unsupported
from harness.simulated.limits.polling import PASS_S
from harness.simulated.loop.core import the_core
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from simpy.events import EventPriority, ProcessGenerator

    from harness.simulated.loop.turning import Timer

__all__ = ["BackgroundProcess", "Drawn", "Entry", "VirtualEnvironment", "judges"]

# Moment, priority and number of what lies in the queue, and the thing itself. The class of a timer
# depends on the core, so what is asked of it is whether it is an event of SimPy's.
Entry: TypeAlias = "tuple[float, int, int, simpy.Event | Timer]"

_Process = TypeVar("_Process", bound=simpy.Process)

# After so many passes in which timers were due at one moment, and so many for each task whose they
# were, time goes on.
STANDING_TIMES = 64
TIMES_EACH = 16

# Below this many, cancelled timers are not worth the sweep (asyncio has the same bound).
_SWEEP_MIN = 100


class Drawn(float):
    """Seconds that were drawn between two bounds.

    It is an ordinary number. A run that explores may let what takes this long end at any other
    moment between ``low_s`` and ``high_s``: that is another run that could have happened.
    """

    __slots__ = ("high_s", "low_s")

    low_s: float
    high_s: float

    @classmethod
    def between(cls, low_s: float, value_s: float, high_s: float) -> Drawn:
        """Make it from the drawn value and its bounds, in seconds."""
        drawn = cls(value_s)
        drawn.low_s, drawn.high_s = low_s, high_s
        return drawn


class BackgroundProcess(simpy.Process):
    """A process that only keeps a world going, such as a block producer that ticks for ever.

    No task waits for the moments that it schedules, so they must not make a run look alive when
    every task is stuck. See ``VirtualEnvironment.background``.
    """


class VirtualEnvironment(simpy.Environment):
    """The SimPy environment that is a virtual loop's clock.

    Any SimPy process, resource or condition works in it. The loop steps it: ``step`` and ``run``
    are refused, await ``VirtualLoop.future_of`` in their place.

    A run is stuck when no task is ready and nothing that lies in the queue can change that. The
    queue's entries therefore fall into three classes:

    * *effective*: a timer that was not cancelled, an event that somebody waits for. Time goes on.
    * *background*: scheduled for later by a ``BackgroundProcess`` (or one of its children, or by
      ``VirtualLoop.call_later_in_background``). They happen in their order while anything effective
      lies behind or beside them, but do not by themselves keep a run alive, with one exception:
      while a task awaits a SimPy event through ``future_of``, a tick may be what triggers it, so
      then they do.
    * *spent*: a cancelled timer, or an event that nobody waits for any more (the loser of
      ``request | timeout``). They count for nothing.

    What a background process triggers without delay is effective: it is news for somebody.
    """

    def __init__(self) -> None:
        super().__init__(0.0)
        # The queue's own name in SimPy is private, and the loop reads its head at every turn.
        self.queue: list[Entry] = self._queue  # type: ignore[assignment]
        self._timer_class: type[Timer] = the_core().Timer
        self.awaited_count = 0
        self.background_numbers: set[int] = set()
        self.cancelled_count = 0
        self._processes_count = 0
        # While a run is watched: called with the number of each process as it is made.
        self.born: Callable[[int], None] | None = None
        # While a run explores: the first and last moment at which an event of drawn latency could
        # come, by the event's number. ``stretch`` widens the profile's bounds by that factor.
        self.windows: dict[int, tuple[float, float]] | None = None
        # Numbers of timers that were set for a moment, not for so many seconds from then.
        self.absolute_numbers: set[int] = set()
        self.stretch = 1.0
        self._stands_at, self._standing, self._standing_of = -1.0, 0, set[int]()

    def begin_anew(self) -> None:
        """Set the clock to 0.0 for another run; the queue must be empty."""
        self._now = 0.0
        self.awaited_count = 0
        self.background_numbers.clear()
        self.cancelled_count = 0
        self.absolute_numbers.clear()
        self._processes_count = 0
        self._stands_at, self._standing, self._standing_of = -1.0, 0, set[int]()

    def background(self, generator: ProcessGenerator) -> BackgroundProcess:
        """Start a process that keeps the world going but no run alive; so do its children."""
        return self._numbered(BackgroundProcess(self, generator))

    def process(self, generator: ProcessGenerator) -> simpy.Process:
        """Start a process; the child of a background process is one too."""
        if isinstance(self._active_proc, BackgroundProcess):
            return self.background(generator)
        return self._numbered(simpy.Process(self, generator))

    def _numbered(self, process: _Process) -> _Process:
        """Give a process the number by which a schedule tells it from others: from 1, as made."""
        self._processes_count += 1
        process.serial = self._processes_count  # type: ignore[attr-defined]
        if self.born is not None:
            self.born(self._processes_count)
        return process

    def schedule(
        self, event: simpy.Event, priority: EventPriority = NORMAL, delay: float = 0
    ) -> None:
        """Queue an event ``delay`` seconds from now; ties go by priority, then first come."""
        number = next(self._eid)
        if delay > 0 and isinstance(self._active_proc, BackgroundProcess):
            self.background_numbers.add(number)
        if self.windows is not None and type(delay) is Drawn:
            self.windows[number] = (
                self._now + delay.low_s / self.stretch,
                self._now + delay.high_s * self.stretch,
            )
        heappush(self.queue, (self._now + delay, priority, number, event))

    def add_timer(
        self, when_s: float, call: tuple[Any, ...], context: Context, *, background: bool = False
    ) -> Timer:
        """Queue a timer of the loop; one whose moment has passed is due now."""
        timer = self._timer_class()
        timer.call = call
        timer.context = context
        timer.environment = self
        timer.when_s = when_s
        number = next(self._eid)
        if background:
            self.background_numbers.add(number)
        if self.windows is not None:
            self.absolute_numbers.add(number)
        heappush(self.queue, (float(max(self._now, when_s)), NORMAL, number, timer))
        return timer

    def timer_cancelled(self) -> None:
        """Count a cancelled timer, and sweep the queue when most of it is that."""
        self.cancelled_count += 1
        if self.cancelled_count > _SWEEP_MIN and self.cancelled_count * 2 > len(self.queue):
            self.queue[:] = [entry for entry in self.queue if not _cancelled(entry[3])]
            heapify(self.queue)
            self.cancelled_count = 0

    def process_event(self, event: simpy.Event) -> None:
        """Run what waits for an event.

        Raises:
            Exception: The event failed and nobody took its failure; it is the event's own.
        """
        callbacks = event.callbacks
        event.callbacks = None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not event.defused:
            raise event._value

    def next_s(self) -> float | None:
        """Return the next moment that can still reach somebody, or None if there is none."""
        queue = self.queue
        while queue:
            when, _, number, event = queue[0]
            if isinstance(event, simpy.Event):
                break
            if event.call is not None:
                if number in self.background_numbers or when == inf:
                    break
                return when
            heappop(queue)
            self.cancelled_count -= 1
            self.background_numbers.discard(number)
        return queue[0][0] if self._can_go_on() else None

    def advance_s(self) -> float | None:
        """Return the moment at which the clock goes on, or None if nothing more comes."""
        when = self.next_s()
        if when is None or when > self._now:
            return when
        self.push_on()
        return self._now

    def push_on(self) -> None:
        """Let time go on a little if the timers of few tasks are due at this moment time and again.

        Whoever sets a timer for now until the clock has gone on, by a rounding error perhaps, polls
        it: on a real clock each pass takes time.
        """
        event = self.queue[0][3]
        if isinstance(event, simpy.Event) or event.call is None:
            self._stands_at = -1.0
            return
        if self._now != self._stands_at:
            self._stands_at, self._standing, self._standing_of = self._now, 0, set()
        self._standing += 1
        self._standing_of.add(event.context.get(TASK_NUMBER, 0))
        if self._standing > STANDING_TIMES and self._standing > TIMES_EACH * len(self._standing_of):
            self._now += PASS_S
            self._stands_at = self._now

    def _can_go_on(self) -> bool:
        background = () if self.awaited_count else self.background_numbers
        return any(
            entry[2] not in background and entry[0] != inf and not _spent(entry[3])
            for entry in self.queue
        )

    def on_their_way(self) -> int:
        """Count what is to come that somebody waits for, but for deadlines that only judge."""
        return sum(not _spent(entry[3]) and not judges(entry[3]) for entry in self.queue)

    def comes_alone(self) -> bool:
        """Return True if no more than one thing is on its way."""
        return len(self.queue) < 2 or self.on_their_way() < 2

    def move_to(self, now: float) -> None:
        """Set the clock; only the loop does."""
        self._now = now

    def step(self) -> NoReturn:
        """Refuse: the loop steps its environment."""
        raise Unsupported(
            "environment.step() and run(): the virtual loop steps its own environment;"
            " use `await loop.future_of(event)`"
        )

    def run(self, until: object = None) -> NoReturn:
        """Refuse: the loop runs its environment."""
        del until
        self.step()


def judges(event: simpy.Event | Timer) -> bool:
    """Return True for a deadline of the harness, which ends nothing that could have gone on."""
    call = None if isinstance(event, simpy.Event) else event.call
    return call is not None and getattr(getattr(call[0], "__self__", None), "judges", False) is True


def _cancelled(event: simpy.Event | Timer) -> bool:
    return not isinstance(event, simpy.Event) and event.call is None


def _spent(event: simpy.Event | Timer) -> bool:
    if isinstance(event, simpy.Event):
        # A failed event that nobody takes crashes the run: that is news.
        return not event.callbacks and event._ok
    return event.call is None
