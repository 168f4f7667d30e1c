"""What a client answers: accounts with their assets, the outcome of a sync, a node's status."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serve.domain.account_specs import StorageMode
    from serve.domain.address import AccountId

__all__ = [
    "AccountState",
    "Asset",
    "ClientAccount",
    "ClientAccountStatus",
    "NodeStatus",
    "SyncSummary",
]


class AccountState(StrEnum):
    """What the client's store says of an account: never used on chain, in step, or in conflict."""

    NEW = "new"
    TRACKED = "tracked"
    LOCKED = "locked"


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
    """What a full state sync brought. ``block_number`` is the block now synced to."""

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
