"""The virtual loop: it runs callbacks in asyncio's order, on SimPy's clock."""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import events
from typing import TYPE_CHECKING, Any

from harness.diagnosis.wait_graph import diagnose, render
from harness.errors import Deadlock, Unsupported
from harness.processes.below_python import get_ident
from harness.simulated.limits.polling import Polling
from harness.simulated.loop.loop_surface import LoopSurface
from harness.simulated.loop.outside.executor_model import DEFAULT_WORKERS, sqlite_latency
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.diagnosis.lock_ledger import LockLedger
    from harness.simulated.loop.outside.executor_model import Latency

__all__ = ["VirtualLoop", "running_virtual_loop"]

# Passes (asyncio calls them iterations) between two looks at what is not urgent: hashing, spinning.
_PASSES = 4096

# After so many passes of the same tasks at one moment time goes on: they poll for what it brings.
_FREE_PASSES = 16 * _PASSES
# Passes between two looks while time creeps.
_CREEP_PASSES = 16

# Callbacks that a run may take, unless somebody says more.
RUN_STEPS_MAX = 10_000_000

# A moment with this many SimPy events is not going to end; nor is a run in which this many passes
# brought SimPy events, but not one callback.
_SPIN_EVENTS_MAX = 1_000_000
_IDLE_PASSES_MAX = 1_000_000

# Callbacks between two collections of cyclic garbage.
_COLLECT_STEPS = 200_000


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
        self.steps_max = RUN_STEPS_MAX
        self.ledger: LockLedger | None = None
        # Called between passes; what is set while the loop turns may count from its next turn.
        self.observer: Callable[[], None] | None = None
        self._pause = Pause.STOPPED
        self._moment_passes = 0
        self._is_endless = False
        self._polling = Polling(_FREE_PASSES)
        self._idle_passes = 0
        self._seen_steps = 0
        self._collected_at = 0

    def note(self, text: str) -> None:
        """Add an entry of the caller's own to the trace, and so to the digest."""
        self.trace.note(text)

    def _turn(self) -> Pause:
        """Run callbacks and move the clock until something says to pause."""
        turn = self._core.turn
        while True:
            # A pass has as many steps as callbacks are ready, about.
            left = self.steps_max - self.trace.step_count
            passes = max(1, min(self._look_passes(), left // max(1, len(self._ready))))
            pause = turn(passes, _SPIN_EVENTS_MAX) or self._look_after_passes(passes)
            if pause is not None:
                return pause

    def _look_passes(self) -> int:
        creeps = self._polling.creeps and self._moment_passes > _PASSES
        return _CREEP_PASSES if creeps else _PASSES

    def _next_moment(self) -> float:
        """Find the next moment at which something happens; if there is none, note why: -1.0."""
        when = self.environment.advance_s()
        if self._stopping:
            self._pause = Pause.STOPPED
        elif self._is_endless:
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

    def _moment_is_endless(self) -> None:
        """Note that a moment has had more SimPy events than any that ends."""
        self._is_endless = True

    def _look_after_passes(self, passes: int) -> Pause | None:
        """Do what must be done now and then; see whether the program gets anywhere."""
        trace = self.trace
        self._moment_passes += passes
        if self._moment_passes > _PASSES:
            self._creep(passes)
        if trace.step_count + len(trace.steps) >= self.steps_max:
            return Pause.STEPS
        trace.flush()
        idle = trace.step_count == self._seen_steps
        self._seen_steps = trace.step_count
        self._idle_passes = self._idle_passes + passes if idle else 0
        if self._idle_passes >= _IDLE_PASSES_MAX:
            return Pause.IDLING
        if self._is_endless:
            return Pause.SPINNING
        if self.time_limit_s is not None and self.time() > self.time_limit_s:
            return Pause.TIME_LIMIT
        if trace.step_count - self._collected_at > _COLLECT_STEPS:
            self._collected_at = trace.step_count
            gc.collect(1)
        return None

    def _creep(self, passes: int) -> None:
        """Let time go on, up to what comes next, if the same tasks only poll."""
        environment = self.environment
        step_s = self._polling.look(environment.now, self.trace.steps, passes)
        if step_s:
            environment.move_to(min(environment.now + step_s, environment.peek()))
            self._polling.crept(environment.now)

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
        self._thread = get_ident()
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
        self._thread = get_ident()
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
            # It is awaited here: if a deadlock leaves it pending, asyncio must not warn of that.
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
