"""A client with a deadline on each command, whose every error is a ``ServeError``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from serve.clients.deadlines import deadline
from serve.errors import ClientClosed, ClientFailed, CommandTimedOut, ServeError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from serve.clients.port import Client
    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )

__all__ = ["TimedClient"]

T = TypeVar("T")


class TimedClient:
    """A client whose every command raises ``CommandTimedOut`` when its deadline passes.

    An error that a client raises against its contract becomes the cause of a ``ClientFailed``.
    There is no ``close``: only the registry closes clients.
    """

    def __init__(self, client: Client, *, command_s: float, label: str) -> None:
        self._client = client
        self._command_s = command_s
        self._label = label

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands."""
        return self._client.closed

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        return await self._call("node_status", self._client.node_status())

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        return await self._call("sync", self._client.sync())

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk; the account is not visible yet."""
        return await self._call("prepare_account", self._client.prepare_account(spec))

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible in the client's store."""
        await self._call("add_account", self._client.add_account(account_id))

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id."""
        return await self._call("list_accounts", self._client.list_accounts())

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account of the store, or None."""
        return await self._call("get_account", self._client.get_account(account_id))

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets."""
        return await self._call("get_account_status", self._client.get_account_status(account_id))

    async def _call(self, command: str, answer: Awaitable[T]) -> T:
        what = f"command {command} of client {self._label}"
        try:
            async with deadline(self._command_s, CommandTimedOut, what=what):
                return await answer
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
