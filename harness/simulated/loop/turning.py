# cython: language_level=3, binding=False, boundscheck=True, wraparound=False, nonecheck=True
# cython: annotation_typing=False
"""The virtual loop's core: handles, the queue of callbacks, and how loops turn.

As it stands it is the plain core. The build also compiles it, with the C types in ``turning.pxd``,
to ``_speedups``: there a callback has neither a Python frame nor a look-up by name on its way to
its run. ``core.py`` chooses. Some names are only there for a type; ``primitives`` has what differs.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import futures
from collections import deque
from contextvars import copy_context
from functools import partial
from itertools import islice
from types import FunctionType
from typing import TYPE_CHECKING, Any

from simpy.events import NORMAL

from harness.simulated.loop import primitives
from harness.simulated.loop.callbacks import PLUMBING, described, is_plumbing, only_forgets
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Context

    from harness.choices.policies import Lane
    from harness.simulated.loop.ports import EventQueue, TimerQueue, TurningLoop

__all__ = [
    "Core", "Handle", "LanedCalls", "ReadyHandle", "Timer", "first_of_lane", "turn_adversarial",
]  # fmt: skip

COMPILED = primitives.COMPILED
NO_LIMIT = sys.float_info.max
END_SLEEP = futures._set_result_unless_cancelled  # type: ignore[attr-defined]
FUTURE = asyncio.Future


class Handle:
    """A callback with its arguments, as one tuple ready to be spread, and its context.

    ``call`` is None once cancelled. The loop makes a handle for every step of every task, so there
    is no constructor. ``lane`` is set by a loop that explores, and by no other.
    """

    __slots__ = ("call", "context", "lane")

    call: tuple[Any, ...] | None
    context: Context
    lane: int

    def cancelled(self) -> bool:
        """Return True if the callback was cancelled."""
        return self.call is None

    def get_context(self) -> Context:
        """Return the context the callback runs in."""
        return self.context


class ReadyHandle(Handle):
    """What ``call_soon`` returns: as ``asyncio.Handle``, and as light as Python allows."""

    __slots__ = ()

    def cancel(self) -> None:
        """Never run the callback; no effect if it has run."""
        self.call = None

    def __repr__(self) -> str:
        return f"<ReadyHandle {described(self.call)}>"


class Timer(Handle):
    """What ``call_later`` and ``call_at`` return: as ``asyncio.TimerHandle``.

    It lies in the environment's queue among SimPy's events, so timers and the latency model share
    one order of time. ``environment`` is None once it lies there no more.
    """

    __slots__ = ("environment", "when_s")

    environment: TimerQueue | None
    when_s: float

    def cancel(self) -> None:
        """Never run the callback; no effect if it has run."""
        if self.call is not None:
            self.call = None
            if self.environment is not None:
                self.environment.timer_cancelled()

    def when(self) -> float:
        """Return the moment at which the callback is due, in seconds of the loop's time."""
        return self.when_s

    def __repr__(self) -> str:
        return f"<Timer when={self.when_s} {described(self.call)}>"


