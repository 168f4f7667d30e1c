"""The store of all users, ``mosaic_top.sqlite3``: their desks, and who may have open orders."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING

from serve.domain.address import decode_address, encode_address
from serve.domain.records import DeskRecord
from serve.domain.shared_errors import copy_of
from serve.errors import DuplicateRecord
from serve.points import failure_at, point
from serve.store.schema import Schema
from serve.store.sqlite_files import Databases
from serve.store.tables import Change, carry_out, change, integrity_faults, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

__all__ = ["SCHEMA", "TopStore"]

TOP_FILE = "mosaic_top.sqlite3"

SCHEMA = Schema(
    name=TOP_FILE,
    application_id=0x4D4F5354,  # "MOST"
    versions=(
        (
            """CREATE TABLE desks (
                desk_account TEXT PRIMARY KEY,
                owner_identifier TEXT NOT NULL, owner_account TEXT,
                path TEXT NOT NULL, network TEXT NOT NULL,
                base_code TEXT NOT NULL, base_issuer TEXT NOT NULL,
                quote_code TEXT NOT NULL, quote_issuer TEXT NOT NULL,
                market_url TEXT
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX idx_desks_owner ON desks (owner_identifier)",
        ),
        (
            "ALTER TABLE desks ADD COLUMN state TEXT NOT NULL DEFAULT 'active'"
            " CHECK (state IN ('creating', 'active'))",
            """CREATE TABLE open_owners (
                owner_identifier TEXT NOT NULL, network TEXT NOT NULL,
                PRIMARY KEY (owner_identifier, network)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
)
_SELECT = "SELECT * FROM desks WHERE "
# A record's fields are the columns, in their order.
_INSERT = "INSERT INTO desks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(slots=True, eq=False)
class _Group:
    """Marks that are written in one transaction."""

    changes: list[Change] = field(default_factory=list)
    written: asyncio.Future[None] | None = None


class TopStore:
    """The table of desks, and of owners with open orders. Reading creates nothing."""

    def __init__(self, storage_path: Path, databases: Databases) -> None:
        self._database = databases.database(storage_path / TOP_FILE, SCHEMA)
        self._group = _Group()  # Not yet being written.
        self._writing: asyncio.Future[None] | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, storage_path: Path) -> AsyncIterator[TopStore]:
        """Open the tables without a Serve, to prepare or inspect a storage path.

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
            BadAddress, UnsupportedNetwork: The desk account is not an address.
            DuplicateRecord: The desk account has a row already.
            StoreFailed: The file could not be written.
        """
        network, account_id = decode_address(record.desk_account)
        row = replace(record, desk_account=encode_address(account_id, network))
        exists = DuplicateRecord(f"desk {row.desk_account} has a row already")
        await change(self._database, "sql.top.insert_desk", (_INSERT, astuple(row), exists))

    async def settle_desk(self, desk_account: str, *, complete: bool) -> None:
        """Make a desk in creation active, or remove its row; an active desk is left alone."""
        statement = "UPDATE desks SET state = 'active'" if complete else "DELETE FROM desks"
        statement += " WHERE desk_account = ? AND state = 'creating'"
        await change(self._database, "sql.top.settle_desk", (statement, (desk_account,), None))

    async def list_desks(self) -> tuple[DeskRecord, ...]:
        """List the rows of active desks, by desk account."""
        return await self._select("list_desks", "state = 'active'")

    async def list_desks_of(self, owner: str) -> tuple[DeskRecord, ...]:
        """List the rows of an owner identifier's active desks, by desk account."""
        where = "state = 'active' AND owner_identifier = ?"
        return await self._select("list_desks_of", where, owner)

    async def list_creating(self) -> tuple[DeskRecord, ...]:
        """List the rows of the desks that are not made yet, by desk account."""
        return await self._select("list_creating", "state = 'creating'")

    async def find_desk(self, desk_account: str) -> DeskRecord | None:
        """Return the row of an active desk by its canonical address, or None."""
        where = "state = 'active' AND desk_account = ?"
        rows = await self._select("find_desk", where, desk_account)
        return rows[0] if rows else None

    async def mark_open(self, owner_identifier: str, network: str) -> None:
        """Note that an owner may have undecided orders; idempotent.

        Whoever comes while a transaction is being written shares the next one, and its error.

        Raises:
            StoreFailed: The file could not be written.
        """
        await point("sql.top.mark_open.before_commit")
        group = self._group
        statement = "INSERT OR IGNORE INTO open_owners VALUES (?, ?)"
        group.changes.append((statement, (owner_identifier, network), None))
        # No caller's cancellation touches a transaction: each only waits.
        while group.written is None and self._writing is not None and not self._writing.done():
            await asyncio.wait((self._writing,))
        if group.written is None:
            self._group = _Group()
            group.written = self._writing = self._database.write(
                lambda one: carry_out(one, group.changes),
                failure=failure_at("sql.top.mark_open.execute"),
            )
        await asyncio.wait((group.written,))
        error = group.written.exception()
        if error is not None:
            raise copy_of(error)
        await point("sql.top.mark_open.after_commit")

    async def unmark_open(self, owners: Iterable[tuple[str, str]]) -> None:
        """Remove marks, each an owner identifier and a network."""
        statement = "DELETE FROM open_owners WHERE owner_identifier = ? AND network = ?"
        changes = ((statement, owner, None) for owner in owners)
        await change(self._database, "sql.top.unmark_open", *changes)

    async def list_open(self) -> tuple[tuple[str, str], ...]:
        """List the marks, each an owner identifier and a network."""
        query = "SELECT owner_identifier AS owner, network FROM open_owners ORDER BY 1, 2"
        return await select(
            self._database, "sql.top.list_open", lambda owner, network: (owner, network), query
        )

    async def check_integrity(self) -> tuple[str, ...]:
        """Return what SQLite's integrity check finds wrong with the file; () if it is sound."""
        return await integrity_faults(self._database, "sql.top.check_integrity")

    async def _select(self, operation: str, where: str, *values: str) -> tuple[DeskRecord, ...]:
        query = _SELECT + where + " ORDER BY desk_account"
        return await select(self._database, f"sql.top.{operation}", DeskRecord, query, *values)
