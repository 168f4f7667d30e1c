"""How long clients' commands wait and work: told by clients, heard by whoever gave the command."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CommandTimes", "heard_times", "tell_times"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTimes:
    """How long one command, or the start of a client, waited and worked; in seconds.

    ``queued_s`` is from its submission to its begin, ``service_s`` from there to its end. Of that,
    ``cpu_s`` is CPU time of the client, and ``node_s`` the time in which a request to the node was
    under way. None is what the client cannot tell.
    """

    queued_s: float | None = None
    service_s: float | None = None
    cpu_s: float | None = None
    node_s: float | None = None


# In production nobody listens, and a command costs one look at a context variable.
_LISTENER: ContextVar[Callable[[CommandTimes], None] | None] = ContextVar(
    "serve_command_times", default=None
)


@contextmanager
def heard_times() -> Iterator[list[CommandTimes]]:
    """Collect what clients tell of the commands that this block gives."""
    before, told = _LISTENER.get(), list[CommandTimes]()
    _LISTENER.set(told.append)
    try:
        yield told
    finally:
        # Not reset by the variable's token: a task that is torn down may end in another context.
        _LISTENER.set(before)


def tell_times(times: CommandTimes) -> None:
    """Tell of a command that has ended, in the task that gave it, before that has the answer."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(times)
