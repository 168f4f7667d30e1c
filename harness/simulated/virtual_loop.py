"""Own how the virtual loop turns: callbacks in asyncio's order, on SimPy's clock."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from asyncio import events, futures
from enum import Enum
from heapq import heappop
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from harness.errors import Deadlock, Unsupported
from harness.simulated.executor_model import DEFAULT_WORKERS, sqlite_latency
from harness.simulated.handles import Timer
from harness.simulated.loop_surface import LoopSurface
from harness.simulated.trace import Trace
from harness.simulated.virtual_task import TASK_NUMBER
from harness.wait_graph import diagnose, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.lock_ledger import LockLedger
    from harness.simulated.executor_model import Latency

__all__ = ["Pause", "VirtualLoop", "running_virtual_loop"]

# Passes (asyncio calls them iterations) between two looks at what is not urgent: hashing, spinning.
_PASSES = 4096

# A program may poll with sleep(0) for something that only time can bring. On a real clock its
# polling takes time, so after this many passes at one moment each pass costs what it would there.
_FREE_PASSES = 16 * _PASSES
_PASS_S = 10e-6

# A moment with this many passes, or this many SimPy events, is not going to end; nor is a run in
# which this many passes brought SimPy events, but not one callback.
_SPIN_PASSES_MAX = 5_000_000
_SPIN_EVENTS_MAX = 1_000_000
_IDLE_PASSES_MAX = 1_000_000

# Callbacks between two collections of cyclic garbage.
_COLLECT_STEPS = 200_000


class Pause(Enum):
    """Why a loop stopped turning."""

    STOPPED = "stop() was called"
    STUCK = "nothing is ready and nothing is scheduled"
    TIME_LIMIT = "the limit of virtual time has come"
    SPINNING = "a moment of virtual time does not end"
    IDLING = "the simulated world goes on, but no task becomes ready any more"


class VirtualLoop(LoopSurface):
    """An asyncio event loop without a selector, whose timers are events of a SimPy environment.

    It keeps asyncio's order. Callbacks run first come, first served, in passes: what becomes ready
    during a pass runs in the next. When nothing is ready the clock moves to the next event, and all
    that is due at that moment becomes ready in the order in which it was scheduled.

    ``time()`` is ``environment.now`` in virtual seconds, from 0.0. What has no faithful form here
    raises ``Unsupported``. If nothing can happen any more while a future is awaited, that is a
    deadlock, and known to be one: ``run_until_complete`` raises ``Deadlock``.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        trace: Trace | None = None,
        executor_latency: Latency = sqlite_latency,
        executor_workers: int = DEFAULT_WORKERS,
    ) -> None:
        super().__init__(
            seed=seed, executor_latency=executor_latency, executor_workers=executor_workers
        )
        self.trace = Trace() if trace is None else trace
        self.time_limit_s: float | None = None
        self.ledger: LockLedger | None = None
        # Called between passes; what is set while the loop turns may count from its next turn.
        self.observer: Callable[[], None] | None = None
        self._pause = Pause.STOPPED
        self._moment_passes = 0
        self._idle_passes = 0
        self._seen_steps = 0
        self._collected_at = 0

    def note(self, text: str) -> None:
        """Add an entry of the caller's own to the trace, and so to the digest."""
        self.trace.note(text)

    def _turn(self) -> Pause:
        """Run callbacks and move the clock until something says to pause."""
        queue = self.environment.queue
        ready = self._ready
        popleft = ready.popleft
        record = self.trace.steps.append
        task_number = TASK_NUMBER
        deliver = _delivery(self)
        advance = _advance(self, deliver)
        now = self.environment.now
        while True:
            for _ in repeat(None, _PASSES) if self.observer is None else _observed(self.observer):
                if queue and queue[0][0] <= now:
                    deliver(now)
                waiting = len(ready)
                if not waiting:
                    # A finished task must not live on in our variables while time goes by.
                    handle = call = context = None
                    now = advance()
                    if now < 0.0:
                        return self._pause
                    waiting = len(ready)
                while waiting:
                    waiting -= 1
                    handle = popleft()
                    call = handle.call
                    if call is not None:
                        context = handle.context
                        record(context.get(task_number, 0))
                        try:
                            context.run(*call)
                        except (SystemExit, KeyboardInterrupt):
                            raise
                        except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
                            self._callback_failed(handle, error)
                if self._stopping:
                    return Pause.STOPPED
            pause = self._look_after_passes()
            if pause is not None:
                return pause
            now = self.environment.now

    def _next_moment(self) -> float:
        """Find the next moment at which something happens; if there is none, note why: -1.0."""
        when = self.environment.next_s()
        if self._stopping:
            self._pause = Pause.STOPPED
        elif self._moment_passes >= _SPIN_PASSES_MAX:
            self._pause = Pause.SPINNING
        elif when is None:
            self._pause = Pause.STUCK
        elif self.time_limit_s is not None and when > self.time_limit_s:
            self.environment.move_to(self.time_limit_s)
            self._pause = Pause.TIME_LIMIT
        else:
            return when
        return -1.0

    def _advance_slowly(self, deliver: Callable[[float], None]) -> float:
        """Move the clock to the next moment, whatever lies there, and deliver what is due then."""
        when = self._next_moment()
        if when >= 0.0:
            if self.ledger is not None and self.ledger.sample_due_s <= when:
                self.ledger.sample(when)
            self.environment.move_to(when)
            self._moment_passes = 0
            deliver(when)
        return when

    def _look_after_passes(self) -> Pause | None:
        """Do what must be done now and then; see whether the program gets anywhere."""
        trace = self.trace
        trace.flush()
        idle = trace.step_count == self._seen_steps
        self._seen_steps = trace.step_count
        self._idle_passes = self._idle_passes + _PASSES if idle else 0
        if self._idle_passes >= _IDLE_PASSES_MAX:
            return Pause.IDLING
        self._moment_passes += _PASSES
        if self._moment_passes >= _SPIN_PASSES_MAX:
            return Pause.SPINNING
        if self._moment_passes > _FREE_PASSES:
            now = self.environment.now + _PASSES * _PASS_S
            self.environment.move_to(min(now, self.environment.peek()))
        if trace.step_count - self._collected_at > _COLLECT_STEPS:
            self._collected_at = trace.step_count
            gc.collect(1)
        return None

    def _run(self) -> Pause:
        """Turn as the running loop of this thread.

        Cyclic garbage is collected at fixed numbers of callbacks, not when CPython's counters say
        so: those depend on what the process did before, and a collection can finalize an
        asynchronous generator, which schedules a task.
        """
        self._check_open()
        if self._thread is not None:
            raise RuntimeError("This event loop is already running")
        if events._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        hooks = sys.get_asyncgen_hooks()
        collecting = gc.isenabled()
        self._thread = threading.get_ident()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_began, finalizer=self._asyncgen_dropped)
        events._set_running_loop(self)
        gc.disable()
        try:
            return self._turn()
        finally:
            self._stopping = False
            self._thread = None
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
            if collecting:
                gc.enable()

    def turn(self) -> Pause:
        """Turn until something says to pause, for a search, which sees to hooks and garbage."""
        self._thread = threading.get_ident()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_began, finalizer=self._asyncgen_dropped)
        events._set_running_loop(self)
        try:
            return self._turn()
        finally:
            self._stopping = False
            self._thread = None
            events._set_running_loop(None)

    def run_is_over(self) -> None:
        """Take note that only what is left behind is cleared away from now on."""

    def run_forever(self) -> None:
        """Run until ``stop`` is called.

        Raises:
            Deadlock: Nothing can happen any more, so that it never will be.
        """
        pause = self._run()
        if pause is not Pause.STOPPED:
            raise self._deadlock(pause)

    def run_until_complete(self, future: Any) -> Any:
        """Run until the future is done; return its result or raise its exception.

        Raises:
            Deadlock: Nothing can happen any more, and it is not done.
        """
        pause, future = self.drive(future)
        if future.done():
            return future.result()
        if pause is Pause.STOPPED:
            raise RuntimeError("Event loop stopped before Future completed.")
        raise self._deadlock(pause)

    def drive(self, future: Any) -> tuple[Pause, asyncio.Future[Any]]:
        """Run until the future is done or the loop pauses; return why, and the future."""
        self._check_open()
        is_new = not asyncio.isfuture(future)
        future = asyncio.ensure_future(future, loop=self)
        if is_new:
            # It is awaited here: that a deadlock leaves it pending is nothing to complain of.
            future._log_destroy_pending = False
        future.add_done_callback(self.stop_after)
        try:
            return self._run(), future
        finally:
            future.remove_done_callback(self.stop_after)

    def stop_after(self, future: asyncio.Future[Any]) -> None:
        """Stop once the future is done, as its callback."""
        if not future.cancelled() and isinstance(
            future.exception(), (SystemExit, KeyboardInterrupt)
        ):
            return
        self._stopping = True

    def _deadlock(self, pause: Pause) -> Deadlock:
        diagnosis = diagnose(self, exact=pause is Pause.STUCK)
        return Deadlock(f"{pause.value} at {self.time():.6f} s\n{render(diagnosis)}")


