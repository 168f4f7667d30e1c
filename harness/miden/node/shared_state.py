"""The file that records the shared node and the processes that use it."""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock

from harness.processes.identity import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SharedRecord", "StateFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRecord:
    """A running node and its users.

    ``kept`` nodes stay when nobody uses them. ``users`` maps a token to the process that holds it.
    ``started_at`` is in seconds since the epoch.
    """

    endpoint: str
    container_id: str
    image: str
    version: str
    genesis_commitment: str
    started_at: float
    kept: bool = False
    users: dict[str, str] = field(default_factory=dict)

    def with_user(self, token: str) -> SharedRecord:
        """Add this process as a user, under a new token."""
        users = {**self.users, token: str(ProcessIdentity.current())}
        return dataclasses.replace(self, users=users)

    def without_user(self, token: str) -> SharedRecord:
        """Remove a user; no effect if it is not there."""
        users = {name: user for name, user in self.users.items() if name != token}
        return dataclasses.replace(self, users=users)

    def without_gone_users(self) -> SharedRecord:
        """Remove the users whose process has ended."""
        users = {}
        for token, text in self.users.items():
            process = ProcessIdentity.parse(text)
            if process is not None and not process.is_gone:
                users[token] = text
        return dataclasses.replace(self, users=users)

    @property
    def user_pids(self) -> tuple[int, ...]:
        """The processes that use the node, in order."""
        processes = (ProcessIdentity.parse(text) for text in self.users.values())
        return tuple(sorted({process.pid for process in processes if process is not None}))


class StateFile:
    """The record on disk, with the lock under which it is read and written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "node.json"
        self._lock = FileLock(folder / "node.lock")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that serialises starting, counting and removing, across processes.

        The wait has no limit: another process may be building the image, which can take an hour.
        The lock ends with its holder, so a dead holder blocks nobody.
        """
        with self._lock:
            yield

    def read(self) -> SharedRecord | None:
        """Read the record, without users that are gone; None if there is no readable record."""
        try:
            record = SharedRecord(**json.loads(self._path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return record.without_gone_users()

    def write(self, record: SharedRecord | None) -> None:
        """Replace the whole record, or remove it."""
        if record is None:
            self._path.unlink(missing_ok=True)
            return
        fresh = self._path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(dataclasses.asdict(record), indent=2), encoding="utf-8")
        fresh.replace(self._path)
