"""The lock file that lets only one Serve work on a storage path."""

from __future__ import annotations

import fcntl
import os
import weakref
from typing import TYPE_CHECKING

from serve.errors import StorageInUse, StoragePathNotFound, StoreFailed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["StorageLock"]

LOCK_FILE = ".mosaic.lock"

_locks: weakref.WeakSet[StorageLock] = weakref.WeakSet()


class StorageLock:
    """A lock of the operating system on ``<storage path>/.mosaic.lock``.

    The lock ends with its process, and forked children have no part in it: a file that is left
    behind locks nothing. The file stays: if it were removed, two processes could lock two files of
    the same name. Both methods block.
    """

    def __init__(self, storage_path: Path) -> None:
        self._storage_path = storage_path
        self._descriptor: int | None = None
        _locks.add(self)

    def acquire(self) -> None:
        """Take the lock and write this process's id into the file.

        Raises:
            StoragePathNotFound: The storage path is not an existing directory.
            StorageInUse: Another Serve holds it, in this process or in another.
            StoreFailed: The file cannot be opened or written.
        """
        if not self._storage_path.is_dir():
            raise StoragePathNotFound(
                f"storage path must be an existing directory, got {self._storage_path}"
            )
        path = self._storage_path / LOCK_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreFailed(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StorageInUse(
                f"{path}: held by another Serve, process {holder}; close it first"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreFailed(f"{path}: {error.strerror}") from error
        self._descriptor = descriptor

    def release(self, *, unlock: bool = True) -> None:
        """Let others take the lock; idempotent. Without ``unlock`` it stays to forked copies."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                if unlock:
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
            finally:
                os.close(descriptor)


def _leave_to_parent() -> None:
    for lock in tuple(_locks):
        lock.release(unlock=False)


# A forked child has a copy of the descriptor, which would hold the lock when its parent has closed.
os.register_at_fork(after_in_child=_leave_to_parent)
