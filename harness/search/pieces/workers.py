"""Who carries out the pieces of a search: this process, or worker processes on all cores."""

from __future__ import annotations

import gc
import importlib
import time
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput
from harness.processes.pool import (
    DEATHS_MAX,
    end_with_parent,
    ending_its_process,
    open_pool,
)
from harness.results.wording import count
from harness.search.pieces.notes import SpoolWriter
from harness.search.pieces.piece import run_piece

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from harness.search.pieces.piece import Piece, PieceFound
    from harness.search.pieces.state import SearchState

__all__ = ["Patience", "carry_out_noting", "carry_out_piece", "drain", "work_apart", "work_here"]

# How often the notes of the workers are read.
LOOK_S = 0.2
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
        self._chunk = piece

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        del failures
        self._state.ran(self._chunk, runs, distinct)

    def found(self, failure: object) -> None:
        if not self._state.interruption.at_once:
            self._state.found(self._chunk, failure)  # type: ignore[arg-type]


def work_apart(state: SearchState) -> None:
    """Carry out all pieces in worker processes.

    When a worker dies, the pieces that were under way run again, each alone: so it is seen which of
    them ends its process. That one is lost, and told; the others are not.
    """
    deaths = 0
    while True:
        under_way: dict[Future[PieceFound], Piece] = {}
        try:
            with open_pool(
                state.plan.processes, initializer=_begin_worker, end_at_once=True
            ) as pool:
                drain(state, pool, under_way, at_once=state.plan.processes)
        except BrokenProcessPool:
            if state.interruption.came():
                # Whoever interrupted it ended the workers, too.
                return
            suspects = list(under_way.values())
            state.told(
                "a worker process died;"
                f" {count(len(suspects), 'piece')} of work under way will be run again, one by one"
            )
            for piece in suspects:
                if state.interruption.came():
                    return
                deaths += not _alone(state, piece)
                if deaths >= DEATHS_MAX:
                    _give_up(state, deaths)
                    return
        else:
            return


def drain(
    state: SearchState,
    pool: Executor,
    under_way: dict[Future[PieceFound], Piece],
    *,
    at_once: int,
    noting: bool = True,
) -> None:
    """Hand out pieces, ``at_once`` at a time, and take what they find, until there are no more.

    Once it is interrupted, no more are handed out, and those under way end between two runs.

    Raises:
        BrokenProcessPool: A worker died; ``under_way`` holds what it may have been at.
        BaseException: It was interrupted, and not all pieces ended in time.
    """
    carry_out: Callable[..., PieceFound] = carry_out_noting if noting else run_piece
    patience = Patience(state)
    while True:
        while len(under_way) < at_once and (piece := state.next()) is not None:
            arguments = (piece, str(state.spool)) if noting else (piece,)
            try:
                under_way[pool.submit(carry_out, *arguments)] = piece
            except BaseException:
                state.give_back(piece)
                raise
        if not under_way:
            return
        patience.check()
        ended, _ = wait(under_way, timeout=LOOK_S, return_when=FIRST_COMPLETED)
        state.look()
        for future in ended:
            try:
                found = future.result()
            except BadInput as error:
                state.refuse(under_way.pop(future), error)
            else:
                del under_way[future]
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


def _alone(state: SearchState, piece: Piece) -> bool:
    """Carry out one piece in a worker of its own; False if the worker died."""
    patience = Patience(state)
    try:
        with open_pool(1, initializer=_begin_worker, end_at_once=True) as pool:
            future = pool.submit(carry_out_noting, piece, str(state.spool))
            while not wait((future,), timeout=LOOK_S).done:
                patience.check()
            found = future.result()
    except BrokenProcessPool:
        state.lost(piece, "the worker process died twice at a piece of work, which is lost")
        return False
    except BadInput as error:
        state.refuse(piece, error)
    else:
        state.done(found)
    return True


def _give_up(state: SearchState, deaths: int) -> None:
    while (piece := state.next()) is not None:
        state.lost(piece, f"given up: worker processes died at {count(deaths, 'piece')} of work")
