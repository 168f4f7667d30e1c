"""SQLite files: each is opened once, and its jobs run off the loop, one at a time, in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import math
import os
import sqlite3
import weakref
from collections import OrderedDict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from serve.errors import InvalidInput, ServeClosed, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from serve.store.schema import Schema

__all__ = ["Database", "Databases", "Synchronous"]

T = TypeVar("T")

# For other programs, such as the sqlite3 shell; no other Serve has the file.
LOCKED_S = 5.0
PAUSE_MIN_S, PAUSE_MAX_S = 0.005, 0.1


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
        # Whoever uses a file keeps its object; here are those of open files, by their last use.
        self._databases: weakref.WeakValueDictionary[Path, Database]
        self._databases = weakref.WeakValueDictionary()
        self._open: OrderedDict[Path, Database] = OrderedDict()
        self._is_closing = False
        self._closed = False

    def database(self, path: Path, schema: Schema) -> Database:
        """Return the object for a file, the same as long as it is used; nothing is opened yet."""
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
        if surplus <= 0 or self._is_closing:
            return
        idle = [candidate for candidate in self._open.values() if not candidate.busy]
        for candidate in idle[:surplus]:
            del self._open[candidate.path]
            candidate.disconnect()

    async def close(self, *, then: Callable[[], None] = lambda: None) -> None:
        """Finish the jobs already taken, refuse later ones, close every file; idempotent.

        ``then`` is done last, on a thread of the store.
        """
        if self._is_closing:
            return
        self._is_closing = True
        # By path: the order must not depend on when an object that nobody uses is collected.
        databases = sorted(self._databases.values(), key=lambda database: database.path)
        endings = [one.disconnect() for one in databases if one.busy or one.connected]
        try:
            for ending in endings:
                await ending
        finally:
            self._closed = True
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, then)
            finally:
                # Every job has ended, so there is no thread to wait for.
                self._executor.shutdown(wait=False)


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[], Any]
    answer: asyncio.Future[Any]
    failure: Exception | None
    locked_s: float = math.inf  # When it first found the file locked, by the loop's clock.


class Database:
    """A SQLite file: a queue of jobs, and a connection that only the running job touches.

    A job that finds the file locked by another program holds no thread. It stays the first of its
    queue, and is tried again until ``LOCKED_S`` have passed.
    """

    def __init__(self, path: Path, schema: Schema, *, databases: Databases) -> None:
        self.path = path
        self.busy = False  # A job runs, or waits to be tried again.
        self._schema = schema
        self._databases = databases
        self._jobs: deque[_Job] = deque()
        self._connection: sqlite3.Connection | None = None
        self._version = 0  # Of the tables in the open file.

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

        ``work`` is done again if the file is locked. The future raises ``StoreFailed``; a job whose
        caller is cancelled before its turn is skipped. ``failure`` is raised as if SQLite had, and
        is final, see ``serve.points``.
        """
        self._databases.refuse_if_closing()
        return self._queue(functools.partial(self._read, work, absent, failure), failure)

    def write(
        self, work: Callable[[sqlite3.Connection], T], *, failure: Exception | None = None
    ) -> asyncio.Future[T]:
        """Queue an immediate transaction, which makes directory, file and schema if need be.

        The future raises ``StoreFailed``, or the ``ServeError`` that ``work`` raises; either way
        nothing of the transaction stays. ``work`` and ``failure`` as in ``read``.
        """
        self._databases.refuse_if_closing()
        return self._queue(functools.partial(self._write, work, failure), failure)

    def disconnect(self) -> asyncio.Future[None]:
        """Queue the closing of the connection; a later job opens it anew."""
        return self._queue(self._disconnect)

    def _queue(self, work: Callable[[], T], failure: Exception | None = None) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_retrieve)
        self._jobs.append(_Job(work, answer, failure))
        if not self.busy:
            self._start_next()
        return answer

    def _start_next(self) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            if job.answer.done():  # Its caller was cancelled before its turn.
                continue
            try:
                running = self._databases.submit(job.work)
            except ServeClosed as error:
                job.answer.set_exception(error)
                continue
            self.busy = True
            running.add_done_callback(functools.partial(self._finish, job))
            return
        self.busy = False
        self._databases.note_idle(self)

    def _finish(self, job: _Job, running: asyncio.Future[Any]) -> None:
        error = None if running.cancelled() else running.exception()
        if not job.answer.done():
            if running.cancelled():
                job.answer.cancel()
            elif error is None:
                job.answer.set_result(running.result())
            elif self._is_put_back(job, error.__cause__):
                return
            else:
                job.answer.set_exception(error)
        self._start_next()

    def _is_put_back(self, job: _Job, cause: BaseException | None) -> bool:
        # The lowest byte of SQLite's code is the kind of its error.
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            return False
        loop = asyncio.get_running_loop()
        job.locked_s = min(job.locked_s, loop.time())
        waited_s = loop.time() - job.locked_s
        if waited_s >= LOCKED_S or cause is job.failure:
            return False
        self._jobs.appendleft(job)
        # As long again as it has waited so far, within bounds.
        loop.call_later(min(max(waited_s, PAUSE_MIN_S), PAUSE_MAX_S), self._start_next)
        return True

    # The methods below run on a thread of the store, one job at a time.

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, StoreFailed) as error:
            # The next job connects anew: the fault may have been mended by then.
            self._disconnect()
            if isinstance(error, StoreFailed):
                raise
            raise StoreFailed(f"{self.path}: {error}") from error

    def _read(
        self, work: Callable[[sqlite3.Connection], T], absent: T, failure: Exception | None
    ) -> T:
        with self._faults():
            if failure is not None:
                raise failure
            if self._connection is None and not self.path.exists():
                return absent
            connection = self._opened(mode="rw")
            if self._version == 0:
                self._disconnect()  # Another process may write the file before the next job.
                return absent
            if self._version < self._schema.version:
                self._transact(connection, lambda _: None, None)
            return work(connection)

    def _write(self, work: Callable[[sqlite3.Connection], T], failure: Exception | None) -> T:
        with self._faults():
            directory = self.path.parent
            if self._connection is None and not directory.exists():
                directory.mkdir(exist_ok=True)
                self._fsync_entries(directory.parent)
            return self._transact(self._opened(mode="rwc"), work, failure)

    def _transact(
        self,
        connection: sqlite3.Connection,
        work: Callable[[sqlite3.Connection], T],
        failure: Exception | None,
    ) -> T:
        newest = self._schema.version
        if self._version < newest:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                raise StoreFailed(f"{self.path}: journal mode must become wal, got {mode!r}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self._version < newest:
                # Under the write lock: another process may have made the tables meanwhile.
                self._schema.climb(connection, self.path)
            result = work(connection)
            if failure is not None:
                raise failure
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        self._version = newest
        return result

    def _opened(self, *, mode: str) -> sqlite3.Connection:
        if self._connection is None:
            is_new = not self.path.exists()
            # SQLite itself waits for no lock: that would take a thread from all other files.
            self._connection = connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode={mode}",
                uri=True,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
            if is_new:
                self._fsync_entries(self.path.parent)
            connection.execute(f"PRAGMA synchronous={self._databases.synchronous.value}")
            connection.execute("PRAGMA foreign_keys=ON")
            self._version = self._schema.version_in(connection, self.path)
        return self._connection

    def _fsync_entries(self, directory: Path) -> None:
        # SQLite makes its files durable, but not their entries in the directory.
        if self._databases.synchronous is Synchronous.OFF:
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # A failed checkpoint leaves the log on disk, where the next connection finds it.
            with suppress(sqlite3.Error):
                connection.close()


def _retrieve(answer: asyncio.Future[Any]) -> None:
    # Mark the error as seen: the loop would report it where the caller is gone.
    if not answer.cancelled():
        answer.exception()
