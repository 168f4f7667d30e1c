"""The values that Serve stores and returns: accounts, desks, orders, assets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serve.domain.account_specs import StorageMode
    from serve.domain.address import Network

__all__ = [
    "AccountEntry",
    "AccountKind",
    "AccountListing",
    "AccountStatusData",
    "AssetAmount",
    "Currency",
    "DeskEntry",
    "DeskRecord",
    "Market",
    "OrderRecord",
    "OrderStatus",
    "OwnedAsset",
    "RestoreFailure",
    "RestoreReport",
]


class AccountKind(StrEnum):
    """What an account is to the application. ``UNKNOWN``: it has no row."""

    CLIENT = "Client"
    LIQUIDITY = "Liquidity"
    FAUCET = "Faucet"
    DESK = "Desk"
    UNKNOWN = "Unknown"


class OrderStatus(StrEnum):
    """How far an order got. ``PENDING``: written ahead of its effect, and not yet decided."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEntry:
    """An account of a user. ``account_id`` is its canonical address."""

    account_id: str
    network: Network
    account_type: AccountKind
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A code, such as BTC, and the address of the faucet that issues it."""

    code: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What a desk trades."""

    base: Currency
    quote: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """A desk as its owner sees it; ``market_url`` is resolved, ``owner_account`` may be empty."""

    account_id: str
    network: Network
    market: Market
    owner_account: str
    market_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountListing:
    """A user's accounts, Testnet's before Localnet's, each by address; and desks, by address."""

    client_accounts: tuple[AccountEntry, ...]
    desk_accounts: tuple[DeskEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAmount:
    """An amount, in base units, of the token of the faucet with this address."""

    faucet: str
    amount: int
    fungible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedAsset:
    """The token of a faucet of the user's own; ``max_supply`` in base units."""

    symbol: str
    decimals: int
    max_supply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatusData:
    """What an account is and owns. ``account_id`` is its canonical address."""

    account_id: str
    storage_mode: StorageMode
    account_type: AccountKind
    assets: tuple[AssetAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One row of a user's orders.

    ``sequence`` rises with every order of a storage path, and so orders rows whose ``created_at``
    (UTC, ``YYYY-MM-DD HH:MM:SS``) is the same. ``account`` is None until the order has made its
    account; ``error`` says why a failed order failed. No two orders of a user on a network have the
    same ``request_key``, and a failed order has none.
    """

    uuid: str
    sequence: int
    order_type: str
    order_json: str
    stage: str
    status: OrderStatus
    account: str | None
    error: str | None
    created_at: str
    request_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRecord:
    """One row of the desk table, in the plain text of its columns.

    ``path`` is written for other programs and never used: a desk's directory follows from the
    storage path, its owner and its network. ``state``: ``creating`` until the desk is made, which
    nobody sees before, then ``active``.
    """

    desk_account: str
    owner_identifier: str
    owner_account: str | None
    path: str
    network: str
    base_code: str
    base_issuer: str
    quote_code: str
    quote_issuer: str
    market_url: str | None = None
    state: str = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFailure:
    """A desk whose client could not be opened, or whose row could not be read, and why."""

    desk_account: str
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What ``init_desks`` found, by desk address. ``warnings`` are not failures."""

    restored: tuple[str, ...]
    failed: tuple[RestoreFailure, ...]
    warnings: tuple[str, ...] = ()
