"""The journal of a search: what is finished and found, kept so that nothing is lost."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.choices.lateness import LATE_MS_DEFAULT
from harness.errors import BadInput
from harness.results.explorations import RESULT_VERSION, FoundFailure
from harness.results.plain_record import from_plain, to_plain
from harness.results.profile_used import NOMINAL
from harness.results.whole_file import make_directory
from harness.results.wording import count
from harness.search.pieces.piece import PieceFound, subject_of
from harness.search.strategies.portfolio import strategy_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.search.pieces.plan import SearchPlan

__all__ = ["Journal"]

NAME = "journal.ndjson"
JOURNAL_VERSION = 1
# Of a search with another profile than the nominal one: who knows no profiles must not go on.
JOURNAL_VERSION_WITH_PROFILE = 2
PROFILE = "profile"


class Journal:
    """A file of one JSON object a line, only ever added to; its first line says of what it is.

    It is read when it is opened: ``found`` are the finished pieces, ``begun`` those cut short that
    can go on from where they were, ``failures`` all failures of pieces that did not end, with the
    paths of their scenarios, ``notes`` what is to be told of the reading. A line that a crash
    cut off is dropped. One process at a time has it open.

    Raises:
        BadInput: It is of another search, damaged, in use, or cannot be written.
    """

    def __init__(self, folders: Sequence[Path], plan: SearchPlan) -> None:
        self.found: dict[tuple[str, int], PieceFound] = {}
        self.begun: dict[tuple[str, int], PieceFound] = {}
        self.failures: list[tuple[str, FoundFailure]] = []
        self.spent_s = 0.0
        self.notes: list[str] = []
        self._identity = _identity(plan)
        self._strategy = plan.terms.strategy
        first, *others = folders
        for folder in others:
            path = folder / NAME
            if not path.is_file():
                raise BadInput(f"--resume: {path}: no such file; name folders that hold a journal")
            self._read(path, mend=False)
        make_directory(first)
        self._path = first / NAME
        self._open()
        try:
            if self._path.stat().st_size:
                self._read(self._path, mend=True)
        except BaseException:
            self.close()
            raise
        if not self._path.stat().st_size:
            version = JOURNAL_VERSION_WITH_PROFILE if PROFILE in self._identity else JOURNAL_VERSION
            self._write({"journal_version": version, "campaign": self._identity})
        self._note_reading()

    @property
    def running(self) -> Path:
        """The folder in which workers note what they find while they work."""
        folder = self._path.parent / "running"
        make_directory(folder)
        return folder

    def add(self, found: PieceFound) -> None:
        """Keep a piece that is finished, or cut short and able to go on from there."""
        self._keep(found)
        self._write({"cut_short" if found.cut_short else "done": to_plain(found)})

    def add_failure(self, path: str, failure: FoundFailure) -> None:
        """Keep a failure of a piece that is not finished yet."""
        self.failures.append((path, failure))
        self._write({"failure": to_plain(failure), "path": path})

    def add_spent(self, seconds: float) -> None:
        """Keep how long this invocation has taken."""
        self._write({"spent_s": round(seconds, 3)})

    def close(self) -> None:
        """Let others have it."""
        self._stream.close()

    def _open(self) -> None:
        try:
            self._stream = self._path.open("ab")
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._stream.close()
            msg = f"{self._path}: is in use by another process; wait for it, or name another folder"
            raise BadInput(msg) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            msg = f"{self._path}: must be a file that can be written, got: {reason}; name another"
            raise BadInput(f"{msg} --resume folder") from error

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":"), allow_nan=False)
        try:
            self._stream.write(line.encode() + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            msg = f"{self._path}: cannot be added to: {reason}; free some space and resume"
            raise BadInput(msg) from error

    def _read(self, path: Path, *, mend: bool) -> None:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
        whole, _, torn = raw.rpartition(b"\n")
        if torn:
            self.notes.append(f"{path}: the last line was cut off and is dropped")
            if mend:
                os.truncate(path, len(raw) - len(torn))
        for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
            self._take(_parsed(line, f"{path}:{number}"), f"{path}:{number}", head=number == 1)

    def _take(self, record: dict[str, Any], where: str, *, head: bool) -> None:
        if head:
            _refuse_other(record, self._identity, where.rpartition(":")[0])
        elif "done" in record:
            self._keep(from_plain(PieceFound, record["done"], where=where))
        elif "cut_short" in record:
            piece = from_plain(PieceFound, record["cut_short"], where=where)
            # Read once for nothing: what is damaged is told here, with its line.
            strategy_named(self._strategy, seed=0).remember(piece.learned, where=where)
            self._keep(piece)
        elif "failure" in record:
            failure = from_plain(FoundFailure, record["failure"], where=where)
            self.failures.append((str(record.get("path")), failure))
        elif isinstance(record.get("spent_s"), int | float):
            self.spent_s += record["spent_s"]
        else:
            rule = "must be done, cut_short, failure or spent_s"
            got = ", ".join(record) or "nothing"
            raise BadInput(f"{where}: {rule}, got {got}; remove that line")

    def _keep(self, piece: PieceFound) -> None:
        if not piece.cut_short:
            self.found[piece.key] = piece
            self.begun.pop(piece.key, None)
            return
        before = self.begun.get(piece.key)
        further = before is None or piece.exploration.runs >= before.exploration.runs
        if piece.key not in self.found and further:
            self.begun[piece.key] = piece

    def _note_reading(self) -> None:
        pieces = {**self.begun, **self.found}
        if not pieces and not self.failures:
            return
        runs = sum(one.exploration.runs for one in pieces.values())
        causes = {(path, one.cause) for path, one in self.failures}
        causes |= {
            (path, one.cause)
            for (path, _), piece in pieces.items()
            for one in piece.exploration.failures
        }
        begun = f" and {len(self.begun):,} begun" if self.begun else ""
        self.notes.append(
            f"from the journal: {count(len(self.found), 'finished piece')} of work{begun},"
            f" {count(runs, 'run')}, {count(len(causes), 'failure')}"
        )


def _identity(plan: SearchPlan) -> dict[str, Any]:
    """Say what must be alike for two journals to be of one search."""
    terms = plan.terms
    profile = {} if terms.profile is None else {PROFILE: str(terms.profile.used)}
    cancel = {"cancel": True} if terms.cancel else {}
    late = {} if terms.late_ms == LATE_MS_DEFAULT else {"late_ms": terms.late_ms}
    steps = {} if terms.steps_max is None else {"steps_max": terms.steps_max}
    return (
        profile
        | cancel
        | late
        | steps
        | {
            "result_version": RESULT_VERSION,
            "strategy": terms.strategy,
            "seed": terms.seed,
            "runs": plan.runs_wanted,
            "adversarial": terms.adversarial,
            "chaos": terms.chaos,
            "system": terms.system,
            "scenarios": {
                one.path: hashlib.sha256(Path(one.path).read_bytes()).hexdigest()[:16]
                for one in plan.scenarios
            },
            "code": {
                one.path: subject_of(one.path, terms).fingerprint()[:16] for one in plan.scenarios
            },
        }
    )


def _refuse_other(record: dict[str, Any], now: dict[str, Any], where: str) -> None:
    fix = "name another folder, or ask for the same search"
    version = record.get("journal_version")
    if version not in (JOURNAL_VERSION, JOURNAL_VERSION_WITH_PROFILE):
        msg = f"{where}: journal_version must be {JOURNAL_VERSION}, got {version!r}; {fix}"
        raise BadInput(msg)
    then = record.get("campaign")
    if not isinstance(then, dict):
        raise BadInput(f"{where}:1: must say which search it is of; {fix}")
    # What a search does not say of itself is as usual.
    usual = {
        PROFILE: str(NOMINAL),
        "cancel": False,
        "late_ms": LATE_MS_DEFAULT,
        "steps_max": None,
    }
    for key, value in (usual | now).items():
        before = then.get(key, usual.get(key))
        if before == value:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            changed = [path for path in {**before, **value} if before.get(path) != value.get(path)]
            what = "its system's code" if key == "code" else "the scenario"
            raise BadInput(
                f"{where}: is of another search: {what} is not the same any more for"
                f" {', '.join(changed)}; {fix}"
            )
        raise BadInput(f"{where}: is of another search: {key} was {before}, now {value}; {fix}")


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (RecursionError, ValueError):
        record = None
    if not isinstance(record, dict):
        fix = "remove that line, or the whole journal"
        raise BadInput(f"{where}: must be a JSON object, got {line[:40]!r}; {fix}")
    return record
