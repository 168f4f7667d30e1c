"""A stop of a simulated client inside a command, for parks and faults at ``NAME.inside``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Generator

    import simpy

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["SimulatedHold"]

T = TypeVar("T")


class SimulatedHold:
    """A stop of a client at the beginning of a command; see ``hold_next``."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._begun: asyncio.Future[None] = loop.create_future()
        self._released = loop.environment.event()

    async def begun(self) -> None:
        """Wait until the client stands still."""
        await self._begun

    def release(self) -> None:
        """Let the client go on."""
        if not self._released.triggered:
            self._released.succeed()

    def around(self, body: Generator[simpy.Event, Any, T]) -> Generator[simpy.Event, Any, T]:
        """Stop, then carry out a command's body."""
        if not self._begun.done():
            self._begun.set_result(None)
        yield self._released
        return (yield from body)
