"""The commands of a client, spelt once for every class that passes them on to another client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serve.clients.port import Client
    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )

__all__ = ["Commands"]

T = TypeVar("T")


class Commands(ABC):
    """The commands of ``serve.clients.port.Client``; ``_call`` says what is done around each."""

    @abstractmethod
    async def _call(self, name: str, command: Callable[[Client | Commands], Awaitable[T]]) -> T:
        """Give the command of this name to the client behind this object; return its answer."""

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        return await self._call("node_status", lambda client: client.node_status())

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        return await self._call("sync", lambda client: client.sync())

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk; the account is not visible yet."""
        return await self._call("prepare_account", lambda client: client.prepare_account(spec))

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible in the client's store."""
        await self._call("add_account", lambda client: client.add_account(account_id))

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id."""
        return await self._call("list_accounts", lambda client: client.list_accounts())

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account of the store, or None."""
        return await self._call("get_account", lambda client: client.get_account(account_id))

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets."""
        return await self._call(
            "get_account_status", lambda client: client.get_account_status(account_id)
        )
