"""Own the seam: what the serve core needs of a user's blockchain client, whoever provides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from serve.domain.address import AccountId, Network

__all__ = [
    "AccountSpec",
    "AccountState",
    "Asset",
    "Client",
    "ClientAccount",
    "ClientAccountStatus",
    "ClientFactory",
    "FaucetSpec",
    "KeyScheme",
    "NodeStatus",
    "StorageMode",
    "SyncSummary",
    "WalletSpec",
]


class KeyScheme(StrEnum):
    """How an account signs. Falcon is the original's; ECDSA proves about nine times as fast."""

    FALCON = "falcon"
    ECDSA = "ecdsa"


class StorageMode(StrEnum):
    """Where an account's state lives: only its commitment on chain, or all of it."""

    PRIVATE = "private"
    PUBLIC = "public"


class AccountState(StrEnum):
    """What the client's store says of an account: never used on chain, in step, or in conflict."""

    NEW = "new"
    TRACKED = "tracked"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSpec:
    """A wallet to be built: the account behind Client and Liquidity."""

    storage_mode: StorageMode = StorageMode.PRIVATE
    key_scheme: KeyScheme = KeyScheme.FALCON


@dataclass(frozen=True, slots=True, kw_only=True)
class FaucetSpec:
    """A fungible faucet to be built.

    ``symbol``: 1 to 6 letters A-Z. ``decimals``: 0 to 12. ``max_supply``: 1 to 2^63 - 2^31 base
    units.
    """

    symbol: str
    decimals: int
    max_supply: int
    storage_mode: StorageMode = StorageMode.PUBLIC
    key_scheme: KeyScheme = KeyScheme.FALCON


AccountSpec = WalletSpec | FaucetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An amount, in base units, of a fungible faucet's token."""

    faucet: AccountId
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAccount:
    """An account as the client's store holds it."""

    account_id: AccountId
    storage_mode: StorageMode
    state: AccountState
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAccountStatus:
    """An account with what it owns."""

    account_id: AccountId
    storage_mode: StorageMode
    state: AccountState
    assets: tuple[Asset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSummary:
    """What one full state sync brought. ``block_number`` is the block now synced to."""

    block_number: int
    new_public_notes: tuple[str, ...] = ()
    committed_notes: tuple[str, ...] = ()
    consumed_notes: tuple[str, ...] = ()
    updated_accounts: tuple[AccountId, ...] = ()
    locked_accounts: tuple[AccountId, ...] = ()
    committed_transactions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """What the node says of itself. ``genesis_commitment`` is ``0x`` and 64 hex digits."""

    version: str
    genesis_commitment: str
    chain_tip: int


@runtime_checkable
class Client(Protocol):
    """One user's client on one network: an actor that takes its commands one at a time, in order.

    Every command raises ``ClientFailed`` or a subclass; ``ClientClosed`` once the client is closed
    or dead. A command whose caller is cancelled before its turn is skipped; one that has begun runs
    to its end.
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

        A store that already knows its network's genesis needs no node; an empty one dials it.

        Raises:
            SpawnFailed: The client could not be built.
            NodeUnreachable: The node could not be reached.
            DialTimedOut: The node did not take the connection within ``dial_timeout_s`` seconds.
            ClientStoreFailed: The store is unreadable, empty where it must not be, or foreign.
            ClientStoreInUse: Another client holds the directory.
        """
        ...
