"""What a worker notes while it works, so that whoever started it knows, however it ends."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.processes.below_python import original
from harness.results.explorations import FoundFailure
from harness.results.plain_record import from_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.search.pieces.piece import Piece

__all__ = ["Noted", "SpoolReader", "SpoolWriter"]

STOP = "stop"
EVERY_S = 0.25
_REAL_CLOCK = original(time.perf_counter)

Noted = tuple[str, int, "tuple[int, int, int] | FoundFailure"]


class SpoolWriter:
    """A worker's notes on one piece of work: a file of its own, a JSON object a line."""

    def __init__(self, folder: Path, piece: Piece) -> None:
        self._stop = folder / STOP
        self._piece = piece
        whose = hashlib.sha256(piece.path.encode()).hexdigest()[:12]
        path = folder / f"{whose}-{piece.index}.ndjson"
        self._stream = path.open("ab", buffering=0)
        # So each piece gets on a little, however early it is stopped.
        self._told_s = self._looked_s = _REAL_CLOCK()
        self._stopped = False

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        """Note how far it is, now and then."""
        if _REAL_CLOCK() - self._told_s >= EVERY_S:
            self._told_s = _REAL_CLOCK()
            self._write({"ran": [runs, distinct, failures]})

    def found(self, failure: FoundFailure) -> None:
        """Note a failure, at once."""
        self._write({"failure": to_plain(failure)})

    def stopped(self) -> bool:
        """Return True if the work is to end."""
        if not self._stopped and _REAL_CLOCK() - self._looked_s >= EVERY_S:
            self._looked_s = _REAL_CLOCK()
            self._stopped = self._stop.exists()
        return self._stopped

    def close(self) -> None:
        """End the notes."""
        self._stream.close()

    def _write(self, record: dict[str, Any]) -> None:
        whose = {"path": self._piece.path, "index": self._piece.index}
        self._stream.write(json.dumps(whose | record, allow_nan=False).encode() + b"\n")


class SpoolReader:
    """Reads the notes of all workers as they come; ``told`` is told of a line that is none."""

    def __init__(self, folder: Path, *, message: Callable[[str], None]) -> None:
        self._folder = folder
        self._told = message
        self._read: dict[Path, int] = {}

    def notes(self) -> Iterator[Noted]:
        """Return what is new: of whom, and how far it is or the failure it found."""
        for path, line in self.lines():
            try:
                note = _note(json.loads(line), where=str(path))
            except (BadInput, KeyError, RecursionError, TypeError, ValueError) as error:
                reason = str(error) if isinstance(error, BadInput) else line[:40]
                self._told(f"{path}: a line that is no note of a worker is dropped: {reason!r}")
            else:
                yield note

    def lines(self) -> Iterator[tuple[Path, bytes]]:
        """Return what is new as it was written, for whoever hands it on."""
        for path in sorted(self._folder.glob("*.ndjson")):
            begin = self._read.get(path, 0)
            with path.open("rb") as stream:
                stream.seek(begin)
                whole, newline, _ = stream.read().rpartition(b"\n")
            if not newline:
                continue
            self._read[path] = begin + len(whole) + 1
            for line in whole.split(b"\n"):
                yield path, line

    def stop(self) -> None:
        """Have all workers end after the run that they are in."""
        (self._folder / STOP).touch()

    def forget(self) -> None:
        """Remove all notes."""
        for path in (*self._folder.glob("*.ndjson"), self._folder / STOP):
            path.unlink(missing_ok=True)
        self._read.clear()


def _note(record: dict[str, Any], *, where: str) -> Noted:
    if "failure" in record:
        failure = from_plain(FoundFailure, record["failure"], where=where)
        return record["path"], record["index"], failure
    runs, distinct, failures = map(int, record["ran"])
    return record["path"], record["index"], (runs, distinct, failures)
