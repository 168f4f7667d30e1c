"""A search on a Dask cluster: the same pieces of work, handed to its workers."""

from __future__ import annotations

import logging
import re
import threading
import time
from asyncio import CancelledError
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, CouldNotRun
from harness.results.wording import count
from harness.search.pieces.dask_piece import TOPIC, run_piece, stop_pieces
from harness.search.pieces.workers import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.search.pieces.piece import Piece, PieceFound
    from harness.search.pieces.state import SearchState

__all__ = ["dask_work"]

CONNECT_S = 10
ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss|ucx)://)?[^/\s]+:\d{1,5}$")
LOOK_S = 0.2
# Seconds without any worker, or without the scheduler, after which a cluster is given up.
GONE_S = 10.0
RETRIES = 2
MISSING = "pip install 'mosaic-harness[dask]' brings what --dask needs"


def dask_work(address: str) -> Callable[[SearchState], None]:
    """Return who carries out pieces of work on the cluster of a scheduler's address.

    Raises:
        CouldNotRun: Dask is not installed, or no scheduler answers there.
        BadInput: The address is none.
    """
    if not ADDRESS.match(address):
        raise BadInput(
            f'--dask: must be an address such as tcp://HOST:PORT, got "{address}"; a scheduler'
            " prints its own when it starts"
        )
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise CouldNotRun(f"--dask: {error}; {MISSING}") from error
    # A cluster that goes away is told below, in a line: here it would be a traceback.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client: Any = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        fix = "start one with: dask scheduler"
        raise CouldNotRun(f"--dask: no scheduler answers at {address}: {error}; {fix}") from error
    return partial(_work, client, address)


def _work(client: Any, address: str, state: SearchState) -> None:
    """Hand out pieces, two a worker's thread, and take what comes back until there are no more.

    Once it is interrupted, no more are handed out, and those under way end between two runs.
    """
    under_way: dict[Any, Piece] = {}
    alive = time.monotonic()
    patience = Patience(state, stop=partial(_stop, client))
    with _noting(client, state.spool):
        while True:
            workers = _threads(client)
            if workers:
                alive = time.monotonic()
            while workers and len(under_way) < 2 * workers:
                piece = state.next()
                if piece is None:
                    break
                arguments = (piece, str(Path.cwd()), client.id)
                future = client.submit(run_piece, *arguments, pure=False, retries=RETRIES)
                under_way[future] = piece
            if not under_way and (workers or state.interruption.came()):
                return
            state.look()
            for future in [one for one in under_way if one.done()]:
                _take(state, under_way.pop(future), future)
            if time.monotonic() - alive > GONE_S:
                raise CouldNotRun(
                    f"--dask: the cluster at {address} went away, with"
                    f" {count(len(under_way), 'piece')} of work under way"
                )
            patience.check()
            time.sleep(LOOK_S)


@contextmanager
def _noting(client: Any, spool: Path) -> Iterator[None]:
    """Write down what the search's pieces tell, as workers of this machine do it themselves.

    When it is left, the client is closed: nobody tells anything any more.
    """
    with (spool / "cluster.ndjson").open("ab", buffering=0) as notes:

        def note(event: tuple[float, dict[str, str]]) -> None:
            # Others may search on the same cluster.
            if event[1]["search"] == client.id and not notes.closed:
                notes.write(event[1]["note"].encode() + b"\n")

        client.subscribe_topic(TOPIC, note)
        try:
            yield
        finally:
            client.close(timeout=1)


def _stop(client: Any) -> None:
    """Tell the workers, and do not wait for their answers: one of them may have none."""

    def tell() -> None:
        # A cluster that has gone cannot be told, and one of which not all answer is not waited for.
        with suppress(OSError, RuntimeError, TimeoutError, CancelledError):
            client.run(stop_pieces, client.id, on_error="ignore")

    threading.Thread(target=tell, name="stop", daemon=True).start()


def _threads(client: Any) -> int:
    """Count the threads of the cluster's workers; 0 if it has gone."""
    if client.status != "running":
        return 0
    try:
        found = client.nthreads()
    except (OSError, TimeoutError, BrokenExecutor, ValueError):
        return 0
    return sum(found.values())


def _take(state: SearchState, piece: Piece, future: Any) -> None:
    if future.status == "cancelled":
        state.give_back(piece)
        return
    error = future.exception()
    if error is None:
        found: PieceFound | None = future.result()
        if found is None:
            state.give_back(piece)
        else:
            state.done(found)
    elif isinstance(error, BadInput):
        state.refuse(piece, error)
    else:
        state.lost(piece, f"a piece of work was lost on the cluster: {error!r}")
