"""What is done with the tables of a SQLite file: they are read, changed and checked."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar

from serve.errors import ServeError
from serve.points import failure_at, point

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from serve.store.sqlite_files import Database

__all__ = ["Change", "carry_out", "change", "integrity_faults", "select"]

T = TypeVar("T")

# A statement, its values, and the error to raise if it changes no row, or is against the rules.
Change = tuple[str, tuple[object, ...], ServeError | None]


def select(
    database: Database, where: str, make: Callable[..., T], query: str, *values: str, **key: object
) -> asyncio.Future[tuple[T, ...]]:
    """Queue a read; return what ``make`` makes of each row, its columns the arguments by name.

    A file that is missing or blank has no rows. ``where`` is the point, with ``key``.
    """

    def fetch(connection: sqlite3.Connection) -> tuple[T, ...]:
        rows = connection.execute(query, values)
        names = [column[0] for column in rows.description]
        return tuple(make(**dict(zip(names, row, strict=True))) for row in rows)

    return database.read(fetch, absent=(), failure=failure_at(f"{where}.execute", **key))


def carry_out(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Make changes, in order.

    Raises:
        ServeError: That of a change which has one, and changes no row or is against the rules.
    """
    for statement, values, error in changes:
        try:
            count = connection.execute(statement, values).rowcount
        except sqlite3.IntegrityError as cause:
            if error is None:
                raise
            raise error from cause
        if error is not None and not count:
            raise error


async def change(database: Database, where: str, *changes: Change, **key: object) -> None:
    """Make changes in one transaction. ``where`` is the beginning of its points, with ``key``."""
    await point(f"{where}.before_commit", **key)
    failure = failure_at(f"{where}.execute", **key)
    await database.write(lambda one: carry_out(one, changes), failure=failure)
    await point(f"{where}.after_commit", **key)


async def integrity_faults(database: Database, where: str, **key: object) -> tuple[str, ...]:
    """Return what SQLite's integrity check finds; nothing if the file is sound, or missing."""
    query = "PRAGMA integrity_check"
    faults = await select(database, where, lambda integrity_check: integrity_check, query, **key)
    return () if faults == ("ok",) else faults
