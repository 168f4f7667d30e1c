"""The virtual loop's two handles: a callback that is ready, one that waits for time."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextvars import Context

    from harness.simulated.loop.ports import TimerQueue

__all__ = ["ReadyHandle", "Timer", "described"]


class ReadyHandle:
    """What ``call_soon`` returns: as ``asyncio.Handle``, and as light as Python allows.

    ``call`` is the callback with its arguments as one tuple, ready to be spread, or None once
    cancelled. The loop makes one for every step of every task, so there is no constructor.
    ``lane`` is set by a loop that explores, and by no other.
    """

    __slots__ = ("call", "context", "lane")

    call: tuple[Any, ...] | None
    context: Context
    lane: int

    def cancel(self) -> None:
        """Never run the callback; no effect if it has run."""
        self.call = None

    def cancelled(self) -> bool:
        """Return True if the callback was cancelled."""
        return self.call is None

    def get_context(self) -> Context:
        """Return the context the callback runs in."""
        return self.context

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {described(self.call)}>"


class Timer:
    """What ``call_later`` and ``call_at`` return: as ``asyncio.TimerHandle``.

    It lies in the environment's queue among SimPy's events, so timers and the latency model share
    one order of time. ``environment`` is None once it lies there no more.
    """

    __slots__ = ("call", "context", "environment", "lane", "when_s")

    call: tuple[Any, ...] | None
    context: Context
    lane: int
    environment: TimerQueue | None
    when_s: float

    def cancel(self) -> None:
        """Never run the callback; no effect if it has run."""
        if self.call is not None:
            self.call = None
            if self.environment is not None:
                self.environment.timer_cancelled()

    def cancelled(self) -> bool:
        """Return True if the callback was cancelled."""
        return self.call is None

    def get_context(self) -> Context:
        """Return the context the callback runs in."""
        return self.context

    def when(self) -> float:
        """Return the moment at which the callback is due, in seconds of the loop's time."""
        return self.when_s

    def __repr__(self) -> str:
        return f"<Timer when={self.when_s} {described(self.call)}>"


def described(call: tuple[Any, ...] | None) -> str:
    """Describe a callback with its arguments in one line."""
    if call is None:
        return "cancelled"
    return f"{call[0]!r}({', '.join(map(reprlib.repr, call[1:]))})"
