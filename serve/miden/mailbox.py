"""How native answers reach an event loop: a watched descriptor, and a future for each ticket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from serve.clients.command_times import CommandTimes, tell_times
from serve.miden.native_module import load

if TYPE_CHECKING:
    import mosaic_miden_client as native

__all__ = ["Mailbox", "Mailboxes"]


class Mailbox:
    """The mailbox of an event loop; used on that loop's thread only.

    The descriptor is watched only while an answer is awaited, so that an idle loop can be closed.
    """

    def __init__(self) -> None:
        self.native: native.Mailbox = load().Mailbox()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def answer(self, ticket: native.Ticket) -> Any:
        """Wait for a ticket's answer, and tell how long the command took.

        A cancelled wait takes the command back if it has not begun.

        Raises:
            mosaic_miden_client.MidenError: The command failed.
        """
        future = self.expect(ticket)
        try:
            # No timeout here: every ticket is answered, at the latest when the client ends.
            value, error, times = await future
        except asyncio.CancelledError:
            ticket.cancel()
            raise
        if times is not None:
            queued_s, service_s, cpu_s, node_s = times
            tell_times(
                CommandTimes(queued_s=queued_s, service_s=service_s, cpu_s=cpu_s, node_s=node_s)
            )
        if error is not None:
            raise error
        return value

    def expect(self, ticket: native.Ticket) -> asyncio.Future[Any]:
        """Return the future of a ticket's answer; it must be awaited."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.add_reader(self.native.fileno(), self._deliver)
        future = self._waiting[ticket.id] = loop.create_future()
        return future

    def _deliver(self) -> None:
        for ticket_id, *letter in self.native.drain():
            future = self._waiting.pop(ticket_id)
            if not future.done():  # Done without an answer: its caller was cancelled.
                future.set_result(letter)
        if not self._waiting:
            asyncio.get_running_loop().remove_reader(self.native.fileno())


class Mailboxes:
    """The mailboxes of all loops that use a factory's clients."""

    def __init__(self) -> None:
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Mailbox] = WeakKeyDictionary()

    def of_running_loop(self) -> Mailbox:
        """Return the running loop's mailbox, made on first use."""
        loop = asyncio.get_running_loop()
        mailbox = self._by_loop.get(loop)
        if mailbox is None:
            mailbox = self._by_loop[loop] = Mailbox()
        return mailbox
