"""The ports to a user's blockchain client: what the service needs of it, and what starts it.

``Client`` is the one table of commands. An object that only passes commands on to a client inherits
from ``ClientReads`` or ``ClientCommands`` and defines ``async _call(name, *arguments)``, which then
gets every command that it does not define itself.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from serve.domain.account_specs import AccountSpec
    from serve.domain.address import AccountId, Network
    from serve.domain.client_values import (
        ClientAccount,
        ClientAccountStatus,
        NodeStatus,
        SyncSummary,
    )

__all__ = ["COMMANDS", "READS", "Client", "ClientCommands", "ClientFactory", "ClientReads"]

P = ParamSpec("P")
T = TypeVar("T")


def _passed_on(
    command: Callable[P, Coroutine[Any, Any, T]], *arguments: P.args, **named: P.kwargs
) -> Coroutine[Any, Any, T]:
    """Give a command to ``_call`` of the object whose method it is."""
    method: Any = command
    self = method.__self__
    call: Callable[..., Coroutine[Any, Any, T]] = self._call
    return call(method.__name__, *arguments, **named)


class ClientReads(Protocol):
    """The commands that change nothing."""

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        return await _passed_on(self.node_status)

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id. Asks nothing of the node."""
        return await _passed_on(self.list_accounts)

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account of the store, or None. Asks nothing of the node."""
        return await _passed_on(self.get_account, account_id)

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets. Asks nothing of the node.

        Raises:
            AccountNotFound: The store does not hold it.
        """
        return await _passed_on(self.get_account_status, account_id)


class ClientCommands(ClientReads, Protocol):
    """All commands.

    Every command raises ``ClientFailed`` or a subclass; ``ClientClosed`` once the client is closed
    or dead. A command whose caller is cancelled before its turn is skipped; a command that has
    begun runs to its end. A client that knows how long a command waited and worked tells it, with
    ``serve.clients.command_times.tell_times``, in the caller's task, whether it failed or not.
    """

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        return await _passed_on(self.sync)

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and put its key on disk, durably; the account is not visible yet.

        A prepared account that is never added costs nothing but its key file.
        """
        return await _passed_on(self.prepare_account, spec)

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible in the client's store; no effect if it is already.

        Raises:
            AccountNotFound: The account was not prepared by this client, nor added before.
        """
        await _passed_on(self.add_account, account_id)


@runtime_checkable
class Client(ClientCommands, Protocol):
    """A user's client on a network; it takes its commands one at a time, in order."""

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands: it was closed or killed, or it died."""
        ...

    async def close(self) -> None:
        """Finish the commands already taken, refuse later ones, release the store; idempotent.

        Of a killed or dead client: wait until its directory is free.
        """
        ...

    def kill(self) -> None:
        """End the client at once, without finishing what it was given; idempotent, never raises.

        ``closed`` is True at once, and its commands raise ``ClientClosed``. Its directory is free
        soon, or as soon as the client can let go of it: ``close`` waits for that.
        """
        ...


def _commands_of(protocol: type) -> tuple[str, ...]:
    kinds = reversed(protocol.__mro__)
    return tuple(n for kind in kinds for n, it in vars(kind).items() if iscoroutinefunction(it))


READS = _commands_of(ClientReads)
COMMANDS = _commands_of(ClientCommands)


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
