"""A client with a deadline on each command, whose every error is a ``ServeError``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from serve.clients.commands import Commands
from serve.clients.deadlines import deadline
from serve.errors import ClientClosed, ClientFailed, CommandTimedOut, ServeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serve.clients.port import Client

__all__ = ["TimedClient"]

T = TypeVar("T")


class TimedClient(Commands):
    """A client whose every command raises ``CommandTimedOut`` when its deadline passes.

    An error that a client raises against its contract becomes the cause of a ``ClientFailed``.
    There is no ``close``: only the registry closes clients.
    """

    def __init__(self, client: Client, *, command_s: float, label: str) -> None:
        self._client = client
        self._command_s = command_s
        self._label = label

    async def _call(self, name: str, command: Callable[[Client], Awaitable[T]]) -> T:
        what = f"command {name} of client {self._label}"
        try:
            async with deadline(self._command_s, CommandTimedOut, what=what):
                return await command(self._client)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # This task was not cancelled: the client dropped the answer that it waits for.
            raise ClientClosed(f"{what} lost its answer") from error
        except ServeError:
            raise
        except Exception as error:
            raise ClientFailed(f"{what} failed: {error!r}") from error
