"""Futures that something outside asyncio completes: a SimPy event, an executor's call."""

from __future__ import annotations

import asyncio
from contextvars import Context
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import simpy

    from harness.simulated.loop.ports import Awaited

__all__ = ["OutsideFuture", "OutsideFutures", "SimPyFuture"]


class OutsideFuture(asyncio.Future[Any]):
    """A future that knows what it stands for (``waits_for``) and hashes by its creation."""

    serial: int
    waits_for: str

    def __hash__(self) -> int:
        return self.serial


class SimPyFuture(OutsideFuture):
    """A SimPy event as an awaitable."""

    environment: Awaited

    def cancel(self, msg: Any | None = None) -> bool:
        """Wait no longer. The event itself goes on; its failure, should it come, is taken."""
        cancelled = super().cancel(msg)
        if cancelled:
            self.environment.awaited_count -= 1
        return cancelled

    def settle(self, event: simpy.Event) -> None:
        """Take what the event brings; SimPy calls this when it happens."""
        # Taken even if nobody waits any more: a cancelled wait must not crash the environment.
        if not event.ok:
            event.defused = True
        if self.done():
            return
        self.environment.awaited_count -= 1
        value: Any = event.value
        if event.ok:
            self.set_result(value)
        else:
            self.set_exception(value)


class OutsideFutures:
    """Makes the outside futures of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.begin_anew()

    def begin_anew(self) -> None:
        """Number the futures from 1."""
        self._serials = count(1)
        # Those that failed: perhaps nobody takes the error, and a reference keeps it silent.
        self.failed: list[OutsideFuture] = []

    def of_call(self, function: Any) -> OutsideFuture:
        """Make the future of a function that an executor was given."""
        future = OutsideFuture(loop=self._loop)
        future.serial = next(self._serials)
        future.waits_for = f"executor call {_called(function)}"
        return future

    def of_event(self, event: simpy.Event, environment: Awaited) -> SimPyFuture:
        """Make the future of a SimPy event, which may have happened already."""
        future = SimPyFuture(loop=self._loop)
        future.serial = next(self._serials)
        future.waits_for = f"SimPy event {_described(event)}"
        future.environment = environment
        environment.awaited_count += 1
        if event.callbacks is None:
            future.settle(event)
        else:
            event.callbacks.append(future.settle)
        return future


def _called(function: Any) -> str:
    """Name the function that an executor is to call: ``to_thread`` wraps it in two others."""
    while isinstance(function, partial):
        inner = function.func
        in_context = isinstance(getattr(inner, "__self__", None), Context)
        function = function.args[0] if in_context and function.args else inner
    # Not repr(): that holds an address, which is no name.
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _described(event: simpy.Event) -> str:
    # A process by the name of its generator; SimPy's own text holds an address, which is no name.
    return str(getattr(event, "name", "")) or type(event).__name__
