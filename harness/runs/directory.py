"""The temporary folder of a run: where it is made, whether it has room, that it goes."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run_directory", "why_not_writable"]

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a folder of its own is made inside
PREFIX = "harness-"
# With less room than this in memory the folder is made on disk; a run needs a few MiB.
ROOM_BYTES_MIN = 64 * 2**20
PROBE_BYTES = 2**20
FIX = "free some space, or set TMPDIR to a folder that has some"


@contextmanager
def run_directory(*, in_memory: bool) -> Iterator[Path]:
    """Make an empty folder, and remove it with all that is in it at the end.

    ``in_memory`` asks for one in memory, which is faster, where the machine has room there.

    Raises:
        CouldNotRun: None can be made.
    """
    try:
        root = _made(in_memory=in_memory)
    except OSError as error:
        msg = f"no temporary folder can be made: {error.strerror or error}; {FIX}"
        raise CouldNotRun(msg) from error
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def why_not_writable(root: Path) -> str | None:
    """Say why a folder that was made takes no more files, or None if it does."""
    try:
        (root / "probe").write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return f"the temporary folder {root} cannot be written to: {reason}; {FIX}"
    return None


def _made(*, in_memory: bool) -> Path:
    if in_memory and _has_room(MEMORY_DISK):
        # Not writable after all: then on disk.
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY_DISK))
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def _has_room(disk: Path) -> bool:
    try:
        return shutil.disk_usage(disk).free >= ROOM_BYTES_MIN
    except OSError:
        return False
