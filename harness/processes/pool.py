"""Worker processes: how they begin and end, and what becomes of the work at which one dies.

The pools are those of ``concurrent.futures``. loky's would not be simpler here: it starts workers
anew by itself, which hides whose work ended a worker, and it knows nothing of the parent's end.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as first_of
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import Terminated
from harness.processes.exits import end_worker_past_threads
from harness.processes.signals import keep_ringing
from harness.processes.temporary import remove_all

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from multiprocessing.process import BaseProcess

__all__ = ["Died", "end_with_parent", "ending_its_process", "in_workers", "open_pool"]

_Work = TypeVar("_Work")
_Found = TypeVar("_Found")

# After so many pieces of work at which a worker died alone, the rest is given up: all would.
DEATHS_MAX = 4
# The number of the request in Linux's prctl.h: send a signal when the parent ends.
PR_SET_PDEATHSIG = 1
# A worker that has not ended so long after it was terminated is terminated again.
TERMINATE_AGAIN_S = 0.5
# Bound here: a simulated run refuses it to the code under test.
_EXIT = os._exit
# So long a worker has to clean up after the run that it is in.
CLEAN_UP_S = 2.0
# How often whoever waits for workers looks at what else goes on.
LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Died:
    """The end of work that is lost: the worker that had nothing else to do died at it, twice.

    ``deaths`` counts such work. Once there is too much of it, the rest is ``given_up`` untried.
    """

    deaths: int
    given_up: bool = False


def in_workers(
    take: Callable[[], _Work | None],
    begin: Callable[[ProcessPoolExecutor, _Work], Future[_Found]],
    *,
    processes: int,
    at_once: int,
    initializer: Callable[[], None] | None = None,
    end_at_once: bool = False,
    look: Callable[[], object] = bool,
    on_death: Callable[[int], object] = bool,
    stopped: Callable[[], bool] = bool,
) -> Generator[tuple[_Work, Future[_Found] | Died]]:
    """Have worker processes carry out work; return each piece with its end, as they come.

    When a worker dies, all that was under way runs again, one piece at a time: so it is seen which
    of them ends its process. That one is lost, the others are not.

    ``take`` gives the next piece, None once there is no more; ``begin`` submits it to a pool. At
    most ``at_once`` are under way. ``look`` is called while workers are waited for; what it raises
    ends all. ``on_death`` is told how many pieces will run again, unless ``stopped`` says that all
    is to end. For ``initializer`` and ``end_at_once`` see ``open_pool``.
    """
    suspects, deaths = deque[_Work](), 0

    def suspect() -> _Work | None:
        return suspects.popleft() if suspects and not stopped() else None

    while not stopped():
        alone = bool(suspects)
        source, room, workers = (suspect, 1, 1) if alone else (take, at_once, processes)
        under_way: dict[Future[_Found], _Work] = {}
        try:
            with open_pool(workers, initializer=initializer, end_at_once=end_at_once) as pool:
                yield from _ends(source, partial(begin, pool), under_way, room=room, look=look)
        except BrokenProcessPool:
            if stopped():
                return
            if not alone:
                suspects.extend(under_way.values())
                on_death(len(suspects))
            else:
                deaths += 1
                yield from ((work, Died(deaths)) for work in under_way.values())
                if deaths == DEATHS_MAX:
                    break
        else:
            if not alone:
                return
    while (work := suspect() or take()) is not None:
        yield work, Died(deaths, given_up=True)


def _ends(
    take: Callable[[], _Work | None],
    begin: Callable[[_Work], Future[_Found]],
    under_way: dict[Future[_Found], _Work],
    *,
    room: int,
    look: Callable[[], object],
) -> Iterator[tuple[_Work, Future[_Found]]]:
    """Have one pool carry out work; when it breaks, ``under_way`` is what it was at."""
    while True:
        while len(under_way) < room and (work := take()) is not None:
            try:
                future = begin(work)
            except BrokenProcessPool as error:
                future = Future()
                future.set_exception(error)
            under_way[future] = work
        if not under_way:
            return
        look()
        for future in first_of(under_way, LOOK_S, FIRST_COMPLETED).done:
            if isinstance(future.exception(), BrokenProcessPool):
                future.result()
            yield under_way.pop(future), future


class _Pool(ProcessPoolExecutor):
    """A pool whose workers take no Ctrl-C, not even before they can say so themselves."""

    # What the workers have in their environment besides this process's.
    environment: Mapping[str, str] = MappingProxyType({})

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        # The first calls start the workers. What is blocked here stays blocked there.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        values = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        try:
            return super().submit(*arguments, **options)
        finally:
            for name, value in values.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def open_pool(
    processes: int,
    *,
    initializer: Callable[[], None] | None = None,
    end_at_once: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[ProcessPoolExecutor]:
    """Open worker processes; when the block is left by an error, work not begun is dropped.

    ``initializer`` runs in each worker, which then calls ``end_with_parent`` itself.
    ``end_at_once`` ends the workers, too, when an error comes: for work that notes what it finds,
    and that nobody has cancelled, since the pool would complain of what is cancelled twice.
    ``environment`` is added to that of the workers.

    Raises:
        BrokenProcessPool: From the pool's futures, when a worker died.
    """
    # Spawned, not forked: a fork copies locks and threads of the process that runs the harness.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with _Pool(processes, mp_context=context, initializer=initializer or end_with_parent) as pool:
        pool.environment = environment
        try:
            yield pool
        except BaseException:
            # All must have ended before what they wrote is read for the last time, and removed.
            if end_at_once:
                _end_workers(set(multiprocessing.active_children()) - others)
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def end_with_parent() -> None:
    """Have this worker end when the process that started it does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not the default, which would leave the run's temporary folder behind.
    signal.signal(signal.SIGTERM, _terminate_worker)
    signal.signal(signal.SIGALRM, _terminate_worker)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    end_worker_past_threads()
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        # It ended before it could be asked to tell: nobody else would end this worker.
        _EXIT(1)


@contextmanager
def ending_its_process() -> Iterator[None]:
    """Have a worker that is terminated in the middle of a run end, once the run is cleaned up.

    Its pool would take the exception for a result, and wait for work from a parent that has gone.
    """
    try:
        yield
    except Terminated as ended:
        remove_all()
        _EXIT(ended.code if isinstance(ended.code, int) else 1)


def _terminate_worker(_number: int, _frame: object) -> None:
    # Once more, and again: what is raised while an object is finalized, Python only prints.
    keep_ringing()
    signal.setitimer(signal.ITIMER_REAL, TERMINATE_AGAIN_S)
    raise Terminated(128 + signal.SIGTERM)


def _end_workers(workers: Iterable[BaseProcess]) -> None:
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
