"""Own a campaign on a Dask cluster: the same pieces of work, handed to its workers."""

from __future__ import annotations

import logging
import re
import time
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, CouldNotRun
from harness.explore.chunk_process import run_chunk_apart
from harness.report.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.explore.campaign import SearchState
    from harness.explore.chunk import Chunk, ChunkFound

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
    """Hand out pieces, two a worker's thread, and take what comes back until there are no more."""
    under_way: dict[Any, Chunk] = {}
    alive = time.monotonic()
    try:
        while True:
            workers = _threads(client)
            if workers:
                alive = time.monotonic()
            while workers and len(under_way) < 2 * workers:
                chunk = state.next()
                if chunk is None:
                    break
                future = client.submit(
                    run_chunk_apart, chunk, str(Path.cwd()), pure=False, retries=RETRIES
                )
                under_way[future] = chunk
            if workers and not under_way:
                return
            for future in [one for one in under_way if one.done()]:
                _take(state, under_way.pop(future), future)
            if time.monotonic() - alive > GONE_S:
                raise CouldNotRun(
                    f"--dask: the cluster at {address} went away, with"
                    f" {count(len(under_way), 'piece')} of work under way"
                )
            if state.interruption.by is not None:
                raise state.interruption.by
            time.sleep(LOOK_S)
    finally:
        client.close(timeout=1)


def _threads(client: Any) -> int:
    """Count the threads of the cluster's workers; 0 if it has gone."""
    if client.status != "running":
        return 0
    try:
        found = client.nthreads()
    except (OSError, TimeoutError, BrokenExecutor, ValueError):
        return 0
    return sum(found.values())


def _take(state: SearchState, chunk: Chunk, future: Any) -> None:
    if future.status == "cancelled":
        state.give_back(chunk)
        return
    error = future.exception()
    if error is None:
        found: ChunkFound = future.result()
        state.done(found)
    elif isinstance(error, BadInput):
        state.refuse(chunk, error)
    else:
        state.lost(chunk, f"a piece of work was lost on the cluster: {error!r}")
