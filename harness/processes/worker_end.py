"""Own the end of worker processes that are not waited for any longer."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.process import BaseProcess

__all__ = ["children", "end_workers"]

# So long a worker has to clean up after the run that it is in.
CLEAN_UP_S = 2.0


def children() -> set[BaseProcess]:
    """Return the processes that this one has started and that are alive."""
    return set(multiprocessing.active_children())


def end_workers(workers: Iterable[BaseProcess]) -> None:
    """Terminate workers, and kill those that do not end soon; when it returns, none is left."""
    left = {one.sentinel: one for one in workers}
    for one in left.values():
        one.terminate()
    until = time.monotonic() + CLEAN_UP_S
    while left and time.monotonic() < until:
        for sentinel in wait(list(left), timeout=max(0.0, until - time.monotonic())):
            del left[sentinel]  # type: ignore[arg-type]
    for one in left.values():
        one.kill()
    while left:
        for sentinel in wait(list(left)):
            del left[sentinel]  # type: ignore[arg-type]
