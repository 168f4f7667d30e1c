"""The wrapper of blockchain clients, simulated or real, which records every spawn and command.

It also has the points of clients: a scenario's parks and faults happen here, outside the service
and the client, and so alike on both backends.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.choices.points import OPERATION, ClientDies
from harness.errors import HarnessBug
from harness.history.records import Outcome, TimesSpent
from serve.clients.command_times import heard_times
from serve.clients.port import Client
from serve.errors import ClientClosed, SpawnFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.choices.points import Interception
    from harness.history.recorder import Recorder
    from serve.clients.command_times import CommandTimes
    from serve.clients.port import ClientFactory
    from serve.domain.address import Network

__all__ = ["Hold", "Holdable", "RecordedClient", "RecordedClientFactory"]

# What chaos may do to a command before the client gets it and after its end, and to a start.
BEFORE = ("fail", "hang", "die", "full")
AFTER = ("fail", "hang", "die")
STARTING = ("fail", "hang", "die")


class Hold(Protocol):
    """A stop inside a client, at the beginning of a command."""

    async def begun(self) -> None:
        """Wait until the client has taken the command from its queue, and stands still.

        Raises:
            ClientClosed: The client ended before that.
        """

    def release(self) -> None:
        """Let the client go on with the command; without effect the second time."""


@runtime_checkable
class Holdable(Protocol):
    """A client that can be made to stand still in a command, as one that is busy with it."""

    def hold_next(self) -> Hold:
        """Let the next command stop inside the client, before it does anything."""


class RecordedClientFactory:
    """Starts clients through another factory; ``user_of`` names the user of a directory."""

    def __init__(
        self,
        inner: ClientFactory,
        *,
        recorder: Recorder,
        interception: Interception,
        user_of: Callable[[Path], str],
    ) -> None:
        self._inner = inner
        self._recorder = recorder
        self._interception = interception
        self._user_of = user_of
        self._started: list[tuple[Path, RecordedClient]] = []

    @property
    def unended(self) -> tuple[tuple[Path, RecordedClient], ...]:
        """The clients that have not ended, with their directories, in order of start."""
        self._started = [one for one in self._started if not one[1].ended]
        return tuple(self._started)

    def let_go(self) -> None:
        """End all that the scenario does inside clients, so that they can close."""
        for _, client in self._started:
            client.let_go()

    def kill(self, key: dict[str, str]) -> None:
        """End the clients of a key without a word."""
        for _, client in self.unended:
            if client.key == key and not client.closed:
                client.kill()

    async def spawn(
        self, directory: Path, network: Network, *, dial_timeout_s: float
    ) -> RecordedClient:
        """Start a client; see ``serve.clients.port.ClientFactory``."""
        key = {"user": self._user_of(directory), "network": network.value}
        number = self._recorder.begin_spawn(key, operation=_operation())
        client: Client | None = None

        def ended(outcome: Outcome, error: Exception | None = None) -> None:
            self._recorder.end_spawn(number, outcome, error=error, times=_spent(told))

        async def failed(outcome: Outcome, error: Exception | None = None) -> None:
            # Killed first: what cuts the start short may cut the close short, too.
            if client is not None:
                client.kill()
            ended(outcome, error)
            if client is not None:
                await client.close()

        with heard_times() as told:
            try:
                await self._interception.reach(
                    "spawn.before", key, error="SpawnFailed", kinds=STARTING
                )
                client = await self._inner.spawn(directory, network, dial_timeout_s=dial_timeout_s)
                await self._interception.reach(
                    "spawn.after", key, error="SpawnFailed", kinds=STARTING
                )
            except ClientDies as order:
                error = SpawnFailed("the client died while it started")
                await failed(Outcome.RAISED, error)
                raise error from order
            except asyncio.CancelledError:
                await failed(Outcome.CANCELLED)
                raise
            except Exception as error:
                await failed(Outcome.RAISED, error)
                raise
        ended(Outcome.RETURNED)
        recorded = RecordedClient(
            client, number, key=key, recorder=self._recorder, interception=self._interception
        )
        self._started.append((directory, recorded))
        return recorded


class RecordedClient(Client):
    """A client whose commands are recorded; ``key`` holds its user and network."""

    def __init__(
        self,
        inner: Client,
        number: int,
        *,
        key: dict[str, str],
        recorder: Recorder,
        interception: Interception,
    ) -> None:
        self.number = number
        self.ended = False
        self.key = key
        self._inner = inner
        self._recorder = recorder
        self._interception = interception
        self._inside: set[asyncio.Task[None]] = set()

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands."""
        if self._inner.closed:
            self._recorder.end_client(self.number)
            return True
        return False

    async def close(self) -> None:
        """Finish what is queued and release the store."""
        try:
            await self._interception.reach("close.before", self.key)
            await self._inner.close()
            await self._interception.reach("close.after", self.key)
        except ClientDies:
            self.kill()
            await self._inner.close()
        self.ended = True
        self._recorder.end_client(self.number)

    async def _recorded(self, name: str, *arguments: object) -> Any:
        number = self._recorder.begin_command(self.number, name, operation=_operation())

        def ended(outcome: Outcome, error: Exception | None = None) -> None:
            self._recorder.end_command(number, outcome, error=error, times=_spent(told))

        with heard_times() as told:
            try:
                await self._interception.reach(f"{name}.before", self.key, kinds=BEFORE)
                if self._interception.watches(f"{name}.inside"):
                    value = await self._held(name, *arguments)
                else:
                    value = await getattr(self._inner, name)(*arguments)
                await self._interception.reach(f"{name}.after", self.key, kinds=AFTER)
            except ClientDies as order:
                self.kill()
                error = ClientClosed("the client died")
                ended(Outcome.RAISED, error)
                raise error from order
            except asyncio.CancelledError:
                ended(Outcome.CANCELLED)
                raise
            except Exception as error:
                ended(Outcome.RAISED, error)
                raise
        ended(Outcome.RETURNED)
        return value

    _call = _recorded  # Reports of waiting tasks show the method's own name.

    async def _held(self, name: str, *arguments: object) -> Any:
        """Give the client a command that arrives at its point once the client has begun it.

        A caller who is cancelled there leaves at once; the client stays where it is.
        """
        if not isinstance(self._inner, Holdable):
            msg = f"{type(self._inner).__name__} has no hold_next(), so nothing can happen inside"
            raise HarnessBug(msg)
        hold = self._inner.hold_next()
        has_begun = asyncio.Event()
        inside = asyncio.create_task(self._arrive(name, hold, has_begun), name=f"{name}.inside")
        self._inside.add(inside)
        inside.add_done_callback(self._inside.discard)
        try:
            return await getattr(self._inner, name)(*arguments)
        finally:
            if not has_begun.is_set():
                # It was refused, or taken back before its turn: it stops nowhere.
                inside.cancel()

    async def _arrive(self, name: str, hold: Hold, has_begun: asyncio.Event) -> None:
        try:
            with suppress(ClientClosed):
                await hold.begun()
                has_begun.set()
                await self._interception.reach(f"{name}.inside", self.key)
        except ClientDies:
            self.kill()
        finally:
            hold.release()

    def let_go(self) -> None:
        """End all that the scenario does inside the client."""
        for task in tuple(self._inside):
            task.cancel()

    def kill(self) -> None:
        """End the client without a word, as a crash does."""
        self._inner.kill()
        self.ended = True
        self._recorder.end_client(self.number)


def _operation() -> int | None:
    """Number the operation in whose context this runs."""
    running = OPERATION.get()
    return None if running is None else running.number


def _spent(told: Sequence[CommandTimes]) -> TimesSpent | None:
    if not told:
        return None
    last = told[-1]
    return TimesSpent(
        queued_s=last.queued_s, service_s=last.service_s, cpu_s=last.cpu_s, node_s=last.node_s
    )
