"""Executors in virtual time: FIFO workers whose functions run on the loop's own thread."""

from __future__ import annotations

import asyncio
import sys
import weakref
from asyncio import events
from collections import deque
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy

from harness.diagnosis.classification import is_program
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.places import callers, place_of
from harness.errors import Unsupported
from harness.history.records import LockHold, LockWait
from harness.simulated.loop.virtual_time import Drawn

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Generator
    from typing import Self

    from harness.simulated.loop.outside.outside_futures import OutsideFuture
    from harness.simulated.loop.ports import ExecutorLoop

    Latency = Callable[[random.Random], float]

__all__ = ["DEFAULT_WORKERS", "ExecutorModel", "sqlite_latency"]

# asyncio's default pool has min(32, cores + 4) threads. A simulation must not depend on the machine
# that runs it, so it has those of a machine with four cores.
DEFAULT_WORKERS = 8

# Failed calls that are kept before those whose error was taken are let go.
FAILED_MAX = 1_000

# The share of a call's time until it does its work, where that is done long before its end.
WORK_SHARE = 1e-3

# What a slow machine adds to a call's time.
SLOW = 50.0


def sqlite_latency(stream: random.Random) -> float:
    """Draw 1 to 5 ms, in seconds: a small SQLite transaction on a local disk."""
    return Drawn.between(0.001, stream.uniform(0.001, 0.005), 0.005)


