"""The object that callers read a client through; it stays valid when the client is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serve.clients.port import ClientReads

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from serve.clients.timed_client import TimedClient
    from serve.domain.address import Owner

__all__ = ["ClientHandle"]


class ClientHandle(ClientReads):
    """What ``Serve.get_client`` returns: a user's client, to read with.

    All callers get the same object while a client lives. Each command leases the client only while
    it runs, so a handle never keeps a client from draining. When the client has been flushed, was
    idle for long or has died, the next command goes to the owner's present client, which is started
    if need be. Commands raise what ``serve.clients.port.Client`` says, ``CommandTimedOut``, what
    starting a client raises, and ``ServeClosed``. ``generation`` is the number of the client that
    the handle was made for, in order of start, from 1; ``lend`` lends the owner's present client.
    """

    def __init__(
        self,
        lend: Callable[[Owner], AbstractAsyncContextManager[TimedClient]],
        owner: Owner,
        generation: int,
    ) -> None:
        self.generation = generation
        self._lend = lend
        self._owner = owner

    def __repr__(self) -> str:
        return f"<ClientHandle {self._owner.label}#{self.generation}>"

    async def _call(self, name: str, *arguments: object) -> Any:
        async with self._lend(self._owner) as client:
            return await getattr(client, name)(*arguments)
