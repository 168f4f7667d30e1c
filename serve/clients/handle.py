"""The object that callers use a client through; it stays valid when the client is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from serve.clients.timed_client import TimedClient
    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )
    from serve.domain.owner import Owner

__all__ = ["ClientHandle", "Lender"]


class Lender(Protocol):
    """Lends an owner's client for one command."""

    def use(self, owner: Owner) -> AbstractAsyncContextManager[TimedClient]:
        """Give the owner's present client, started if need be, for the length of the block."""
        ...


class ClientHandle:
    """What ``Serve.get_client`` returns: a user's client, to run commands on.

    All callers get the same object while a client lives. Each command leases the client only while
    it runs, so a handle never keeps a client from draining. When the client has been flushed or
    has died, the next command goes to the owner's present client, which is started if need be.
    Commands raise what ``serve.clients.port.Client`` says, ``CommandTimedOut``, what starting a
    client raises, and ``ServeClosed``.
    """

    def __init__(self, lender: Lender, owner: Owner, generation: int) -> None:
        self._lender = lender
        self._owner = owner
        self._generation = generation

    def __repr__(self) -> str:
        return f"<ClientHandle {self._owner.label}#{self._generation}>"

    @property
    def generation(self) -> int:
        """The number of the client that the handle was made for, in order of start, from 1."""
        return self._generation

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        async with self._lender.use(self._owner) as client:
            return await client.node_status()

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        async with self._lender.use(self._owner) as client:
            return await client.sync()

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk; the account is not visible yet."""
        async with self._lender.use(self._owner) as client:
            return await client.prepare_account(spec)

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible in the client's store."""
        async with self._lender.use(self._owner) as client:
            await client.add_account(account_id)

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id."""
        async with self._lender.use(self._owner) as client:
            return await client.list_accounts()

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account of the store, or None."""
        async with self._lender.use(self._owner) as client:
            return await client.get_account(account_id)

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets."""
        async with self._lender.use(self._owner) as client:
            return await client.get_account_status(account_id)
