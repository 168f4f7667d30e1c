"""Deadlines: how long the service waits for each thing, and the errors raised when it is over."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from serve.errors import InvalidInput, ServeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Deadlines", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long to wait, in seconds, each a finite number above 0.

    ``dial_s``: the node takes a connection (``DialTimedOut``, raised by the client factory).
    ``spawn_s``: a client starts, its dial included (``SpawnTimedOut``).
    ``command_s``: a client answers a command, its wait in the queue included
    (``CommandTimedOut``). ``close_s``: a client closes; then it is killed, and has as long again to
    end (``CloseTimedOut``). ``recovery_s``: what an earlier client left is decided.
    ``drain_s``: at shutdown, operations under way may end by themselves; then they are cancelled.
    """

    dial_s: float = 10.0
    spawn_s: float = 30.0
    command_s: float = 120.0
    close_s: float = 30.0
    recovery_s: float = 30.0
    drain_s: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value <= 0:
                raise InvalidInput(
                    f"deadlines: {field.name} must be a finite number of seconds > 0, got {value!r}"
                )


@asynccontextmanager
async def deadline(seconds: float, error: type[ServeError], *, what: str) -> AsyncIterator[None]:
    """Run a block for at most so many seconds, then raise ``error`` saying what took too long.

    Errors that the block raises itself, even time-outs, pass unchanged.
    """
    try:
        async with asyncio.timeout(seconds) as scope:
            yield
    except TimeoutError as expiry:
        if isinstance(expiry, ServeError) or not scope.expired():
            raise
        raise error(f"{what} took longer than {seconds:g} s") from expiry
