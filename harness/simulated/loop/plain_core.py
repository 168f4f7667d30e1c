"""The virtual loop's core in plain Python: the queue of callbacks, timers, and how it turns.

``_speedups.pyx`` does the same, compiled. A change of one is a change of both; tests compare them.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import futures
from collections import deque
from contextvars import copy_context
from functools import partial
from heapq import heappop, heappush
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from simpy.events import NORMAL

from harness.simulated.loop.handles import ReadyHandle, Timer
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Context

    from harness.simulated.loop.ports import EventQueue, TurningLoop

__all__ = ["PlainCore"]


class PlainCore:
    """The callbacks of one loop that are ready, and how the loop runs them.

    ``call_soon``, ``call_later`` and ``create_future`` are the loop's own methods. They and all
    that runs once a callback are closures: local names are the quickest to look up.
    """

    def __init__(self, loop: Any, environment: EventQueue) -> None:
        self._loop: TurningLoop = loop
        self._environment = environment
        self.ready: deque[ReadyHandle | Timer] = deque()
        self.call_soon = _call_soon_on(self.ready)
        self.call_later = _call_later_in(environment)
        self.create_future: Callable[[], asyncio.Future[Any]] = partial(asyncio.Future, loop=loop)

    def turn(self, passes: int, events_max: int) -> Pause | None:
        """Run so many passes; return None, or why the loop pauses before.

        A moment with ``events_max`` events is one that does not end.
        """
        loop = self._loop
        environment = self._environment
        queue = environment.queue
        ready = self.ready
        popleft = ready.popleft
        record = loop.trace.steps.append
        task_number = TASK_NUMBER
        deliver = _delivery(loop, environment, ready, events_max)
        advance = _advance(loop, environment, ready, deliver)
        now = environment._now
        observer = loop.observer
        for _ in repeat(None, passes) if observer is None else _observed(observer, passes):
            if queue and queue[0][0] <= now:
                deliver(now)
            waiting = len(ready)
            if not waiting:
                # A finished task must not live on in our variables while time goes by.
                handle = call = context = None
                now = advance()
                if now < 0.0:
                    return loop._pause
                waiting = len(ready)
            while waiting:
                waiting -= 1
                handle = popleft()
                call = handle.call
                if call is not None:
                    try:
                        context = handle.context
                        record(context.get(task_number, 0))
                        context.run(*call)
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
                        loop._callback_failed(handle, error)
            if loop._stopping:
                return Pause.STOPPED
        return None


def _observed(observer: Callable[[], None], passes: int) -> Iterator[None]:
    """Count passes, and call the observer before each."""
    for _ in repeat(None, passes):
        observer()
        yield


def _call_soon_on(ready: deque[ReadyHandle | Timer]) -> Callable[..., ReadyHandle]:
    """Make ``call_soon`` of a loop: callback and arguments stay one tuple from here to the call."""
    append = ready.append
    new = ReadyHandle.__new__
    handle_class = ReadyHandle

    def call_soon(*call: Any, context: Context | None = None) -> ReadyHandle:
        handle = new(handle_class)
        handle.call = call
        handle.context = copy_context() if context is None else context
        append(handle)
        return handle

    return call_soon


def _call_later_in(environment: EventQueue) -> Callable[..., Timer]:
    """Make ``call_later`` of a loop: ``add_timer``, written out for speed."""
    queue = environment.queue
    next_number = environment._eid.__next__
    new = Timer.__new__
    timer_class = Timer

    def call_later(delay: float, *call: Any, context: Context | None = None) -> Timer:
        now = environment._now
        when = now + delay
        timer: Timer = new(timer_class)
        timer.call = call
        timer.context = copy_context() if context is None else context
        timer.environment = environment
        timer.when_s = when
        # Not max(): a call costs more than all else in this line.
        due = when if when > now else now  # noqa: FURB136
        heappush(queue, (due, NORMAL, next_number(), timer))
        return timer

    return call_later


def _delivery(
    loop: TurningLoop,
    environment: EventQueue,
    ready: deque[ReadyHandle | Timer],
    events_max: int,
) -> Callable[[float], None]:
    """Make the function that makes ready what is due, and lets SimPy's events happen in order."""
    queue = environment.queue
    background = environment.background_numbers
    append = ready.append
    wake = loop.trace.wakes.append
    task_number = TASK_NUMBER

    def deliver(now: float) -> None:
        traced = False
        for _ in repeat(None, events_max):
            _, _, number, event = heappop(queue)
            if background:
                background.discard(number)
            before = len(ready)
            if isinstance(event, Timer):
                event.environment = None
                if event.call is None:
                    environment.cancelled_count -= 1
                else:
                    append(event)
            else:
                environment.process_event(event)
            if len(ready) > before:
                if not traced:
                    traced = True
                    wake(now)
                if isinstance(event, Timer):
                    wake(-1 - event.context.get(task_number, 0))
                else:
                    for handle in islice(ready, before, None):
                        wake(-1 - handle.context.get(task_number, 0))
            if not queue or queue[0][0] > now:
                return
        loop._moment_is_endless()

    return deliver


def _advance(
    loop: TurningLoop,
    environment: EventQueue,
    ready: deque[ReadyHandle | Timer],
    deliver: Callable[[float], None],
) -> Callable[[], float]:
    """Make the function that moves the clock to the next moment and delivers what is due then.

    It returns that moment, or -1.0 if there is none: then the loop knows why.
    """
    queue = environment.queue
    background = environment.background_numbers
    append = ready.append
    wake = loop.trace.wakes.append
    record = loop.trace.steps.append
    end_sleep = futures._set_result_unless_cancelled  # type: ignore[attr-defined]
    future = asyncio.Future
    ledger = loop.ledger
    limit_s = sys.float_info.max if loop.time_limit_s is None else loop.time_limit_s

    def advance() -> float:
        # Nearly always the head of the queue is a timer: then its branch is all there is to do.
        if queue and not background and not loop._stopping:
            when, _, _, timer = queue[0]
            if type(timer) is Timer and timer.call is not None and when <= limit_s:
                if ledger is not None and ledger.sample_due_s <= when:
                    ledger.sample(when)
                environment._now = when
                loop._moment_passes = 0
                heappop(queue)
                timer.environment = None
                number = timer.context.get(TASK_NUMBER, 0)
                wake(when)
                wake(-1 - number)
                call = timer.call
                if queue and queue[0][0] <= when:
                    append(timer)
                    deliver(when)
                elif call[0] is not end_sleep or type(call[1]) is not future or call[1].done():
                    append(timer)
                else:
                    # A sleep is over, and nothing else happens now: its callback would have a pass
                    # for itself. What it does is done here, to the same effect.
                    timer.call = None
                    record(number)
                    call[1].set_result(call[2])
                return when  # type: ignore[no-any-return]
        return loop._advance_slowly(deliver)

    return advance
