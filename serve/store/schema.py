"""The tables of a kind of SQLite file: made, and brought to their newest version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serve.errors import StoreFailed

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

__all__ = ["Schema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables of a kind of file. ``application_id`` marks a file as this service's.

    ``versions``: for each version the statements that make it of the one before; version 1 is made
    in a blank file. What was released is never changed: a change is a further version.
    """

    name: str
    application_id: int
    versions: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        """The newest version: every file is brought to it when it is first opened."""
        return len(self.versions)

    def version_in(self, connection: sqlite3.Connection, path: Path) -> int:
        """Return the version of the file at ``path``, 0 if it is blank.

        Raises:
            StoreFailed: A newer release wrote it, or it is no file of this kind.
        """
        # One statement sees one state: another process may be changing the file just now.
        mark, version, tables = connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if mark == self.application_id and 1 <= version <= self.version:
            return int(version)
        if mark == self.application_id:
            raise StoreFailed(
                f"{path}: schema version must be 1 to {self.version}, got {version};"
                " use the release that wrote it"
            )
        if mark or version or tables:
            raise StoreFailed(f"{path}: not a {self.name} file of this service; move it away")
        return 0

    def climb(self, connection: sqlite3.Connection, path: Path) -> None:
        """Bring a file to the newest version, inside the caller's transaction.

        Raises:
            StoreFailed: As ``version_in`` does.
        """
        found = self.version_in(connection, path)
        for version, statements in enumerate(self.versions[found:], found + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={self.application_id}")
            connection.execute(f"PRAGMA user_version={version}")
