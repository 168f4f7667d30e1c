"""A piece of work on a worker of a Dask cluster, which tells what it finds while it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.pieces.piece_process import run_piece_apart

if TYPE_CHECKING:
    from harness.search.pieces.piece import Piece, PieceFound

__all__ = ["TOPIC", "run_piece", "stop_pieces"]

# Of the cluster's structured log. One for all searches: a scheduler keeps so many events a topic.
TOPIC = "harness-explore"
# The searches whose pieces are to end, as this worker was told. Dask's threads are handed nothing
# but their pieces, so it cannot be passed to those that are at work.
_STOPPED: set[str] = set()


def run_piece(piece: Piece, folder: str, search: str) -> PieceFound | None:
    """Carry out a piece of a search; None if the search was stopped before it began.

    Raises:
        BadInput: The scenario or its system cannot be used.
        CouldNotRun: The folder is not there, or the piece's process died.
    """
    from distributed import get_worker  # noqa: PLC0415 - an extra

    if search in _STOPPED:
        return None
    worker = get_worker()

    def tell(line: str) -> None:
        worker.log_event(TOPIC, {"search": search, "note": line})

    return run_piece_apart(piece, folder, tell=tell, stopped=lambda: search in _STOPPED)


def stop_pieces(search: str) -> None:
    """Have all pieces of a search that are on this worker end between two runs."""
    _STOPPED.add(search)