class Core:
    """The callbacks of one loop that are ready, some of its methods, and how it runs them."""

    __slots__ = (
        "append", "background", "call_soon", "environment", "events_max", "ledger", "limit_s",
        "loop", "numbers", "of_loop", "queue", "ready", "steps", "wakes",
    )  # fmt: skip

    def __init__(self, loop: Any, environment: EventQueue) -> None:
        self.loop: TurningLoop = loop
        self.environment = environment
        self.numbers = environment._eid
        self.queue: list[Any] = environment.queue
        self.background = environment.background_numbers
        self.ready: deque[Handle] = deque()
        self.append = self.ready.append
        self.call_soon = primitives.spread(self.soon)
        self.of_loop = {"loop": loop}

    def soon(self, call: tuple[Any, ...], context: Context | None) -> ReadyHandle:
        """Run a callback in the next pass, after all that became ready before it."""
        handle = ReadyHandle.__new__(ReadyHandle) if COMPILED else ReadyHandle()
        handle.call = call
        handle.context = copy_context() if context is None else context
        if COMPILED:
            primitives.called_with(self.append, handle)
        else:
            self.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of the loop."""
        if COMPILED:
            return primitives.made(FUTURE, self.of_loop)
        return FUTURE(**self.of_loop)

    def call_later(self, delay: float, *call: Any, context: Context | None = None) -> Timer:
        """Run a callback ``delay`` virtual seconds from now."""
        if not call:
            raise TypeError("call_later() missing 1 required positional argument: 'callback'")
        return self._set_timer(self.environment._now, delay, call, context)

    def _set_timer(
        self, now: float, delay: float, call: tuple[Any, ...], context: Context | None
    ) -> Timer:
        when = now + delay
        timer = Timer.__new__(Timer) if COMPILED else Timer()
        timer.call = call
        timer.context = copy_context() if context is None else context
        timer.environment = self.environment
        timer.when_s = when
        # Not max(): a call costs more than all else in this line.
        due = when if when > now else now  # noqa: FURB136
        primitives.push(self.queue, (due, NORMAL, next(self.numbers), timer))
        return timer

    def turn(self, passes: int, events_max: int) -> Pause | None:
        """Run so many passes, with up to ``events_max`` events a moment; say why it pauses."""
        loop = self.loop
        self.events_max = events_max
        self.ledger = loop.ledger
        self.limit_s = NO_LIMIT if loop.time_limit_s is None else loop.time_limit_s
        self.steps = loop.trace.steps
        self.wakes = loop.trace.wakes
        try:
            return self._run_passes(loop, passes, loop.observer)
        finally:
            self.ledger = None

    def _run_passes(  # noqa: PLR0912 - a call a step would cost a tenth
        self, loop: TurningLoop, passes: int, observer: Callable[[], None] | None
    ) -> Pause | None:
        now = self.environment._now
        queue = self.queue
        ready = self.ready
        popleft = ready.popleft
        steps = self.steps
        record = steps.append
        number = TASK_NUMBER
        for _ in range(passes):
            if observer is not None:
                observer()
            if queue:
                due = queue[0][0]
                if due <= now:
                    self.environment.push_on()
                    now = self.environment._now
                    self._deliver(now)
            waiting = len(ready)
            if not waiting:
                # A finished task must not live on in our variables while time goes by.
                handle = call = context = None
                now = self._advance(loop)
                if now < 0.0:
                    return loop._pause
                waiting = len(ready)
            while waiting:
                waiting -= 1
                handle = primitives.called(popleft) if COMPILED else popleft()
                call = handle.call
                if call is not None:
                    try:
                        context = handle.context
                        if COMPILED:
                            primitives.run_noted(context, call, steps, number)
                        else:
                            record(context.get(number, 0))
                            context.run(*call)
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
                        loop._callback_failed(handle, error)
            if loop._stopping:
                return Pause.STOPPED
        return None

    def _advance(self, loop: TurningLoop) -> float:
        """Move the clock to the next moment and deliver what is due then.

        Return that moment, or -1.0 if there is none: then the loop knows why.
        """
        queue = self.queue
        if not queue or self.background or loop._stopping:
            return loop._advance_slowly(self._deliver)
        event = queue[0][3]
        # Nearly always the head of the queue is a timer: then all there is to do follows here.
        if type(event) is not Timer:
            return loop._advance_slowly(self._deliver)
        timer: Timer = event
        moment = queue[0][0]
        when: float = moment
        if timer.call is None or when > self.limit_s:
            return loop._advance_slowly(self._deliver)
        if self.ledger is not None and self.ledger.sample_due_s <= when:
            self.ledger.sample(when)
        self.environment._now = moment
        loop._moment_passes = 0
        primitives.pop(queue)
        timer.environment = None
        number = timer.context.get(TASK_NUMBER, 0)
        primitives.note_moment(self.wakes, when)
        primitives.note_moment(self.wakes, -1.0 - number)
        if queue:
            due = queue[0][0]
            if due <= when:
                self.append(timer)
                self._deliver(when)
                return when
        call = timer.call
        if call[0] is not END_SLEEP or type(call[1]) is not FUTURE or call[1].done():
            self.append(timer)
        else:
            # A sleep is over, and nothing else happens now: what its callback would do, is done.
            timer.call = None
            primitives.note_step(self.steps, number)
            call[1].set_result(call[2])
        return when

    def _deliver(self, now: float) -> None:  # noqa: PLR0912 - as above
        """Make ready what is due, and let SimPy's events happen in order."""
        queue = self.queue
        ready = self.ready
        traced = False
        for _ in range(self.events_max):
            entry = primitives.pop(queue)
            if self.background:
                self.background.discard(entry[2])
            before = len(ready)
            event = entry[3]
            if type(event) is Timer:
                timer = event
                timer.environment = None
                if timer.call is None:
                    self.environment.cancelled_count -= 1
                else:
                    self.append(timer)
            else:
                self.environment.process_event(event)
            if len(ready) > before:
                if not traced:
                    traced = True
                    primitives.note_moment(self.wakes, now)
                if type(event) is Timer:
                    self._wake(event)
                else:
                    for handle in islice(ready, before, None):
                        self._wake(handle)
            if not queue:
                return
            due = queue[0][0]
            if due > now:
                return
        self.loop._moment_is_endless()

    def _wake(self, handle: Handle) -> None:
        number = handle.context.get(TASK_NUMBER, 0)
        primitives.note_moment(self.wakes, -1.0 - number)