class ExecutorModel:
    """Runs what ``run_in_executor`` and ``asyncio.to_thread`` are given.

    A pool of n threads is n workers that take calls first come, first served; a pool of one keeps
    its calls in order, as in production. A call begins when a worker is free, takes a drawn time,
    and the function runs, at once and on the loop's thread, when that time is over. A run that
    explores may have it run before that, at any moment since the call began. Until it begins
    a cancelled future takes its call back; after that the function runs, and its result is lost.

    The function sees no running loop, and a fresh context (``to_thread`` brings its own). A
    ``time.sleep`` in it makes its call last so much longer. It must not wait for another thread:
    there is none. While ``slow`` is set, calls that come to their end take much longer.
    """

    def __init__(self, loop: ExecutorLoop, *, latency: Latency, workers: int) -> None:
        self._loop = loop
        self._latency = latency
        self._stream = loop.randomness.stream("executor")
        self._default = simpy.Resource(loop.environment, capacity=workers)
        self._pools: weakref.WeakKeyDictionary[Executor, simpy.Resource]
        self._pools = weakref.WeakKeyDictionary()
        self._queued: dict[simpy.Resource, _Queue] = {}
        self.running = False
        # What the call that runs will complete.
        self.running_call: OutsideFuture | None = None
        self.slow = False
        self.slept_s = 0.0

    def submit(
        self, executor: Executor | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> OutsideFuture:
        """Queue a call of the executor; None is the default pool.

        Raises:
            Unsupported: The executor is no thread pool.
            RuntimeError: The pool was shut down.
        """
        pool = self._default if executor is None else self._pool(executor)
        future: OutsideFuture = self._loop.outside_futures.of_call(function)
        latency_s = self._latency(self._stream)
        now = self._loop.environment.now
        shared = None
        if pool.capacity == 1:
            shared = _LoneWorkerCall.made_now(executor, function, asked_s=now)
        early = self._loop.chosen_early(future.waits_for)
        call = (function, *args)
        place = self._queued.setdefault(pool, _Queue()).joined()
        work = self._work(pool, place, future, call, latency_s, shared=shared, early=early)
        process: Any = self._loop.environment.process(work)
        # For the reader of a schedule: the name of the generator says nothing.
        process.label = future.waits_for
        if early:
            self._loop.begin_outside()
        return future

    def sleep(self, seconds: float) -> None:
        """Let the running call last longer: what ``time.sleep`` is in here."""
        self.slept_s += seconds

    async def drain(self, executor: Executor | None) -> None:
        """Wait until every call that the pool was given so far has ended."""
        pool = self._default if executor is None else self._pool(executor)
        # A call asks for its worker when SimPy starts it: let those that were just given do so.
        await self._loop.future_of(self._loop.environment.timeout(0))
        turns = [pool.request() for _ in range(int(pool.capacity))]
        await self._loop.future_of(self._loop.environment.all_of(turns))
        for turn in turns:
            pool.release(turn)

    def _pool(self, executor: Executor) -> simpy.Resource:
        if not isinstance(executor, ThreadPoolExecutor):
            raise Unsupported(
                f"run_in_executor({type(executor).__name__}): not available inside a simulation:"
                " only thread pools are modelled; use a ThreadPoolExecutor or asyncio.to_thread"
            )
        if executor._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        pool = self._pools.get(executor)
        if pool is None:
            workers = executor._max_workers
            pool = simpy.Resource(self._loop.environment, capacity=workers)
            self._pools[executor] = pool
        return pool

    def _work(
        self,
        pool: simpy.Resource,
        place: _Place,
        future: OutsideFuture,
        call: tuple[Any, ...],
        latency_s: float,
        *,
        shared: _LoneWorkerCall | None,
        early: bool,
    ) -> Generator[simpy.Event, Any, None]:
        environment = self._loop.environment
        with self._queued[pool].turn(place, pool) as turn:
            yield turn
            if future.cancelled():
                return
            begin_s = environment.now
            ran: tuple[Any, BaseException | None] | None = None
            if early:
                # A thread goes on beside the loop: it may have read, and written, long before.
                yield environment.timeout(_early(environment, latency_s))
                ran = self._run(call, future)
                latency_s = _rest(environment, latency_s, environment.now - begin_s)
            yield environment.timeout(latency_s)
            if self.slow:
                yield environment.timeout(SLOW * latency_s)
            value, error = ran or self._run(call, future)
            if self.slept_s:
                slept_s, self.slept_s = self.slept_s, 0.0
                yield environment.timeout(slept_s)
            if shared is not None:
                shared.ended(begin_s=begin_s, end_s=environment.now)
        if future.cancelled():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
            failed = self._loop.outside_futures.failed
            failed.append(future)
            if len(failed) >= FAILED_MAX:
                # Those whose error was taken need not be kept.
                failed[:] = [one for one in failed if one._log_traceback]

    def _run(
        self, call: tuple[Any, ...], future: OutsideFuture
    ) -> tuple[Any, BaseException | None]:
        """Run a function as a worker would: without a loop, and with every error caught."""
        loop = events._get_running_loop()
        events._set_running_loop(None)
        self.running, self.running_call = True, future
        try:
            return Context().run(*call), None
        except BaseException as error:
            if self._loop.is_interrupted(error):
                raise
            # A pool hands every other one to its caller.
            return None, error
        finally:
            self.running, self.running_call = False, None
            events._set_running_loop(loop)


class _Place:
    """The place of a call in the queue of its pool; ``request`` is its request for a worker."""

    request: Any = None


class _Queue:
    """The calls that have not yet asked for a worker, in the order in which they were given.

    SimPy may start a later call first, when what comes from outside changes places. The workers
    still take them first come, first served.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Place] = deque()

    def joined(self) -> _Place:
        """Return the place of a call that was just given."""
        place = _Place()
        self._waiting.append(place)
        return place

    def turn(self, place: _Place, pool: simpy.Resource) -> Any:
        """Ask for a worker, for all who came before as well; return the request of this one."""
        while place.request is None:
            self._waiting.popleft().request = pool.request()
        return place.request


def _early(environment: Any, latency_s: float) -> Drawn:
    """Return after how long a call does its work that is done before its result comes."""
    longest_s = latency_s
    if isinstance(latency_s, Drawn):
        longest_s = latency_s.high_s
    else:
        longest_s /= environment.stretch
    return Drawn.between(0.0, latency_s * WORK_SHARE, longest_s)


def _rest(environment: Any, latency_s: float, passed_s: float) -> float:
    """Return what is left of a call's latency, its bounds included, when a part of it is over."""
    rest_s = max(0.0, latency_s - passed_s)
    if not isinstance(latency_s, Drawn):
        return rest_s
    # The bounds of what is drawn are stretched when it is scheduled, and what has passed is not.
    stretch = environment.stretch
    low_s = max(0.0, latency_s.low_s - passed_s * stretch)
    high_s = max(0.0, latency_s.high_s - passed_s / stretch)
    # Never nothing: what takes no time comes along with what set it going.
    return Drawn.between(low_s, max(rest_s, high_s * WORK_SHARE), high_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoneWorkerCall:
    """A call to a pool with one worker, given at ``asked_s``: to its callers that is a lock."""

    pool: str
    task: str
    where: str
    function: str
    asked_s: float

    @classmethod
    def made_now(cls, executor: Executor | None, function: Any, *, asked_s: float) -> Self | None:
        """Note the calling task and line; None where no ledger is open to keep them."""
        ledger = active_ledger()
        if ledger is None:
            return None
        frames = [one for one in callers(sys._getframe(1)) if is_program(one)]
        task = asyncio.current_task()
        function = getattr(function, "func", function)
        return cls(
            pool="the default executor" if executor is None else ledger.name_of(executor, frames),
            task="no task" if task is None else task.get_name(),
            where=place_of(frames[0].f_code, frames[0].f_lineno) if frames else "an unknown line",
            function=getattr(function, "__qualname__", type(function).__name__),
            asked_s=asked_s,
        )

    def ended(self, *, begin_s: float, end_s: float) -> None:
        """Put the wait for the worker and the time on it into the ledger."""
        ledger = active_ledger()
        if ledger is None or len(ledger.holds) >= ledger.holds_max:
            return
        ledger.holds.append(
            LockHold(
                lock=self.pool,
                task=self.task,
                begin_s=begin_s,
                end_s=end_s,
                where=self.where,
                held_await=f"`{self.function}` on its one worker, called at {self.where}",
                kind="executor",
            )
        )
        if begin_s > self.asked_s:
            ledger.waits.append(
                LockWait(
                    lock=self.pool,
                    task=self.task,
                    begin_s=self.asked_s,
                    end_s=begin_s,
                    where=self.where,
                )
            )
