"""SQLite files: each is opened once, and its jobs run off the loop, one at a time, in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import os
import sqlite3
import time
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from serve.errors import InvalidInput, ServeClosed, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Database", "Databases", "Schema", "Synchronous"]

WAL_ATTEMPTS = 500

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0  # For other programs, such as the sqlite3 shell; no other Serve has the file.


class Synchronous(StrEnum):
    """When SQLite waits for the disk.

    ``FULL`` (the default) at every commit, because a row that is written before a remote effect
    must survive a power failure. It costs three flushes for each account made, measured at 0.2 ms
    each on an SSD. ``NORMAL`` only at checkpoints, ``OFF`` never: both survive the end of
    the process, not the end of the machine, and suit tests.
    """

    FULL = "FULL"
    NORMAL = "NORMAL"
    OFF = "OFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables of a kind of file. ``application_id`` marks a file as this service's."""

    name: str
    application_id: int
    version: int
    statements: tuple[str, ...]


class Databases:
    """All SQLite files of a Serve: the threads that work on them, and how many stay open."""

    def __init__(
        self,
        *,
        synchronous: Synchronous = Synchronous.FULL,
        open_files_max: int = 64,
        workers: int = 8,
    ) -> None:
        for name, value in (("open_files_max", open_files_max), ("workers", workers)):
            if value < 1:
                raise InvalidInput(f"store: {name} must be >= 1, got {value}")
        self.synchronous = Synchronous(synchronous)
        self._open_files_max = open_files_max
        self._executor = concurrent.futures.ThreadPoolExecutor(workers, "serve-store")
        self._databases: dict[Path, Database] = {}
        self._open: OrderedDict[Path, Database] = OrderedDict()  # Least recently used first.
        self._is_closing = False
        self._closed = False

    def database(self, path: Path, schema: Schema) -> Database:
        """Return the object for a file, always the same; nothing is opened yet."""
        database = self._databases.get(path)
        if database is None:
            database = self._databases[path] = Database(path, schema, databases=self)
        return database

    async def call(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do other blocking file work off the loop.

        Raises:
            ServeClosed: The store is closed.
            StoreFailed: An ``OSError``.
        """
        try:
            return await self.submit(functools.partial(work, *arguments))
        except OSError as error:
            raise StoreFailed(
                f"{error.filename or 'storage'}: {error.strerror or error}"
            ) from error

    def submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Start work on a thread of the store."""
        if self._closed:
            raise ServeClosed("the store is closed")
        return asyncio.get_running_loop().run_in_executor(self._executor, work)

    def refuse_if_closing(self) -> None:
        """Raise ``ServeClosed`` once the store takes no more jobs."""
        if self._is_closing:
            raise ServeClosed("the store is closed, or closing")

    def note_idle(self, database: Database) -> None:
        """Note that a file's queue ran dry; close the least recently used files above the limit."""
        self._open.pop(database.path, None)
        if database.connected:
            self._open[database.path] = database
        surplus = len(self._open) - self._open_files_max
        if surplus <= 0:
            return
        idle = [candidate for candidate in self._open.values() if not candidate.busy]
        for candidate in idle[:surplus]:
            del self._open[candidate.path]
            candidate.disconnect()

    async def close(self) -> None:
        """Finish the jobs already taken, refuse later ones, close every file; idempotent."""
        if self._is_closing:
            return
        self._is_closing = True
        endings = [database.disconnect() for database in self._databases.values()]
        try:
            for ending in endings:
                await ending
        finally:
            self._closed = True
            # Every job has ended, so there is no thread to wait for.
            self._executor.shutdown(wait=False)


class Database:
    """A SQLite file: a queue of jobs, and a connection that only the running job touches."""

    def __init__(self, path: Path, schema: Schema, *, databases: Databases) -> None:
        self.path = path
        self.busy = False
        self._schema = schema
        self._databases = databases
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._connection: sqlite3.Connection | None = None
        self._has_schema = False

    @property
    def connected(self) -> bool:
        """Whether the file is open. Exact only while no job runs."""
        return self._connection is not None

    def read(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        absent: T,
        failure: Exception | None = None,
    ) -> asyncio.Future[T]:
        """Queue a read. A file that is missing or blank answers ``absent``, and stays as it is.

        The future raises ``StoreFailed``; a job whose caller is cancelled before its turn is
        skipped. ``failure`` is raised as if SQLite had, see ``serve.points``.
        """
        self._databases.refuse_if_closing()
        return self._queue(functools.partial(self._read, work, absent, failure))

    def write(
        self, work: Callable[[sqlite3.Connection], T], *, failure: Exception | None = None
    ) -> asyncio.Future[T]:
        """Queue an immediate transaction, which makes directory, file and schema if need be.

        The future raises ``StoreFailed``, or the ``ServeError`` that ``work`` raises; either way
        nothing of the transaction stays. ``failure`` as in ``read``.
        """
        self._databases.refuse_if_closing()
        return self._queue(functools.partial(self._write, work, failure))

    def disconnect(self) -> asyncio.Future[None]:
        """Queue the closing of the connection; a later job opens it anew."""
        return self._queue(self._disconnect)

    def _queue(self, job: Callable[[], T]) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_retrieve)
        self._jobs.append((job, answer))
        if not self.busy:
            self._start_next()
        return answer

    def _start_next(self) -> None:
        while self._jobs:
            job, answer = self._jobs.popleft()
            if answer.done():  # Its caller was cancelled before its turn.
                continue
            try:
                running = self._databases.submit(job)
            except ServeClosed as error:
                answer.set_exception(error)
                continue
            self.busy = True
            running.add_done_callback(functools.partial(self._finish, answer))
            return
        self.busy = False
        self._databases.note_idle(self)

    def _finish(self, answer: asyncio.Future[Any], running: asyncio.Future[Any]) -> None:
        error = None if running.cancelled() else running.exception()
        if not answer.done():
            if running.cancelled():
                answer.cancel()
            elif error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(running.result())
        self._start_next()

    # The methods below run on a thread of the store, one job at a time.

    def _read(
        self, work: Callable[[sqlite3.Connection], T], absent: T, failure: Exception | None
    ) -> T:
        try:
            if failure is not None:
                raise failure
            if self._connection is None:
                if not self.path.exists():
                    return absent
                self._connect(mode="rw")
            connection = self._connection
            if connection is None or not self._has_schema:
                return absent
            return work(connection)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _write(self, work: Callable[[sqlite3.Connection], T], failure: Exception | None) -> T:
        try:
            if self._connection is None:
                self._make_directory()
                self._connect(mode="rwc")
            connection = self._connection
            assert connection is not None  # noqa: S101  # for the type checker: _connect sets it
            if not self._has_schema:
                self._enable_write_ahead_log(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Checked again under the write lock: another process may have made it meanwhile.
                if not self._has_schema and not self._recognise(connection):
                    self._create_schema(connection)
                result = work(connection)
                if failure is not None:
                    raise failure
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error
        self._has_schema = True
        return result

    def _make_directory(self) -> None:
        directory = self.path.parent
        if not directory.exists():
            directory.mkdir(exist_ok=True)
            self._fsync_entries(directory.parent)

    def _connect(self, *, mode: str) -> None:
        is_new = not self.path.exists()
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA synchronous={self._databases.synchronous.value}")
            connection.execute("PRAGMA foreign_keys=ON")
            self._has_schema = self._recognise(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        if is_new:
            self._fsync_entries(self.path.parent)

    def _fsync_entries(self, directory: Path) -> None:
        # SQLite makes its files durable, but not their entries in the directory.
        if self._databases.synchronous is Synchronous.OFF:
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _recognise(self, connection: sqlite3.Connection) -> bool:
        if connection.in_transaction:
            return self._is_ours(connection)
        # One transaction for all reads: another process may be making the schema just now.
        connection.execute("BEGIN")
        try:
            return self._is_ours(connection)
        finally:
            connection.execute("ROLLBACK")

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        schema = self._schema
        if (mark, version) == (schema.application_id, schema.version):
            return True
        if mark == schema.application_id:
            raise StoreFailed(
                f"{self.path}: schema version must be {schema.version}, got {version};"
                " use the release that wrote it"
            )
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if mark or version or tables:
            raise StoreFailed(
                f"{self.path}: not a {schema.name} file of this service; move it away"
            )
        return False

    def _enable_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        # SQLite's busy timeout does not cover this switch: wait until another process has made it.
        for attempt in range(WAL_ATTEMPTS):
            try:
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError:
                if attempt == WAL_ATTEMPTS - 1:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise StoreFailed(f"{self.path}: journal mode must become wal, got {mode!r}")

    def _create_schema(self, connection: sqlite3.Connection) -> None:
        for statement in self._schema.statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={self._schema.application_id}")
        connection.execute(f"PRAGMA user_version={self._schema.version}")

    def _failure(self, error: sqlite3.Error | OSError) -> StoreFailed:
        # The next job connects anew: the fault may have been mended by then.
        self._disconnect()
        return StoreFailed(f"{self.path}: {error}")

    def _disconnect(self) -> None:
        connection, self._connection, self._has_schema = self._connection, None, False
        if connection is not None:
            # A failed checkpoint leaves the log on disk, where the next connection finds it.
            with suppress(sqlite3.Error):
                connection.close()


def _retrieve(answer: asyncio.Future[Any]) -> None:
    # Mark the error as seen: the loop would report it where the caller is gone.
    if not answer.cancelled():
        answer.exception()
