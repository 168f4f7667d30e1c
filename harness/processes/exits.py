"""The end of this process: threads that the code under test began and never ends do not hold it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.processes.apart import verdict_is_out
from harness.processes.below_python import original
from harness.processes.temporary import remove_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["end_past_threads", "end_worker_past_threads", "lasting_threads"]

# Seconds that threads have to end by themselves, once all else is done.
ENDS_WITHIN_S = 1.0
_REAL_CLOCK = original(time.monotonic)


def end_past_threads(code: int, *, say: Callable[[str], None]) -> None:
    """End the process with a code if threads would keep it from ending; else return.

    Python waits for every thread at its end, for one that never ends as well.
    """
    lasting = lasting_threads()
    if not lasting:
        return
    say(
        f"harness: threads of the code under test have not ended ({_named(lasting)}); the process"
        " ends without them"
    )
    with suppress(Exception):
        atexit._run_exitfuncs()
    remove_all()
    verdict_is_out(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def end_worker_past_threads() -> None:
    """Have this worker process end, once its work is done, whatever threads are left in it."""
    from multiprocessing.util import Finalize  # noqa: PLC0415 - only a worker needs it

    Finalize(None, _end_worker, exitpriority=-1)


def _end_worker() -> None:
    if lasting_threads():
        remove_all()
        os._exit(0)


def lasting_threads(*, within_s: float = ENDS_WITHIN_S) -> list[threading.Thread]:
    """List the threads that Python would wait for and that do not end within some seconds."""
    until_s = _REAL_CLOCK() + within_s
    here = threading.current_thread()
    found = [
        one
        for one in threading.enumerate()
        if one is not here and one is not threading.main_thread() and not one.daemon
    ]
    for one in found:
        # A pool's threads are told to end only at the end of the process: that they end is known.
        if not _is_of_a_pool(one):
            one.join(max(0.0, until_s - _REAL_CLOCK()))
    return [one for one in found if one.is_alive() and not _is_idle(one)]


def _is_of_a_pool(thread: threading.Thread) -> bool:
    from concurrent.futures import thread as pools  # noqa: PLC0415 - seldom needed

    return thread in pools._threads_queues


def _is_idle(thread: threading.Thread) -> bool:
    """Return True for a thread of a pool that waits for work."""
    if not _is_of_a_pool(thread):
        return False
    from concurrent.futures import thread as pools  # noqa: PLC0415 - seldom needed

    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code is pools._worker.__code__


def _named(threads: Iterable[threading.Thread]) -> str:
    return ", ".join(one.name for one in threads)
