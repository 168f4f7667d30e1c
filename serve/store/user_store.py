"""The store of a user on a network, ``mosaic.sqlite3``: accounts, orders and assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from serve.domain.address import Network, client_directory
from serve.domain.records import AccountEntry, AccountKind, OrderRecord, OrderStatus
from serve.errors import Conflict, DuplicateRecord
from serve.store.schema import Schema
from serve.store.tables import Change, change, integrity_faults, select

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from serve.domain.address import Owner
    from serve.domain.records import OwnedAsset
    from serve.store.sqlite_files import Database, Databases

__all__ = ["SCHEMA", "USER_FILE", "UserStore"]

USER_FILE = "mosaic.sqlite3"
STAGE = "create"

T = TypeVar("T")

SCHEMA = Schema(
    name=USER_FILE,
    application_id=0x4D4F5355,  # "MOSU"
    versions=(
        (
            """CREATE TABLE accounts (
                id TEXT PRIMARY KEY,
                network TEXT NOT NULL CHECK (network IN ('Testnet', 'Localnet')),
                typ TEXT NOT NULL CHECK (typ IN ('Client', 'Liquidity', 'Faucet', 'Desk')),
                name TEXT, status TEXT NOT NULL CHECK (status IN ('pending', 'active')),
                created_at TEXT NOT NULL
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE assets (
                symbol TEXT NOT NULL, account TEXT NOT NULL,
                decimals INTEGER NOT NULL, max_supply TEXT,
                owned INTEGER NOT NULL DEFAULT 0,
                created_at TEXT NOT NULL,
                PRIMARY KEY (symbol, account)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX assets_account_idx ON assets (account)",
            """CREATE TABLE orders (
                sequence INTEGER PRIMARY KEY,
                uuid TEXT NOT NULL UNIQUE,
                order_type TEXT NOT NULL, order_json TEXT NOT NULL, stage TEXT NOT NULL,
                status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
                account TEXT REFERENCES accounts (id) ON DELETE SET NULL,
                error TEXT, created_at TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX orders_account_idx ON orders (account)",
            "CREATE INDEX orders_pending_idx ON orders (sequence) WHERE status = 'pending'",
        ),
        (
            "ALTER TABLE orders ADD COLUMN request_key TEXT",
            "CREATE UNIQUE INDEX orders_request_key_idx ON orders (request_key)"
            " WHERE request_key IS NOT NULL",
        ),
    ),
)
_SELECT_ORDERS = "SELECT * FROM orders "
# The clock may have gone back since an earlier process: a new order stays above the file's rows.
_BEGIN_ORDER = (
    "INSERT INTO orders"
    " (sequence, uuid, order_type, order_json, stage, status, created_at, request_key) VALUES"
    " (max(?, (SELECT coalesce(max(sequence), 0) + 1 FROM orders)), ?, ?, ?, ?, 'pending', ?, ?)"
)
_ADD_ACCOUNT = (
    "INSERT INTO accounts (id, network, typ, name, status, created_at)"
    " VALUES (?, ?, ?, ?, 'pending', ?)"
)
_DROP_PENDING_ACCOUNT = (
    "DELETE FROM accounts WHERE status = 'pending'"
    " AND id = (SELECT account FROM orders WHERE uuid = ? AND status = 'pending')"
)
_NAME_ACCOUNT = "UPDATE orders SET account = ? WHERE uuid = ? AND status = 'pending'"
_SUCCEED = (
    "UPDATE orders SET status = 'succeeded' WHERE uuid = ? AND account = ? AND status <> 'failed'"
)
_ACTIVATE = "UPDATE accounts SET status = 'active' WHERE id = ?"
_OWN_ASSET = (
    "INSERT INTO assets (symbol, account, decimals, max_supply, owned, created_at)"
    " VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (symbol, account) DO UPDATE SET"
    " decimals = excluded.decimals, max_supply = excluded.max_supply, owned = 1"
)
_FAIL = (
    "UPDATE orders SET status = 'failed', error = ?, account = NULL, request_key = NULL"
    " WHERE uuid = ? AND status = 'pending'"
)


class UserStore:
    """The databases of all users. Reading creates nothing; every write is one transaction.

    Every method raises ``StoreFailed`` if a file cannot be read or written.
    """

    def __init__(self, storage_path: Path, databases: Databases) -> None:
        self._storage_path = storage_path
        self._databases = databases

    def list_accounts(self, owner: Owner) -> asyncio.Future[tuple[AccountEntry, ...]]:
        """List the active accounts other than desks, by address."""
        query = (
            "SELECT id AS account_id, network, typ, name FROM accounts"
            " WHERE status = 'active' AND typ <> 'Desk' ORDER BY id"
        )
        return self._select(owner, "list_accounts", _account_entry, query)

    def list_account_statuses(self, owner: Owner) -> asyncio.Future[tuple[tuple[str, str], ...]]:
        """List every account's address with ``pending`` or ``active``, desks included."""
        query = "SELECT id AS account, status FROM accounts ORDER BY id"
        return self._select(
            owner, "list_account_statuses", lambda account, status: (account, status), query
        )

    def list_orders(self, owner: Owner) -> asyncio.Future[tuple[OrderRecord, ...]]:
        """List the orders, newest first."""
        query = _SELECT_ORDERS + "ORDER BY sequence DESC"
        return self._select(owner, "list_orders", _order_record, query)

    def list_pending(self, owner: Owner) -> asyncio.Future[tuple[OrderRecord, ...]]:
        """List the undecided orders, oldest first."""
        query = _SELECT_ORDERS + "WHERE status = 'pending' ORDER BY sequence"
        return self._select(owner, "list_pending", _order_record, query)

    async def find_request(self, owner: Owner, request_key: str) -> OrderRecord | None:
        """Return the order with this request key, or None."""
        query = _SELECT_ORDERS + "WHERE request_key = ?"
        found = await self._select(owner, "find_request", _order_record, query, request_key)
        return found[0] if found else None

    async def last_sequence(self, owner: Owner) -> int:
        """Return the number of the newest order, or 0."""
        query = "SELECT sequence FROM orders ORDER BY sequence DESC LIMIT 1"
        found = await self._select(owner, "last_sequence", lambda sequence: sequence, query)
        return int(found[0]) if found else 0

    async def account_kind(self, owner: Owner, account: str) -> AccountKind:
        """Return the kind of the account with this canonical address, or ``UNKNOWN``."""
        query = "SELECT typ FROM accounts WHERE id = ?"
        found = await self._select(owner, "account_kind", lambda typ: typ, query, account)
        return AccountKind(found[0]) if found else AccountKind.UNKNOWN

    async def begin_order(
        self,
        owner: Owner,
        *,
        order_type: str,
        order_json: str,
        uuid: str,
        sequence: int,
        created_at: str,
        request_key: str | None,
    ) -> None:
        """Write an order's pending row, before any effect.

        Raises:
            DuplicateRecord: An order with this uuid or request key exists.
        """
        values = (sequence, uuid, order_type, order_json, STAGE, created_at, request_key)
        text = f"order {uuid}, or one with its request key {request_key!r}, exists already"
        await self._change(owner, "begin_order", (_BEGIN_ORDER, values, DuplicateRecord(text)))

    async def add_pending_account(
        self,
        owner: Owner,
        *,
        kind: AccountKind,
        network: Network,
        name: str | None,
        uuid: str,
        account: str,
        created_at: str,
    ) -> None:
        """Write an account's pending row and name it in its order, in one transaction.

        Raises:
            DuplicateRecord: An account with this address exists, or the order is not pending.
        """
        values = (account, network.value, kind.value, name, created_at)
        exists = DuplicateRecord(f"account {account} has a row already")
        decided = DuplicateRecord(f"order {uuid} is not pending: it takes no account")
        await self._change(
            owner,
            "add_pending_account",
            (_ADD_ACCOUNT, values, exists),
            # An order whose account was written before, with its answer lost, gets another account.
            (_DROP_PENDING_ACCOUNT, (uuid,), None),
            (_NAME_ACCOUNT, (account, uuid), decided),
        )

    async def succeed_orders(
        self,
        owner: Owner,
        accounts: tuple[tuple[str, str, OwnedAsset | None], ...],
        *,
        created_at: str,
    ) -> None:
        """Make accounts active, their orders succeeded and assets owned, in one transaction.

        ``accounts``: for each the uuid of its order, its address, and a faucet's asset.

        Raises:
            Conflict: An order has failed, or has not this account. Nothing is written. One that has
                succeeded, with its answer lost, may succeed again.
        """
        changes: list[Change] = []
        for uuid, account, asset in accounts:
            decided = Conflict(f"order {uuid} has failed, or has not the account {account}")
            changes += (_SUCCEED, (uuid, account), decided), (_ACTIVATE, (account,), None)
            if asset is not None:
                values = (asset.symbol, account, asset.decimals, str(asset.max_supply), created_at)
                changes.append((_OWN_ASSET, values, None))
        await self._change(owner, "succeed_orders", *changes)

    async def fail_order(self, owner: Owner, uuid: str, *, error: str) -> None:
        """Mark a pending order failed, and free its request key and its account's row."""
        drop, fail = (_DROP_PENDING_ACCOUNT, (uuid,), None), (_FAIL, (error, uuid), None)
        await self._change(owner, "fail_order", drop, fail)

    async def check_integrity(self, owner: Owner) -> tuple[str, ...]:
        """Return what SQLite's integrity check finds wrong with a file; nothing if it is sound."""
        where = "sql.user.check_integrity"
        return await integrity_faults(self._database(owner), where, owner=owner)

    def _select(
        self, owner: Owner, operation: str, make: Callable[..., T], query: str, *values: str
    ) -> asyncio.Future[tuple[T, ...]]:
        where = f"sql.user.{operation}"
        return select(self._database(owner), where, make, query, *values, owner=owner)

    async def _change(self, owner: Owner, operation: str, *changes: Change) -> None:
        await change(self._database(owner), f"sql.user.{operation}", *changes, owner=owner)

    def _database(self, owner: Owner) -> Database:
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        return self._databases.database(directory / USER_FILE, SCHEMA)


def _account_entry(network: str, typ: str, **columns: Any) -> AccountEntry:
    return AccountEntry(network=Network(network), account_type=AccountKind(typ), **columns)


def _order_record(status: str, **columns: Any) -> OrderRecord:
    return OrderRecord(status=OrderStatus(status), **columns)
