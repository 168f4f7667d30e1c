"""A client with a deadline on each command, whose every error is a ``ServeError``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from serve.clients.deadlines import deadline
from serve.clients.port import ClientCommands
from serve.errors import (
    ClientBusy,
    ClientClosed,
    ClientFailed,
    CommandTimedOut,
    InvalidInput,
    ServeError,
)

if TYPE_CHECKING:
    from serve.clients.port import Client

__all__ = ["TimedClient"]


class TimedClient(ClientCommands):
    """A client whose every command raises ``CommandTimedOut`` when its deadline passes.

    If the client has answered no command since that one was given, it hangs, and is killed: a long
    queue in front of a command is no hang. An error that a client raises against its contract
    becomes the cause of a ``ClientFailed``. Only the registry closes clients.
    """

    def __init__(self, client: Client, *, command_s: float, label: str) -> None:
        self._client = client
        self._command_s = command_s
        self._label = label
        self._answers = 0

    async def _call(self, name: str, *arguments: object) -> Any:
        what, answers = f"command {name} of client {self._label}", self._answers
        try:
            async with deadline(self._command_s, CommandTimedOut, what=what):
                return await self._answer(name, *arguments)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # This task was not cancelled: the client dropped the answer that it waits for.
            raise ClientClosed(f"{what} lost its answer") from error
        except CommandTimedOut:
            if self._answers == answers:
                self._client.kill()
            raise
        except ServeError:
            raise
        except Exception as error:
            raise ClientFailed(f"{what} failed: {error!r}") from error

    async def _answer(self, name: str, *arguments: object) -> Any:
        answers = 1
        try:
            return await getattr(self._client, name)(*arguments)
        except (asyncio.CancelledError, ClientBusy, InvalidInput):
            answers = 0  # The caller left, or the client did not even take the command.
            raise
        finally:
            self._answers += answers
