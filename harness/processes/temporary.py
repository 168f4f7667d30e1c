"""The temporary folder of this process: marked, locked as long as it lives, swept if left behind.

All that the harness writes for a while lies in it. It holds a file, its marker, which the process
keeps locked. The lock goes with the process, however that ends. So a marked folder whose lock can
be taken is one of a process that was killed, and the next process of the harness removes it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.processes.below_python import original

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARKER", "MEMORY_DISK", "remove_all", "sweep", "temporary_folder", "temporary_here"]

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a folder of its own is made inside
MARKER = ".harness-lock"
# The process that made it, and letters that nobody can guess.
_NAME = re.compile(r"harness-(?P<pid>[0-9]+)-[0-9a-f]{8}")
_PRIVATE = 0o700
_TRIES = 100
# A run is told another number than that of its process.
_getpid = original(os.getpid)


@dataclass(frozen=True, slots=True)
class _Folder:
    """The folder of a process on a disk; ``lock`` is the descriptor of its marker."""

    path: Path
    lock: int
    pid: int


_folders: dict[Path, _Folder] = {}


@contextmanager
def temporary_folder(name: str, *, disk: Path | None = None, keep: bool = False) -> Iterator[Path]:
    """Make an empty folder, and remove it with all that is in it at the end.

    It lies in this process's own on a disk, which is by default where ``tempfile`` makes files. Its
    path is the same each time, unless another of that name is in use. With ``keep`` it stays, and
    is used again, until the process ends.

    Raises:
        OSError: It cannot be made.
    """
    folder = _made_in(disk or Path(tempfile.gettempdir()), name, keep=keep)
    try:
        yield folder
    finally:
        if not keep:
            with suppress(OSError):
                _remove_inside(folder)


@contextmanager
def temporary_here(folder: Path) -> Iterator[None]:
    """Have ``tempfile``, and all that goes by ``TMPDIR``, make temporary files in a folder.

    So the scratch of a program under test, such as Dask's, goes when the folder goes, even if the
    program is killed.
    """
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = variable


def remove_all() -> None:
    """Remove all that this process has made: ``os._exit`` ends a process past ``atexit``."""
    for disk, one in list(_folders.items()):
        # A child has the parent's by inheritance, and they are the parent's.
        if one.pid == _getpid():
            _remove(one.path)
            os.close(one.lock)
            del _folders[disk]


def sweep(place: Path) -> None:
    """Remove the folders in a place that killed processes of this user have left there.

    Touched is only what has the name and the marker of such a folder, lies there itself (symbolic
    links are not followed), is this user's, and has a lock that can be taken. What cannot be
    removed is left, without a word: it costs a run nothing.
    """
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if (name := _NAME.fullmatch(entry.name)) is not None:
                with suppress(OSError):
                    _sweep_one(Path(entry.path), pid=int(name["pid"]))


def _made_in(disk: Path, name: str, *, keep: bool) -> Path:
    number = 1
    while True:
        folder = _own(disk).path / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(exist_ok=keep)
        except FileExistsError:
            number += 1
        except FileNotFoundError:
            # Somebody who cleans up the disk has taken it away.
            os.close(_folders.pop(disk).lock)
        else:
            return folder


def _own(disk: Path) -> _Folder:
    """Return this process's folder on a disk; the first is made, and those left behind swept."""
    one = _folders.get(disk)
    if one is not None and one.pid == _getpid():
        return one
    if one is None and not _folders:
        atexit.register(remove_all)
        for place in {MEMORY_DISK, Path(tempfile.gettempdir()), disk}:
            sweep(place)
    for _ in range(_TRIES):
        folder = disk / f"harness-{_getpid()}-{os.urandom(4).hex()}"
        with suppress(FileExistsError, FileNotFoundError):
            folder.mkdir(_PRIVATE)
            lock = _marked(folder)
            # None: somebody who swept was faster.
            if lock is not None:
                _folders[disk] = _Folder(folder, lock, _getpid())
                return _folders[disk]
    raise FileNotFoundError(f"{disk}: a folder cannot be made and locked in it")


def _marked(folder: Path) -> int | None:
    """Make a folder's marker and lock it; None if it was locked or removed before."""
    try:
        marker = os.open(folder / MARKER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        raise
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = os.fstat(marker).st_nlink == 1
    except BlockingIOError:
        is_ours = False
    except OSError:
        # A disk without locks: nobody who sweeps can take one either.
        is_ours = True
    if not is_ours:
        os.close(marker)
    return marker if is_ours else None


def _sweep_one(folder: Path, *, pid: int) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    try:
        marker = os.open(folder / MARKER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        # Killed before the marker was there, or after all else had gone: it is empty, or stays.
        if not _is_alive(pid):
            folder.rmdir()
        return
    try:
        if stat.S_ISREG(os.fstat(marker).st_mode):
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Of two that sweep, the second gets the lock of what the first has removed.
            if os.fstat(marker).st_nlink == 1:
                _remove(folder)
    finally:
        os.close(marker)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(folder: Path) -> None:
    """Remove a folder of a process, its marker last: what is broken off here is swept later."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            inside = [Path(entry.path) for entry in entries if entry.name != MARKER]
        for one in inside:
            _remove_inside(one)
        (folder / MARKER).unlink()
        folder.rmdir()


def _remove_inside(folder: Path) -> None:
    """Remove a folder that a program wrote to, even what the program has made read-only.

    Raises:
        OSError: It cannot be removed.
    """
    with suppress(OSError):
        # It is empty more often than not.
        folder.rmdir()
        return
    with suppress(OSError):
        shutil.rmtree(folder)
        return
    folder.chmod(_PRIVATE)
    for inside, names, _ in os.walk(folder):
        for one in (Path(inside, name) for name in names):
            if not one.is_symlink():
                one.chmod(_PRIVATE)
    shutil.rmtree(folder)