class LanedCalls:
    """The ``call_soon`` of an exploring loop: it notes the lane that each callback belongs to."""

    __slots__ = ("append", "call_soon")

    def __init__(self, ready: Any) -> None:
        self.append = ready.append
        self.call_soon = primitives.spread(self.soon)

    def soon(self, call: tuple[Any, ...], context: Context | None) -> ReadyHandle:
        """Run a callback after those that are ready, or wherever a policy puts it."""
        handle = ReadyHandle.__new__(ReadyHandle) if COMPILED else ReadyHandle()
        handle.call = call
        handle.context = copy_context() if context is None else context
        handle.lane = handle.context.get(TASK_NUMBER, 0)
        # A task's step is not written in Python: to ask for its module costs more than all else.
        kind = type(call[0])
        if (kind is FunctionType or kind is partial) and is_plumbing(call[0]):
            handle.lane = PLUMBING
            if only_forgets(call[0]):  # queued, it would be a pass that older Pythons do not make
                handle.context.run(*call)
                return handle
        self.append(handle)
        return handle


# Nearly all of a search's time goes by here. The loop is an ``ExploringLoop``.
def turn_adversarial(loop: Any, turns: int) -> Pause | None:  # noqa: PLR0912 - as above
    """Run so many callbacks, each chosen among those that are ready, with nobody watching."""
    ready = loop._ready
    queue = loop.environment.queue
    order = loop.policy.order
    picks = loop.picks
    steps = loop.trace.steps
    left = loop.pass_left
    for _ in range(turns):
        if not left:
            # A pass is over: as in any loop, what is due by now becomes ready here.
            if queue:
                loop.outside.deliver_due()
            left = len(ready)
            if not left:
                if loop.outside.advance():
                    continue
                return loop._pause  # type: ignore[no-any-return]
        if queue and loop._time_runs_ahead():
            continue
        left -= 1
        index = 0
        if len(ready) > 1:
            handle = ready[0]
            lane = handle.lane
            if lane >= 0:
                index = order(ready)
                if index:
                    handle = ready[1]
                    if index > 1 or handle.lane < 0 or handle.lane == lane:
                        index = first_of_lane(ready, index)
                picks.append(index)
        handle = ready.pop(index)
        call = handle.call
        if call is not None:
            if handle.lane >= 0:
                primitives.note_step(steps, handle.lane)
            try:
                if COMPILED:
                    primitives.run(handle.context, call)
                else:
                    handle.context.run(*call)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
                loop._callback_failed(handle, error)
            if loop._stopping:
                return Pause.STOPPED
    loop.pass_left = left
    return None


def first_of_lane(ready: Sequence[Lane], index: int) -> int:
    """Return the index of the first callback of the lane at ``index``, which keeps its order.

    What is plumbing there stands for the lane before it.
    """
    handle = ready[index]
    while handle.lane < 0:
        index -= 1
        handle = ready[index]
    lane = handle.lane
    for earlier in range(index):
        handle = ready[earlier]
        if handle.lane == lane:
            return earlier
    return index
