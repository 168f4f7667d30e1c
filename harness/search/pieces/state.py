"""The state of a search: which piece of work is next, what is known so far, and its end."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from harness.processes.below_python import original
from harness.processes.signals import Interruption
from harness.results.explorations import ExplorationReport, FoundFailure
from harness.results.profile_used import NOMINAL
from harness.search.pieces.merging import merged
from harness.search.pieces.notes import SpoolReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.errors import BadInput
    from harness.scenario.model import Scenario
    from harness.search.pieces.journal import Journal
    from harness.search.pieces.piece import Piece, PieceFound
    from harness.search.pieces.plan import SearchPlan

__all__ = ["SearchObserver", "SearchState"]

_REAL_CLOCK = original(time.perf_counter)
# A piece with less time than this would not run once.
SECONDS_MIN = 0.05


class SearchObserver(Protocol):
    """Whoever shows how a search goes on."""

    def message(self, line: str) -> None:
        """Something happened that people should know."""
        ...

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        """So far there were so many runs, at least so many distinct orders, so many failures."""
        ...

    def found(self, scenario: str, failure: FoundFailure) -> None:
        """A failure of a cause that was not known before."""
        ...


class SearchState:
    """What is to be done, what is under way, and what is known."""

    def __init__(
        self,
        plan: SearchPlan,
        watcher: SearchObserver,
        *,
        journal: Journal | None = None,
        failures: Sequence[tuple[str, FoundFailure]] = (),
        spool: Path,
    ) -> None:
        self.plan = plan
        self.spool = spool
        self.refused: BadInput | None = None
        self.interruption = Interruption()
        self._watcher = watcher
        self._journal = journal
        self._reader = SpoolReader(spool, message=watcher.message)
        self._names = {one.path: one.name for one in plan.scenarios}
        self._pieces: dict[tuple[str, int], PieceFound] = {}
        self._lost: dict[str, str] = {}
        self._failures: dict[tuple[str, str], list[FoundFailure]] = {}
        self._under_way: dict[tuple[str, int], float] = {}
        self._progress: dict[tuple[str, int], tuple[int, int]] = {}
        self._orders: dict[str, set[bytes]] = {one.path: set() for one in plan.scenarios}
        self._begin_s = _REAL_CLOCK()
        spent_s = 0.0 if journal is None else journal.spent_s
        self._end_s = None if plan.seconds is None else self._begin_s + plan.seconds - spent_s
        for path, failure in failures:
            self._know(path, failure, keep=False)
        if journal is not None:
            self._take_from(journal)
        self.runs_before = sum(one.exploration.runs for one in self._pieces.values())
        self._waiting = deque(one for one in plan.pieces() if not self._is_done(one))

    @property
    def spent_s(self) -> float:
        """Seconds of real time since it began, without what an earlier invocation took."""
        return _REAL_CLOCK() - self._begin_s

    def next(self) -> Piece | None:
        """Return the next piece, with what was found until now and its share of the time left."""
        while self._waiting and not self.interruption.came():
            seconds = self._seconds()
            if self._end_s is not None and seconds is None:
                return None
            piece = self._waiting.popleft()
            known = tuple(cause for path, cause in self._failures if path == piece.path)
            if piece.first and known:
                continue
            now = _REAL_CLOCK()
            self._under_way[piece.key] = now + (seconds or 0.0)
            begun = self._pieces.get(piece.key)
            return replace(piece, seconds=seconds, known=known, begun=begun)
        return None

    def give_back(self, piece: Piece) -> None:
        """Take back a piece that was not begun."""
        self._under_way.pop(piece.key, None)
        self._waiting.appendleft(piece)

    def done(self, found: PieceFound) -> None:
        """Take what a piece found, all of it or until it was cut short."""
        self.look()
        self._under_way.pop(found.key, None)
        self._progress.pop(found.key, None)
        if found.cut_short and found.learned is None:
            # It will have to begin again: the journal keeps no more of it than its failures.
            for failure in found.exploration.failures:
                self._know(found.path, failure, keep=True)
        elif self._journal is not None and found.exploration.runs:
            self._journal.add(found)
        self._take(found)
        self._tell()

    def lost(self, piece: Piece, reason: str) -> None:
        """Take it that a piece will not be done."""
        self.look()
        self._under_way.pop(piece.key, None)
        self._progress.pop(piece.key, None)
        self._lost.setdefault(piece.path, reason)
        self.message(f"{piece.scenario}: {reason}")

    def refuse(self, piece: Piece, error: BadInput) -> None:
        """Take it that a scenario cannot be searched, as only a run could show."""
        self.refused = self.refused or error
        self._lost.setdefault(piece.path, str(error))
        self._under_way.pop(piece.key, None)
        self._waiting = deque(one for one in self._waiting if one.path != piece.path)

    def message(self, line: str) -> None:
        """Tell people something."""
        self._watcher.message(line)

    def found(self, piece: Piece, failure: FoundFailure) -> None:
        """Take a failure of a piece that is under way."""
        self._know(piece.path, failure, keep=True)

    def ran(self, piece: Piece, runs: int, distinct: int) -> None:
        """Take it that a piece under way has come so far."""
        self._progress[piece.key] = runs, distinct
        self._tell()

    def look(self) -> None:
        """Read what workers have noted."""
        notes = list(self._reader.notes())
        for path, index, what in notes:
            if isinstance(what, FoundFailure):
                self._know(path, what, keep=True)
            elif (path, index) in self._under_way:
                self._progress[path, index] = what[0], what[1]
        if notes:
            self._tell()

    def results(self) -> ExplorationReport:
        """Unite all that is known."""
        ended = "ended before all of its work was done"
        unfinished = {one.path: ended for one in self.plan.scenarios if self._is_unfinished(one)}
        profile = self.plan.terms.profile
        return ExplorationReport(
            profile=NOMINAL if profile is None else profile.used,
            explorations=tuple(
                merged(
                    self.plan,
                    one,
                    pieces=[piece for (path, _), piece in self._pieces.items() if path == one.path],
                    failures=[
                        failure
                        for (path, _), found in self._failures.items()
                        if path == one.path
                        for failure in found
                    ],
                    lost=self._lost.get(one.path) or unfinished.get(one.path),
                )
                for one in self.plan.scenarios
            ),
        )

    def _is_unfinished(self, scenario: Scenario) -> bool:
        waits = [one for one in self._waiting if one.path == scenario.path]
        if any(path == scenario.path for path, _ in self._under_way):
            return True
        if self._end_s is None or self.interruption.came():
            pieces = [one for (path, _), one in self._pieces.items() if path == scenario.path]
            if any(one.cut_short for one in pieces):
                return True
        if self._end_s is None:
            return bool(waits) and not self.plan.first
        # Its time was over; that it was searched for less long than others is no fault.
        return bool(waits) and not any(path == scenario.path for path, _ in self._pieces)

    def _is_done(self, piece: Piece) -> bool:
        found = self._pieces.get(piece.key)
        return found is not None and not found.cut_short

    def _seconds(self) -> float | None:
        if self._end_s is None:
            return None
        left = self._end_s - _REAL_CLOCK()
        if left < SECONDS_MIN:
            return None
        taken = sum(max(0.0, end - _REAL_CLOCK()) for end in self._under_way.values())
        share = (self.plan.processes * left - taken) / len(self._waiting)
        return min(left, max(share, SECONDS_MIN))

    def _take_from(self, journal: Journal) -> None:
        wanted = set(self._names)
        for path, failure in journal.failures:
            self._know(path, failure, keep=False)
        for found in (*journal.found.values(), *journal.begun.values()):
            if found.path in wanted:
                self._take(found)
        for path, _, what in self._reader.notes():
            if isinstance(what, FoundFailure):
                self._know(path, what, keep=True)
        self._reader.forget()

    def _take(self, found: PieceFound) -> None:
        self._pieces[found.key] = found
        self._orders[found.path].update(found.digests())
        for failure in found.exploration.failures:
            self._know(found.path, failure, keep=False)

    def _know(self, path: str, failure: FoundFailure, *, keep: bool) -> None:
        if path not in self._names:
            return
        known = self._failures.setdefault((path, failure.cause), [])
        if any(one.token == failure.token for one in known):
            return
        known.append(failure)
        if keep and self._journal is not None:
            self._journal.add_failure(path, failure)
        if len(known) == 1:
            self._watcher.found(self._names[path], failure)

    def _tell(self) -> None:
        distinct = {path: len(orders) for path, orders in self._orders.items()}
        for (path, _), (_, orders) in self._progress.items():
            distinct[path] = max(distinct[path], orders)
        # What a piece under way has noted is with what it had come to before.
        ended = (one for key, one in self._pieces.items() if key not in self._progress)
        runs = sum(one.exploration.runs for one in ended)
        runs += sum(runs for runs, _ in self._progress.values())
        self._watcher.ran(runs, sum(distinct.values()), len(self._failures))

    def stop(self) -> None:
        """Have all workers end."""
        self._reader.stop()

    def close(self) -> None:
        """Note the time it took, and remove what workers noted: all of it has been read."""
        if self._journal is not None:
            self._journal.add_spent(self.spent_s)
        self._reader.forget()
