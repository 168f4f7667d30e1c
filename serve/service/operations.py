"""The operations under way, counted so that a shutdown can wait for them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from serve.errors import ServeClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

__all__ = ["Operations"]

T = TypeVar("T")


class Operations:
    """Admits operations while the service is open, and keeps the tails that outlive callers."""

    def __init__(self) -> None:
        self._refusal = "the service is not open yet: use it as 'async with Serve(...) as serve'"
        self._admitted = 0
        self._tails: dict[asyncio.Task[Any], None] = {}
        self._is_cut_off = False  # The drain's deadline has passed.
        self._quiet = asyncio.Event()
        self._quiet.set()

    def open(self) -> None:
        """Admit operations from now on."""
        self._refusal = ""

    def refuse(self, reason: str) -> None:
        """Admit no more operations: they raise ``ServeClosed`` with this reason."""
        self._refusal = reason

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Count an operation while the block runs.

        Raises:
            ServeClosed: The service takes no more work.
        """
        if self._refusal:
            raise ServeClosed(self._refusal)
        self._admitted += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._admitted -= 1
            self._note_end()

    async def outlive(
        self, tail: Coroutine[Any, Any, T], *, name: str, done: Callable[[], None]
    ) -> T:
        """Await a tail that goes on if the caller is cancelled; ``done`` is called at its end.

        Raises:
            ServeClosed: The shutdown's drain deadline passed before the tail ended, or began.
        """
        if self._is_cut_off:
            tail.close()
            done()
            raise ServeClosed("the service closed before the operation began")
        task = asyncio.get_running_loop().create_task(tail, name=name)
        self._tails[task] = None
        self._quiet.clear()
        task.add_done_callback(lambda ended: self._end_tail(ended, done))
        # Not shield(): it would report a failure that the caller no longer waits for as unhandled.
        await asyncio.wait((task,))
        if task.cancelled():
            raise ServeClosed("the service closed before the operation ended")
        return task.result()

    async def settled(self) -> None:
        """Wait until no operation and no tail is under way."""
        # Each operation ends with the deadlines of what it waits for.
        await self._quiet.wait()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is under way; after ``seconds`` cancel the tails that are left."""
        try:
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        except TimeoutError:
            self._is_cut_off = True
            tails = list(self._tails)
            for task in tails:
                task.cancel()
            if tails:
                # Each ends at once, unless a client swallows its cancellation.
                await asyncio.wait(tails, timeout=seconds)

    def _end_tail(self, task: asyncio.Task[Any], done: Callable[[], None]) -> None:
        del self._tails[task]
        if not task.cancelled():
            task.exception()  # The tail has recorded it itself, even when its caller is gone.
        done()
        self._note_end()

    def _note_end(self) -> None:
        if not self._admitted and not self._tails:
            self._quiet.set()
