"""A piece of work in a process of its own: a search needs the main thread."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun, HarnessError
from harness.processes.pool import end_with_parent
from harness.processes.temporary import temporary_folder
from harness.search.pieces.notes import SpoolReader
from harness.search.pieces.workers import carry_out_noting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.search.pieces.piece import Piece, PieceFound

__all__ = ["run_piece_apart"]

# How often its notes are read: they may have a long way to go, and many to share it with.
LOOK_S = 0.5


def run_piece_apart(
    piece: Piece, folder: str, *, tell: Callable[[str], None], stopped: Callable[[], bool]
) -> PieceFound:
    """Carry out a piece of work in a new process, in a folder in which its paths are right.

    Args:
        piece: The piece.
        folder: The folder.
        tell: Is given each line that the process notes: its failures, and how far it is.
        stopped: Asked now and then; once it says True, the piece ends after the run that it is in.

    Raises:
        BadInput: The scenario or its system cannot be used.
        CouldNotRun: The folder is not there, or the process died.
    """
    if not Path(folder).is_dir():
        raise CouldNotRun(f"{folder}: no such folder on this worker; mount it, or copy it there")
    with temporary_folder("search") as spool:
        notes = SpoolReader(spool, message=tell)
        with subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
        ) as process:
            try:
                out, err = _attended(
                    process, pickle.dumps((piece, str(spool))), notes, tell, stopped
                )
            except BaseException:
                process.kill()
                raise
    if process.returncode:
        last = err.decode(errors="replace").strip().splitlines()[-1:]
        raise CouldNotRun(f"its process ended with {process.returncode}: {' '.join(last)}")
    # It is our own process that wrote this.
    found: PieceFound | HarnessError = pickle.loads(out)  # noqa: S301
    if isinstance(found, HarnessError):
        raise found
    return found


def _attended(
    process: subprocess.Popen[bytes],
    work: bytes,
    notes: SpoolReader,
    tell: Callable[[str], None],
    stopped: Callable[[], bool],
) -> tuple[bytes, bytes]:
    """Give a process its work, and hand on its notes until it ends; return what it wrote."""
    asked: bytes | None = work
    while True:
        try:
            out, err = process.communicate(asked, timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            asked = None
            out = None
        for line in _worth_telling(notes):
            tell(line)
        if out is not None:
            return out, err
        if stopped():
            notes.stop()


def _worth_telling(notes: SpoolReader) -> Iterator[str]:
    """Leave out how far it was before: only the last of that counts."""
    lines = [line.decode() for _, line in notes.lines()]
    for at, line in enumerate(lines, start=1):
        if at == len(lines) or '"ran"' not in line:
            yield line


def _main() -> None:
    end_with_parent()
    # Written by our parent.
    work: tuple[Piece, str] = pickle.load(sys.stdin.buffer)  # noqa: S301
    # What the system under test prints must not come between.
    out = sys.stdout.buffer
    sys.stdout = sys.stderr
    found: PieceFound | HarnessError
    try:
        found = carry_out_noting(*work)
    except HarnessError as error:
        found = error
    out.write(pickle.dumps(found))
    out.flush()


if __name__ == "__main__":
    _main()
