"""The temporary folders of a run: where they are made, whether they have room, that they go."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun
from harness.processes.temporary import MEMORY_DISK, temporary_folder, temporary_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["RunFolders", "run_folders", "why_not_writable"]

# With less room than this in memory the folder is made on disk; a run needs a few MiB.
ROOM_BYTES_MIN = 64 * 2**20
PROBE_BYTES = 2**20
FIX = "free some space, or set TMPDIR to a folder that has some"


@dataclass(frozen=True, slots=True)
class RunFolders:
    """Two empty folders of a run.

    ``storage`` is the system's, ``temporary`` is where ``tempfile`` makes files during the run.
    """

    storage: Path
    temporary: Path

    @property
    def scrub(self) -> dict[str, str]:
        """The paths, which differ from process to process, with what reports show instead."""
        return {str(self.storage): "<storage>", str(self.temporary): "<temporary>"}


@contextmanager
def run_folders(*, in_memory: bool) -> Iterator[RunFolders]:
    """Make the folders of a run, and remove them with all that is in them at the end.

    ``in_memory`` asks for folders in memory, which is faster, where the machine has room there.

    Raises:
        CouldNotRun: They cannot be made.
    """
    disk = MEMORY_DISK if in_memory and _has_room(MEMORY_DISK) else None
    with ExitStack() as stack:
        try:
            folders = _made(stack, in_memory=in_memory, disk=disk)
        except OSError as error:
            msg = f"no temporary folder can be made: {error.strerror or error}; {FIX}"
            raise CouldNotRun(msg) from error
        stack.enter_context(temporary_here(folders.temporary))
        yield folders


def why_not_writable(root: Path) -> str | None:
    """Say why a folder that was made takes no more files, or None if it does."""
    try:
        (root / "probe").write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return f"the temporary folder {root} cannot be written to: {reason}; {FIX}"
    return None


def _made(stack: ExitStack, *, in_memory: bool, disk: Path | None) -> RunFolders:
    try:
        storage = stack.enter_context(temporary_folder("storage", disk=disk))
        # A live run's stays: multiprocessing, for one, remembers for good where it put its sockets.
        temporary = temporary_folder("temporary", disk=disk, keep=not in_memory)
        return RunFolders(storage, stack.enter_context(temporary))
    except OSError:
        if disk is None:
            raise
    # Memory takes no files after all: then on disk.
    return _made(stack, in_memory=in_memory, disk=None)


def _has_room(disk: Path) -> bool:
    try:
        return shutil.disk_usage(disk).free >= ROOM_BYTES_MIN
    except OSError:
        return False
