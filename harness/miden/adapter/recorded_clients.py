"""The wrapper of blockchain clients, simulated or real, which records every spawn and command.

It also has the points of clients: a scenario's parks and faults happen here, outside the service
and the client, and so alike on both backends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from harness.choices.points import ClientDies
from harness.errors import HarnessBug
from harness.history.records import Outcome
from serve.errors import ClientClosed, SpawnFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from harness.choices.points import Interception
    from harness.history.recorder import Recorder
    from serve.clients.port import Client, ClientFactory
    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId, Network
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )

__all__ = ["RecordedClient", "RecordedClientFactory"]

# What chaos may do to a command before the client gets it and after its end, and to a start.
BEFORE = ("fail", "hang", "die", "full")
AFTER = ("fail", "hang", "die")
STARTING = ("fail", "hang", "die")

T = TypeVar("T")


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

    def kill(self, key: dict[str, str]) -> None:
        """End the clients of a key without a word."""
        for _, client in self.unended:
            if client.key == key and not client.closed:
                client.die()

    async def spawn(
        self, directory: Path, network: Network, *, dial_timeout_s: float
    ) -> RecordedClient:
        """Start a client; see ``serve.clients.port.ClientFactory``."""
        key = {"user": self._user_of(directory), "network": network.value}
        number = self._recorder.begin_actor(key)
        client: Client | None = None
        try:
            await self._interception.reach("spawn.before", key, error="SpawnFailed", kinds=STARTING)
            client = await self._inner.spawn(directory, network, dial_timeout_s=dial_timeout_s)
            await self._interception.reach("spawn.after", key, error="SpawnFailed", kinds=STARTING)
        except ClientDies as order:
            await _end(client)
            error = SpawnFailed("the client died while it started")
            self._recorder.end_spawn(number, Outcome.RAISED, error=error)
            raise error from order
        except asyncio.CancelledError:
            await _end(client)
            self._recorder.end_spawn(number, Outcome.CANCELLED)
            raise
        except Exception as error:
            await _end(client)
            self._recorder.end_spawn(number, Outcome.RAISED, error=error)
            raise
        self._recorder.end_spawn(number, Outcome.RETURNED)
        recorded = RecordedClient(
            client, number, key=key, recorder=self._recorder, interception=self._interception
        )
        self._started.append((directory, recorded))
        return recorded


class RecordedClient:
    """A client whose commands are recorded; see ``serve.clients.port.Client``."""

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
        self._inner = inner
        self._key = key
        self._recorder = recorder
        self._interception = interception

    @property
    def key(self) -> dict[str, str]:
        """The client's user and network."""
        return self._key

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands."""
        if self._inner.closed:
            self._recorder.exit_actor(self.number)
            return True
        return False

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        return await self._recorded("node_status", self._inner.node_status)

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        return await self._recorded("sync", self._inner.sync)

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk."""
        return await self._recorded("prepare_account", self._inner.prepare_account, spec)

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible."""
        await self._recorded("add_account", self._inner.add_account, account_id)

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts."""
        return await self._recorded("list_accounts", self._inner.list_accounts)

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account, or None."""
        return await self._recorded("get_account", self._inner.get_account, account_id)

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets."""
        return await self._recorded(
            "get_account_status", self._inner.get_account_status, account_id
        )

    async def close(self) -> None:
        """Finish what is queued and release the store."""
        await self._inner.close()
        self.ended = True
        self._recorder.exit_actor(self.number)

    async def _recorded(
        self, name: str, command: Callable[..., Awaitable[T]], *arguments: Any
    ) -> T:
        number = self._recorder.begin_command(self.number, name)
        try:
            await self._interception.reach(f"{name}.before", self._key, kinds=BEFORE)
            value = await command(*arguments)
            await self._interception.reach(f"{name}.after", self._key, kinds=AFTER)
        except ClientDies as order:
            self.die()
            error = ClientClosed("the client died")
            self._recorder.end_command(number, Outcome.RAISED, error=error)
            raise error from order
        except asyncio.CancelledError:
            self._recorder.end_command(number, Outcome.CANCELLED)
            raise
        except Exception as error:
            self._recorder.end_command(number, Outcome.RAISED, error=error)
            raise
        self._recorder.end_command(number, Outcome.RETURNED)
        return value

    def die(self) -> None:
        """End the client without a word, as a crash does."""
        kill = getattr(self._inner, "kill", None)
        if kill is None:
            msg = f"{type(self._inner).__name__} has no kill(), so it cannot be made to die"
            raise HarnessBug(msg)
        kill()
        self.ended = True
        self._recorder.exit_actor(self.number)


async def _end(client: Client | None) -> None:
    if client is not None:
        await client.close()
