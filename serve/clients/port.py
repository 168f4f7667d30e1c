"""The ports to a user's blockchain client: what the service needs of it, and what starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId, Network
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )

__all__ = ["Client", "ClientFactory"]


@runtime_checkable
class Client(Protocol):
    """A user's client on a network; it takes its commands one at a time, in order.

    Every command raises ``ClientFailed`` or a subclass; ``ClientClosed`` once the client is closed
    or dead. A command whose caller is cancelled before its turn is skipped; a command that has
    begun runs to its end. A client that knows how long a command waited and worked tells it, with
    ``serve.clients.command_times.tell_times``, in the caller's task, whether it failed or not.
    """

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands, because it was closed or because it died."""
        ...

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        ...

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        ...

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk, durably; the account is not visible yet.

        A prepared account that is never added costs nothing but its key file.
        """
        ...

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible in the client's store; no effect if it is already.

        Raises:
            AccountNotFound: The account was not prepared by this client, nor added before.
        """
        ...

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id. Asks nothing of the node."""
        ...

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account of the store, or None. Asks nothing of the node."""
        ...

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets. Asks nothing of the node.

        Raises:
            AccountNotFound: The store does not hold it.
        """
        ...

    async def close(self) -> None:
        """Finish the commands already taken, refuse later ones, release the store; idempotent."""
        ...


@runtime_checkable
class ClientFactory(Protocol):
    """Starts clients. At most one may be open on a directory at any time."""

    async def spawn(self, directory: Path, network: Network, *, dial_timeout_s: float) -> Client:
        """Start a client on its directory, which is made if it is missing.

        A store that knows its network's genesis needs no node; an empty store dials it.

        Raises:
            SpawnFailed: The client could not be built.
            NodeUnreachable: The node could not be reached.
            DialTimedOut: The node did not take the connection within ``dial_timeout_s`` seconds.
            ClientStoreFailed: The store is unreadable, empty where it must not be, or not its own.
            ClientStoreInUse: Another client holds the directory.
        """
        ...
