"""Who carries out the pieces of a search: this process, or worker processes on all cores."""

from __future__ import annotations

import gc
import importlib
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput
from harness.processes.pool import Died, end_with_parent, ending_its_process, in_workers
from harness.results.wording import count
from harness.search.pieces.notes import SpoolWriter
from harness.search.pieces.piece import run_piece

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from harness.search.pieces.piece import Piece, PieceFound
    from harness.search.pieces.state import SearchState

__all__ = ["Patience", "carry_out_noting", "carry_out_piece", "work_apart", "work_here"]

# So long after an interruption the workers may take to end their pieces between two runs.
STOP_S = 5.0


def work_here(state: SearchState) -> None:
    """Carry out all pieces in this process, one after another."""
    while (piece := state.next()) is not None:
        carry_out_piece(state, piece)


def carry_out_piece(state: SearchState, piece: Piece) -> None:
    """Carry out one piece in this process."""
    watcher = _Here(state, piece)
    try:
        found = run_piece(
            piece, watcher=watcher, keep=watcher.found, stopped=state.interruption.came
        )
    except BadInput as error:
        state.refuse(piece, error)
    else:
        if state.interruption.at_once and state.interruption.by is not None:
            # What was raised in the middle of a run may pass for a failure of that run.
            raise state.interruption.by
        state.done(found)


class _Here:
    def __init__(self, state: SearchState, piece: Piece) -> None:
        self._state = state
        self._piece = piece

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        del failures
        self._state.ran(self._piece, runs, distinct)

    def found(self, failure: object) -> None:
        if not self._state.interruption.at_once:
            self._state.found(self._piece, failure)  # type: ignore[arg-type]


def work_apart(state: SearchState) -> None:
    """Carry out all pieces in worker processes.

    Once it is interrupted, no more are handed out, and those under way end between two runs. A
    piece at which workers die is lost, and told; the others are not.

    Raises:
        BaseException: It was interrupted, and not all pieces ended in time.
    """
    patience = Patience(state)

    def look() -> None:
        patience.check()
        state.look()

    def begin(pool: Executor, piece: Piece) -> Future[PieceFound]:
        return pool.submit(carry_out_noting, piece, str(state.spool))

    def on_death(suspects: int) -> None:
        again = f"{count(suspects, 'piece')} of work under way will be run again, one by one"
        state.message(f"a worker process died; {again}")

    processes = state.plan.processes
    ends = in_workers(
        state.next, begin, processes=processes, at_once=processes, initializer=_begin_worker,
        end_at_once=True, look=look, on_death=on_death, stopped=state.interruption.came,
    )  # fmt: skip
    with closing(ends):
        for piece, end in ends:
            _take(state, piece, end)


def _take(state: SearchState, piece: Piece, end: Future[PieceFound] | Died) -> None:
    if isinstance(end, Died):
        at = f"given up: worker processes died at {count(end.deaths, 'piece')} of work"
        twice = "the worker process died twice at a piece of work, which is lost"
        state.lost(piece, at if end.given_up else twice)
        return
    try:
        found = end.result()
    except BadInput as error:
        state.refuse(piece, error)
    else:
        state.done(found)


class Patience:
    """Has the workers stop once the search is interrupted, and waits for them, but not for long."""

    def __init__(self, state: SearchState, *, stop: Callable[[], None] | None = None) -> None:
        self._state = state
        self._stop = stop or state.stop
        self._until_s: float | None = None

    def check(self) -> None:
        """Raise what interrupted the search if the workers were waited for long enough."""
        by = self._state.interruption.by
        if by is None:
            return
        if self._until_s is None:
            self._stop()
            self._until_s = time.monotonic() + STOP_S
        elif time.monotonic() > self._until_s:
            raise by


def carry_out_noting(piece: Piece, spool: str) -> PieceFound:
    """Carry out a piece in a worker, which notes what it finds while it works."""
    notes = SpoolWriter(Path(spool), piece)
    with ending_its_process(), closing(notes):
        return run_piece(piece, watcher=notes, keep=notes.found, stopped=notes.stopped)


def _begin_worker() -> None:
    end_with_parent()
    importlib.import_module("harness.search.subjects.scenario")
    # What is imported by now is no garbage: no collection need go through it.
    gc.freeze()
