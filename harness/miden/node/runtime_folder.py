"""The folder through which a user's processes on a machine find each other's node."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from harness.errors import CouldNotRun

__all__ = ["runtime_folder"]


def runtime_folder() -> Path:
    """Return this user's folder for locks and state, made if it is missing.

    Raises:
        CouldNotRun: It cannot be made, or is not this user's alone.
    """
    # Not XDG_RUNTIME_DIR: test runners strip it, and would not find a node started by hand.
    folder = Path(tempfile.gettempdir()) / f"mosaic-harness-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise CouldNotRun(f"{folder}: cannot be made: {error.strerror}; set TMPDIR") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CouldNotRun(
            f"{folder}: must be a directory of user {os.getuid()} with mode 0700; remove it"
        )
    return folder