def _observed(observer: Callable[[], None]) -> Iterator[None]:
    """Count passes, and call the observer between them; nobody else pays for it."""
    for _ in repeat(None, _PASSES):
        observer()
        yield


def _delivery(loop: VirtualLoop) -> Callable[[float], None]:
    """Make the function that makes ready what is due, and lets SimPy's events happen in order.

    A closure, because it is called at every moment of a run, and finds all it needs at hand.
    """
    environment = loop.environment
    queue = environment.queue
    background = environment.background_numbers
    ready = loop._ready
    append = ready.append
    wake = loop.trace.wakes.append
    task_number = TASK_NUMBER

    def deliver(now: float) -> None:
        traced = False
        for _ in repeat(None, _SPIN_EVENTS_MAX):
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
        loop._moment_passes = _SPIN_PASSES_MAX

    return deliver


def _advance(loop: VirtualLoop, deliver: Callable[[float], None]) -> Callable[[], float]:
    """Make the function that moves the clock to the next moment and delivers what is due then.

    It returns that moment, or -1.0 if there is none: then the loop knows why.
    """
    environment = loop.environment
    queue = environment.queue
    background = environment.background_numbers
    append = loop._ready.append
    wake = loop.trace.wakes.append
    record = loop.trace.steps.append
    task_number = TASK_NUMBER
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
                number = timer.context.get(task_number, 0)
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
                return when
        return loop._advance_slowly(deliver)

    return advance


def running_virtual_loop() -> VirtualLoop:
    """Return the virtual loop that is running.

    Raises:
        Unsupported: The running loop is another one, or none runs.
    """
    loop = events._get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise Unsupported(
            f"the running loop must be a VirtualLoop, got {type(loop).__name__}:"
            " call this inside harness.simulated.simulation.simulate()"
        )
    return loop
