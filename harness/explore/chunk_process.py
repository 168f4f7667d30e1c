"""Own a piece of work in a process of its own: a search needs the main thread."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.campaign import end_with_parent
from harness.errors import CouldNotRun, HarnessError
from harness.explore.chunk import run_chunk

if TYPE_CHECKING:
    from harness.explore.chunk import Chunk, ChunkFound

__all__ = ["run_chunk_apart"]


def run_chunk_apart(chunk: Chunk, folder: str) -> ChunkFound:
    """Carry out a piece of work in a new process, in a folder in which its paths are right.

    Raises:
        BadInput: The scenario or its system cannot be used.
        CouldNotRun: The folder is not there, or the process died.
    """
    if not Path(folder).is_dir():
        raise CouldNotRun(f"{folder}: no such folder on this worker; mount it, or copy it there")
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", __name__],
        input=pickle.dumps(chunk),
        capture_output=True,
        cwd=folder,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise CouldNotRun(f"its process ended with {done.returncode}: {' '.join(last)}")
    # It is our own process that wrote this.
    found: ChunkFound | HarnessError = pickle.loads(done.stdout)  # noqa: S301
    if isinstance(found, HarnessError):
        raise found
    return found


def _main() -> None:
    end_with_parent()
    chunk: Chunk = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our parent
    # What the system under test prints must not come between.
    out = sys.stdout.buffer
    sys.stdout = sys.stderr
    found: ChunkFound | HarnessError
    try:
        found = run_chunk(chunk)
    except HarnessError as error:
        found = error
    out.write(pickle.dumps(found))
    out.flush()


if __name__ == "__main__":
    _main()
