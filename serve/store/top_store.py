"""The store of desks, ``mosaic_top.sqlite3``: the desks of all users."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from dataclasses import astuple, fields, replace
from typing import TYPE_CHECKING

from serve.domain.address import decode_address, encode_address
from serve.domain.records import DeskRecord
from serve.errors import DuplicateRecord
from serve.points import failure_at, point
from serve.store.sqlite_files import Databases, Schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["TopStore", "integrity_faults"]

TOP_FILE = "mosaic_top.sqlite3"

_SCHEMA = Schema(
    name=TOP_FILE,
    application_id=0x4D4F5354,  # "MOST"
    version=1,
    statements=(
        """CREATE TABLE desks (
            desk_account TEXT PRIMARY KEY,
            owner_identifier TEXT NOT NULL,
            owner_account TEXT,
            path TEXT NOT NULL,
            network TEXT NOT NULL,
            base_code TEXT NOT NULL,
            base_issuer TEXT NOT NULL,
            quote_code TEXT NOT NULL,
            quote_issuer TEXT NOT NULL,
            market_url TEXT
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX idx_desks_owner ON desks (owner_identifier)",
    ),
)
_INSERT = (
    "INSERT INTO desks (desk_account, owner_identifier, owner_account, path, network,"
    " base_code, base_issuer, quote_code, quote_issuer, market_url)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = (
    "SELECT desk_account, owner_identifier, owner_account, path, network,"
    " base_code, base_issuer, quote_code, quote_issuer, market_url FROM desks "
)


class TopStore:
    """The desk table. Reading creates nothing."""

    def __init__(self, storage_path: Path, databases: Databases) -> None:
        self._database = databases.database(storage_path / TOP_FILE, _SCHEMA)

    @classmethod
    @asynccontextmanager
    async def opened(cls, storage_path: Path) -> AsyncIterator[TopStore]:
        """Open the table without a Serve, to prepare or inspect a storage path.

        ``storage_path`` is absolute.
        """
        databases = Databases(open_files_max=1, workers=1)
        try:
            yield cls(storage_path, databases)
        finally:
            await databases.close()

    async def insert_desk(self, record: DeskRecord) -> None:
        """Add a row; its desk account is written canonically, all else as given.

        Raises:
            BadAddress: The desk account is not an address.
            DuplicateRecord: The desk has a row.
            StoreFailed: The file could not be written.
        """
        network, account_id = decode_address(record.desk_account)
        row = replace(record, desk_account=encode_address(account_id, network))

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(_INSERT, astuple(row))
            except sqlite3.IntegrityError as error:
                raise DuplicateRecord(f"desk {row.desk_account} has a row already") from error

        await point("sql.top.insert_desk.before_commit")
        failure = failure_at("sql.top.insert_desk.execute")
        await self._database.write(insert, failure=failure)
        await point("sql.top.insert_desk.after_commit")

    async def list_desks(self) -> tuple[DeskRecord, ...]:
        """List all rows, by desk account."""
        return await self._select("list_desks", "ORDER BY desk_account")

    async def list_desks_of(self, owner: str) -> tuple[DeskRecord, ...]:
        """List the rows of an owner identifier, by desk account."""
        return await self._select(
            "list_desks_of", "WHERE owner_identifier = ? ORDER BY desk_account", owner
        )

    async def find_desk(self, desk_account: str) -> DeskRecord | None:
        """Return the row of a canonical address, or None."""
        rows = await self._select("find_desk", "WHERE desk_account = ?", desk_account)
        return rows[0] if rows else None

    async def check_integrity(self) -> tuple[str, ...]:
        """Return what SQLite's integrity check finds wrong with the file; () if it is sound."""
        failure = failure_at("sql.top.check_integrity.execute")
        return await self._database.read(integrity_faults, absent=(), failure=failure)

    async def _select(self, operation: str, clause: str, *values: str) -> tuple[DeskRecord, ...]:
        def select(connection: sqlite3.Connection) -> tuple[DeskRecord, ...]:
            rows = connection.execute(_SELECT + clause, values)
            return tuple(_record(row) for row in rows)

        failure = failure_at(f"sql.top.{operation}.execute")
        return await self._database.read(select, absent=(), failure=failure)


def integrity_faults(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return what ``PRAGMA integrity_check`` finds; nothing if the file is sound."""
    rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return () if rows == ["ok"] else tuple(rows)


def _record(row: tuple[str, ...]) -> DeskRecord:
    names = [field.name for field in fields(DeskRecord)]
    return DeskRecord(**dict(zip(names, row, strict=True)))
