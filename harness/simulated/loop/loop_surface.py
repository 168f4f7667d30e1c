"""The virtual loop as a program calls it: callbacks, timers, tasks, executors."""

from __future__ import annotations

import asyncio
import weakref
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from harness.choices.randomness import Randomness
from harness.diagnosis.task_origins import origin_of
from harness.errors import Unsupported, readable
from harness.processes.below_python import get_ident
from harness.processes.signals import is_interruption
from harness.simulated.guards.unsupported_calls import UnsupportedCalls
from harness.simulated.loop.core import the_core
from harness.simulated.loop.outside.executor_model import ExecutorModel
from harness.simulated.loop.outside.outside_futures import OutsideFutures
from harness.simulated.loop.virtual_task import TaskMaker
from harness.simulated.loop.virtual_time import VirtualEnvironment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence

    import simpy

    from harness.simulated.loop.outside.executor_model import Latency
    from harness.simulated.loop.turning import Core, ReadyHandle, Timer

    ExceptionHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

__all__ = ["LoopSurface"]

# asyncio's own factories of tasks that begin at once.
_EAGER = frozenset({"create_eager_task_factory", "eager_task_factory"})

_Value = TypeVar("_Value")
_Arguments = TypeVarTuple("_Arguments")


class LoopSurface(UnsupportedCalls):
    """The methods of an event loop that only note what is to be done; ``VirtualLoop`` does it."""

    slow_callback_duration = 0.1

    def __init__(self, *, seed: int, executor_latency: Latency, executor_workers: int) -> None:
        self.environment = VirtualEnvironment()
        self.randomness = Randomness(seed)
        self.unhandled: list[str] = []
        # Tells what whoever interrupts the process has raised from what the program raises.
        self.is_interrupted: Callable[[BaseException], bool] = is_interruption
        self.task_names: dict[int, str] | None = None
        self.outside_futures = OutsideFutures(self)
        self._executor_latency = executor_latency
        self._executor_workers = executor_workers
        self._core: Core = the_core().Core(self, self.environment)
        self._ready = self._core.ready
        self._tasks = TaskMaker(self)
        self._default_executor: Executor | None = None
        self._default_executor_open = True
        self._exception_handler: ExceptionHandler | None = None
        self._thread: int | None = None
        self._stopping = False
        self._closed = False
        # asyncio's C code makes these calls at every step of every task. As attributes of the
        # instance they cost one Python frame less, or none: a tenth of the whole.
        self.__dict__["call_soon"] = self._core.call_soon
        self.__dict__["call_later"] = self._core.call_later
        self.__dict__["create_future"] = self._core.create_future
        self.set_debug(False)

    @cached_property
    def executors(self) -> ExecutorModel:
        """The executors; made when one is first asked for, which many programs never do."""
        return ExecutorModel(self, latency=self._executor_latency, workers=self._executor_workers)

    @cached_property
    def _asyncgens(self) -> weakref.WeakValueDictionary[int, AsyncGenerator[Any, Any]]:
        return weakref.WeakValueDictionary()

    # Callbacks and timers.

    def time(self) -> float:
        """Return the virtual time in seconds; it began at 0.0."""
        return self.environment.now

    def call_soon(
        self,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> Any:
        """Run a callback in the next pass, after all that became ready before it."""
        return self.__dict__["call_soon"](callback, *args, context=context)

    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> Any:
        """Do as ``call_soon``: there are no other threads.

        Raises:
            Unsupported: It is called from another thread after all.
        """
        if self._thread not in {None, get_ident()}:
            raise Unsupported(
                "loop.call_soon_threadsafe() from another thread: a real thread is in no order with"
                " virtual time; model it as a SimPy process, or run the scenario live"
            )
        return self.__dict__["call_soon"](callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> Any:
        """Run a callback ``delay`` virtual seconds from now."""
        return self.__dict__["call_later"](delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> Any:
        """Run a callback at a moment of the loop's time."""
        return self.environment.add_timer(
            when, (callback, *args), copy_context() if context is None else context
        )

    def call_later_in_background(
        self,
        delay: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
    ) -> Timer:
        """Run a callback ``delay`` seconds from now, if the run is still alive by then.

        Such a timer does not keep a run from being stuck: it suits deadlines and watchdogs of the
        harness itself, which would otherwise have to pass before a deadlock can be seen.
        """
        environment = self.environment
        return environment.add_timer(
            environment.now + delay, (callback, *args), copy_context(), background=True
        )

    # Futures and tasks.

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return asyncio.Future(loop=self)

    def future_of(self, event: simpy.Event) -> asyncio.Future[Any]:
        """Make a SimPy event awaitable: a process, a request, a timeout, a condition.

        Its value becomes the result; its failure becomes the exception, and no longer crashes the
        environment. Cancelling the future does not touch the event: to give back a request, leave
        the ``with`` block that made it.
        """
        return self.outside_futures.of_event(event, self.environment)

    def create_task(
        self,
        coro: Generator[Any, None, _Value] | Coroutine[Any, Any, _Value],
        *,
        name: object = None,
        context: Context | None = None,
        eager_start: bool | None = None,
    ) -> Any:
        """Make a task; it is called ``task-N``, N from 1, unless it is named."""
        self._check_open()
        if eager_start:
            raise Unsupported(
                "create_task(eager_start=True): the virtual loop starts tasks in turn"
            )
        task = self._tasks.make(coro, name, context)
        if self.task_names is not None:
            self.task_names.setdefault(task.number, task.get_name())
        return task

    def set_task_factory(self, factory: Any) -> None:
        """Accept None only: tasks of another class would hash, and so be iterated, by address."""
        if factory is None:
            return
        # Not repr(): that holds an address, which is no name.
        name = getattr(factory, "__qualname__", None) or type(factory).__qualname__
        if name.partition(".")[0] in _EAGER:
            raise Unsupported(
                f"loop.set_task_factory({name}): the virtual loop starts tasks in turn, as asyncio"
                " does by default, and an eager task begins in its maker's step; leave it out in a"
                " simulation"
            )
        raise Unsupported(
            f"loop.set_task_factory({name}): tasks must be the virtual loop's own,"
            " or the order of task sets is no longer decided by the seed; set none"
        )

    def get_task_factory(self) -> None:
        """Return None: there is none."""

    # Executors.

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*_Arguments], _Value],
        *args: *_Arguments,
    ) -> asyncio.Future[_Value]:
        """Run a blocking function when the time it takes is over; see ``ExecutorModel``."""
        self._check_open()
        if executor is None:
            if not self._default_executor_open:
                raise RuntimeError("Executor shutdown has been called")
            executor = self._default_executor
        return self.executors.submit(executor, func, args)

    def chosen_early(self, call: str) -> bool:
        """Return False: a call does its work when its time is over, unless a run explores."""
        del call
        return False

    def begin_outside(self) -> None:
        """Do nothing: what is set going outside begins with the next pass."""

    def set_default_executor(self, executor: Executor) -> None:
        """Run what is given no executor on the workers of this thread pool."""
        if not isinstance(executor, ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._default_executor = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the default pool's calls, and take no more."""
        self._default_executor_open = False
        async with asyncio.timeout(timeout):
            await self.executors.drain(self._default_executor)

    # Asynchronous generators.

    def _asyncgen_began(self, generator: AsyncGenerator[Any, Any]) -> None:
        # By id and in order of their beginning: a set of weak references has no order.
        self._asyncgens[id(generator)] = generator

    def _asyncgen_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.pop(id(generator), None)
        if not self._closed:
            self.call_soon(self.create_task, generator.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators that have begun and not ended."""
        generators = list(self._asyncgens.values())
        self._asyncgens.clear()
        ends = await asyncio.gather(*(one.aclose() for one in generators), return_exceptions=True)
        for generator, end in zip(generators, ends, strict=True):
            if isinstance(end, Exception):
                self.call_exception_handler(
                    {
                        "message": f"an error occurred during closing of {generator!r}",
                        "exception": end,
                        "asyncgen": generator,
                    }
                )

    # Errors that nobody awaits.

    def set_exception_handler(self, handler: ExceptionHandler | None) -> None:
        """Have a handler called, besides the record in ``unhandled``."""
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def get_exception_handler(self) -> ExceptionHandler | None:
        """Return the handler that was set, or None."""
        return self._exception_handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Do nothing: what was not handled is in ``unhandled``, for the caller."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Record an error that no code took, and call the handler that was set."""
        error = context.get("exception")
        text = str(context.get("message", "unhandled error"))
        task = context.get("task") or context.get("future")
        if isinstance(task, asyncio.Task):
            made_at = origin_of(task)
            text += f" ({task.get_name()}{f', made at {made_at}' if made_at else ''})"
        self.unhandled.append(f"{text}: {readable(error)}" if error is not None else text)
        if self._exception_handler is None:
            return
        try:
            self._exception_handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as failure:  # noqa: BLE001 - as asyncio: a handler ends no loop
            self.unhandled.append(f"the exception handler failed: {readable(failure)}")

    def _callback_failed(self, handle: ReadyHandle | Timer, error: BaseException) -> None:
        self.call_exception_handler(
            {"message": "Exception in callback", "exception": error, "handle": handle}
        )

    # State.

    def get_debug(self) -> bool:
        """Return True in debug mode: tasks and futures remember where they were made."""
        return bool(self.__dict__["get_debug"]())

    def set_debug(self, enabled: bool) -> None:
        """Switch debug mode."""
        # bool() returns False and is the cheapest function that does: every new future calls it.
        self.__dict__["get_debug"] = partial(bool, 1) if enabled else bool

    @property
    def ready(self) -> Sequence[Any]:
        """The callbacks that are ready, in the loop's order."""
        found: Sequence[Any] = self._ready
        return found

    def stop(self) -> None:
        """Stop after the pass that is under way."""
        self._stopping = True

    def is_running(self) -> bool:
        """Return True while callbacks run."""
        return self._thread is not None

    def is_closed(self) -> bool:
        """Return True once closed."""
        return self._closed

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def close(self) -> None:
        """Forget all callbacks and events; idempotent."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        self._closed = True
        self._ready.clear()
        self.environment.queue.clear()
        self.__dict__["call_soon"] = _call_soon_closed


def _call_soon_closed(*_call: Any, context: Context | None = None) -> ReadyHandle:
    del context
    raise RuntimeError("Event loop is closed")
