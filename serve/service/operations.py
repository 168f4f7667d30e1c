"""The operations under way: counted for a shutdown, and the lanes in which their tails take turns.

A *tail* is the part of an operation that goes on when its callers are gone. The tails of one lane
run one at a time, in order of arrival. One whose turn has not come ends with its last caller.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serve.domain.shared_errors import copy_of
from serve.errors import ClientBusy, ServeClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable, Iterator

__all__ = ["Operations", "Tail"]

LANE_LENGTH_MAX = 1_024  # As many as may wait in a client.


@dataclass(slots=True, kw_only=True, eq=False)
class Tail:
    """What goes on when its callers are gone; ``request`` says what it was asked for.

    ``work`` is called when its turn has come, ``done`` at its end, though it never began.
    """

    lane: Hashable
    name: str
    request: object
    work: Callable[[], Coroutine[Any, Any, Any]]
    done: Callable[[], None] = lambda: None
    callers: int = 0
    task: asyncio.Task[Any] | None = None  # Once its turn has come.
    turn: asyncio.Event = field(default_factory=asyncio.Event)  # It has come, or never will.
    context: Context = field(default_factory=copy_context)


class Operations:
    """Admits operations while the service is open, and lets the tails of each lane take turns."""

    def __init__(self) -> None:
        self._refusal = "the service is not open yet: use it as 'async with Serve(...) as serve'"
        self._admitted = 0
        self._lanes: dict[Hashable, deque[Tail]] = {}
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
            self._note_quiet()

    def find(self, lane: Hashable, is_wanted: Callable[[Tail], bool]) -> Tail | None:
        """Return the first tail of a lane that has not ended and is wanted, or None."""
        return next((tail for tail in self._lanes.get(lane, ()) if is_wanted(tail)), None)

    async def outlive(self, tail: Tail) -> Any:
        """Await a tail, put into its lane unless it is there; it survives its callers once begun.

        Raises:
            ClientBusy: 1,024 tails wait in its lane already. It has ended.
            ServeClosed: The shutdown's drain deadline passed before the tail ended, or began.
        """
        if tail not in self._lanes.get(tail.lane, ()):
            self._put(tail)
        tail.callers += 1
        try:
            await tail.turn.wait()
            if tail.task is not None:
                # Not shield(): it would report a failure that nobody waits for as unhandled.
                await asyncio.wait((tail.task,))
        finally:
            tail.callers -= 1
            if not tail.callers and not tail.turn.is_set():
                self._end(tail)
        if tail.task is None:
            raise ServeClosed("the service closed before the operation began")
        if tail.task.cancelled():
            raise ServeClosed("the service closed before the operation ended")
        error = tail.task.exception()
        if error is not None:
            # Of callers that share a tail only the last gets its own error, the others a copy.
            raise copy_of(error) if tail.callers else error
        return tail.task.result()

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
            tails = [tail for lane in self._lanes.values() for tail in lane]
            for tail in reversed(tails):
                if tail.task is None:
                    self._end(tail)
                else:
                    tail.task.cancel()
            tasks = [tail.task for tail in tails if tail.task is not None]
            if tasks:
                # Each ends at once, unless a client swallows its cancellation.
                await asyncio.wait(tasks, timeout=seconds)

    def _put(self, tail: Tail) -> None:
        lane = self._lanes.setdefault(tail.lane, deque())
        if len(lane) > LANE_LENGTH_MAX:
            tail.done()
            raise ClientBusy(f"{tail.name}: {LANE_LENGTH_MAX} others wait already; try later")
        lane.append(tail)
        self._quiet.clear()
        if self._is_cut_off:
            self._end(tail)
        elif len(lane) == 1:
            self._begin(tail)

    def _begin(self, tail: Tail) -> None:
        loop = asyncio.get_running_loop()
        tail.task = loop.create_task(tail.work(), name=tail.name, context=tail.context)
        tail.task.add_done_callback(lambda _: self._end(tail))
        tail.turn.set()

    def _end(self, tail: Tail) -> None:
        if tail.task is not None and not tail.task.cancelled():
            tail.task.exception()  # Marked as seen: it may be that no caller is left.
        lane = self._lanes[tail.lane]
        lane.remove(tail)
        tail.turn.set()
        tail.done()
        if not lane:
            del self._lanes[tail.lane]
        elif lane[0].task is None:
            self._begin(lane[0])
        self._note_quiet()

    def _note_quiet(self) -> None:
        if not self._admitted and not self._lanes:
            self._quiet.set()
