"""The store of a user on a network, ``mosaic.sqlite3``: accounts, orders and assets."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from serve.domain.address import Network, client_directory
from serve.domain.orders import AccountOrder, CreateClient, CreateFaucet, order_json
from serve.domain.records import AccountEntry, AccountKind, OrderRecord, OrderStatus
from serve.errors import DuplicateRecord
from serve.points import failure_at, point
from serve.store.sqlite_files import Databases, Schema
from serve.store.top_store import integrity_faults

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from serve.domain.address import Owner
    from serve.store.sqlite_files import Database

__all__ = ["USER_FILE", "PendingOrder", "UserStore"]

USER_FILE = "mosaic.sqlite3"
STAGE = "create"

T = TypeVar("T")

_SCHEMA = Schema(
    name=USER_FILE,
    application_id=0x4D4F5355,  # "MOSU"
    version=1,
    statements=(
        """CREATE TABLE accounts (
            id TEXT PRIMARY KEY,
            network TEXT NOT NULL CHECK (network IN ('Testnet', 'Localnet')),
            typ TEXT NOT NULL CHECK (typ IN ('Client', 'Liquidity', 'Faucet', 'Desk')),
            name TEXT,
            status TEXT NOT NULL CHECK (status IN ('pending', 'active')),
            created_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE assets (
            symbol TEXT NOT NULL,
            account TEXT NOT NULL,
            decimals INTEGER NOT NULL,
            max_supply TEXT,
            owned INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL,
            PRIMARY KEY (symbol, account)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX assets_account_idx ON assets (account)",
        """CREATE TABLE orders (
            sequence INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            order_type TEXT NOT NULL,
            order_json TEXT NOT NULL,
            stage TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
            account TEXT REFERENCES accounts (id) ON DELETE SET NULL,
            error TEXT,
            created_at TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX orders_account_idx ON orders (account)",
        "CREATE INDEX orders_pending_idx ON orders (sequence) WHERE status = 'pending'",
    ),
)
_SELECT_ORDERS = (
    "SELECT uuid, sequence, order_type, order_json, stage, status, account, error, created_at"
    " FROM orders ORDER BY sequence DESC"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOrder:
    """An order row that was never decided. ``account`` is its pending account's address."""

    uuid: str
    order_json: str
    account: str | None


class UserStore:
    """The databases of all users. Reading creates nothing; every write is one transaction."""

    def __init__(self, storage_path: Path, databases: Databases) -> None:
        self._storage_path = storage_path
        self._databases = databases

    def list_accounts(self, owner: Owner) -> asyncio.Future[tuple[AccountEntry, ...]]:
        """List the active accounts other than desks, by address."""

        def select(connection: sqlite3.Connection) -> tuple[AccountEntry, ...]:
            rows = connection.execute(
                "SELECT id, network, typ, name FROM accounts"
                " WHERE status = 'active' AND typ <> 'Desk' ORDER BY id"
            )
            return tuple(
                AccountEntry(
                    account_id=account,
                    network=Network(network),
                    account_type=AccountKind(kind),
                    name=name,
                )
                for account, network, kind, name in rows
            )

        return self._read(owner, "list_accounts", select, absent=())

    def list_account_statuses(self, owner: Owner) -> asyncio.Future[tuple[tuple[str, str], ...]]:
        """List every account's address with ``pending`` or ``active``, desks included."""

        def select(connection: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
            return tuple(connection.execute("SELECT id, status FROM accounts ORDER BY id"))

        return self._read(owner, "list_account_statuses", select, absent=())

    def list_orders(self, owner: Owner) -> asyncio.Future[tuple[OrderRecord, ...]]:
        """List the orders, newest first."""

        def select(connection: sqlite3.Connection) -> tuple[OrderRecord, ...]:
            rows = connection.execute(_SELECT_ORDERS)
            return tuple(_order_record(row) for row in rows)

        return self._read(owner, "list_orders", select, absent=())

    def list_pending(self, owner: Owner) -> asyncio.Future[tuple[PendingOrder, ...]]:
        """List the undecided orders, oldest first."""

        def select(connection: sqlite3.Connection) -> tuple[PendingOrder, ...]:
            rows = connection.execute(
                "SELECT uuid, order_json, account FROM orders"
                " WHERE status = 'pending' ORDER BY sequence"
            )
            return tuple(
                PendingOrder(uuid=uuid, order_json=text, account=account)
                for uuid, text, account in rows
            )

        return self._read(owner, "list_pending", select, absent=())

    def account_kind(self, owner: Owner, account: str) -> asyncio.Future[AccountKind]:
        """Return the kind of the account with this canonical address, or ``UNKNOWN``."""

        def select(connection: sqlite3.Connection) -> AccountKind:
            row = connection.execute("SELECT typ FROM accounts WHERE id = ?", (account,)).fetchone()
            return AccountKind(row[0]) if row else AccountKind.UNKNOWN

        return self._read(owner, "account_kind", select, absent=AccountKind.UNKNOWN)

    async def begin_order(
        self, owner: Owner, order: AccountOrder, *, uuid: str, sequence: int, created_at: str
    ) -> None:
        """Write an order's pending row, before any effect.

        Raises:
            DuplicateRecord: An order with this uuid exists.
            StoreFailed: The file could not be written.
        """
        values = (sequence, uuid, f"{order.TAG}Account", order_json(order), STAGE, created_at)

        def insert(connection: sqlite3.Connection) -> None:
            try:
                # The clock may have gone back since an earlier process: stay above its rows.
                connection.execute(
                    "INSERT INTO orders"
                    " (sequence, uuid, order_type, order_json, stage, status, created_at) VALUES"
                    " (max(?, (SELECT coalesce(max(sequence), 0) + 1 FROM orders)),"
                    " ?, ?, ?, ?, 'pending', ?)",
                    values,
                )
            except sqlite3.IntegrityError as error:
                raise DuplicateRecord(f"order {uuid} exists already") from error

        await self._write(owner, "begin_order", insert)

    async def add_pending_account(
        self, owner: Owner, order: AccountOrder, *, uuid: str, account: str, created_at: str
    ) -> None:
        """Write an account's pending row and name it in its order, in one transaction.

        Raises:
            DuplicateRecord: An account with this address exists.
            StoreFailed: The file could not be written.
        """
        values = (account, order.network.value, order.KIND.value, _name_of(order), created_at)

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(
                    "INSERT INTO accounts (id, network, typ, name, status, created_at)"
                    " VALUES (?, ?, ?, ?, 'pending', ?)",
                    values,
                )
            except sqlite3.IntegrityError as error:
                raise DuplicateRecord(f"account {account} has a row already") from error
            # An order whose account was written before, with its answer lost, gets another account.
            connection.execute(
                "DELETE FROM accounts WHERE status = 'pending'"
                " AND id = (SELECT account FROM orders WHERE uuid = ?)",
                (uuid,),
            )
            connection.execute("UPDATE orders SET account = ? WHERE uuid = ?", (account, uuid))

        await self._write(owner, "add_pending_account", insert)

    async def succeed_orders(
        self, owner: Owner, orders: tuple[tuple[str, str, AccountOrder], ...], *, created_at: str
    ) -> None:
        """Make accounts active, orders succeeded and faucets owned assets, in one transaction.

        ``orders``: a uuid, an account's address and the order for each.
        """

        def update(connection: sqlite3.Connection) -> None:
            for uuid, account, order in orders:
                connection.execute("UPDATE accounts SET status = 'active' WHERE id = ?", (account,))
                connection.execute("UPDATE orders SET status = 'succeeded' WHERE uuid = ?", (uuid,))
                if isinstance(order, CreateFaucet):
                    _register_owned_asset(connection, order, account, created_at)

        await self._write(owner, "succeed_orders", update)

    async def fail_order(self, owner: Owner, uuid: str, *, error: str) -> None:
        """Mark a pending order failed and remove its pending account, in one transaction."""

        def update(connection: sqlite3.Connection) -> None:
            row = connection.execute(
                "SELECT account FROM orders WHERE uuid = ? AND status = 'pending'", (uuid,)
            ).fetchone()
            if row is None:
                return
            connection.execute(
                "UPDATE orders SET status = 'failed', error = ?, account = NULL WHERE uuid = ?",
                (error, uuid),
            )
            connection.execute(
                "DELETE FROM accounts WHERE id = ? AND status = 'pending'", (row[0],)
            )

        await self._write(owner, "fail_order", update)

    def check_integrity(self, owner: Owner) -> asyncio.Future[tuple[str, ...]]:
        """Return what SQLite's integrity check finds wrong with a file; nothing if it is sound."""
        return self._read(owner, "check_integrity", integrity_faults, absent=())

    def _read(
        self, owner: Owner, operation: str, work: Callable[[sqlite3.Connection], T], *, absent: T
    ) -> asyncio.Future[T]:
        failure = failure_at(f"sql.user.{operation}.execute", owner=owner)
        return self._database(owner).read(work, absent=absent, failure=failure)

    async def _write(
        self, owner: Owner, operation: str, work: Callable[[sqlite3.Connection], None]
    ) -> None:
        where = f"sql.user.{operation}"
        await point(f"{where}.before_commit", owner=owner)
        failure = failure_at(f"{where}.execute", owner=owner)
        await self._database(owner).write(work, failure=failure)
        await point(f"{where}.after_commit", owner=owner)

    def _database(self, owner: Owner) -> Database:
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        return self._databases.database(directory / USER_FILE, _SCHEMA)


def _name_of(order: AccountOrder) -> str | None:
    if isinstance(order, CreateClient):
        return order.name
    return order.token_symbol if isinstance(order, CreateFaucet) else None


def _register_owned_asset(
    connection: sqlite3.Connection, order: CreateFaucet, account: str, created_at: str
) -> None:
    connection.execute(
        "INSERT INTO assets (symbol, account, decimals, max_supply, owned, created_at)"
        " VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (symbol, account) DO UPDATE SET"
        " decimals = excluded.decimals, max_supply = excluded.max_supply, owned = 1",
        (order.token_symbol, account, order.decimals, str(order.max_supply), created_at),
    )


def _order_record(
    row: tuple[str, int, str, str, str, str, str | None, str | None, str],
) -> OrderRecord:
    uuid, sequence, order_type, text, stage, status, account, error, created_at = row
    return OrderRecord(
        uuid=uuid,
        sequence=sequence,
        order_type=order_type,
        order_json=text,
        stage=stage,
        status=OrderStatus(status),
        account=account,
        error=error,
        created_at=created_at,
    )
