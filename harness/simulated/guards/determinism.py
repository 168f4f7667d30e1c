"""The guards of a run: time, randomness and order come from its seed, not from the machine."""

from __future__ import annotations

import _socket
import _thread
import asyncio
import concurrent.futures
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.diagnosis.places import running_place
from harness.errors import FailureFound, Unsupported
from harness.processes.patches import Patches
from harness.processes.prepared_patches import PreparedPatches
from harness.simulated.guards.chance import Chance
from harness.simulated.guards.clocks import EPOCH_S, guard_clocks, guard_time_zone
from harness.simulated.guards.process_identity import guard_process_identity
from harness.simulated.guards.serial_hashes import SerialHashes
from harness.simulated.guards.task_sets import CreationOrder, ordered_set
from harness.simulated.guards.unsupported_calls import refusal

if TYPE_CHECKING:
    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["EPOCH_S", "Guards"]

_NETWORK = (
    "there is no real network; hand the service a simulated partner, or run the scenario live"
)
_SIGNAL_WAIT = "signals arrive in real time; call what the handler would call"
_PROCESS = "a process runs in real time; model it as a SimPy process, or run the scenario live"
_END = "it would end or replace the process of the run, and no verdict be left; raise SystemExit"
_POOL = "its threads run in real time; use loop.run_in_executor(pool, ...) or asyncio.to_thread"
_THREAD = "a thread runs in real time; use asyncio.to_thread"
# The ways below ``threading`` in which CPython's releases start a thread.
_STARTS = ("start_new_thread", "start_new", "start_joinable_thread")
_POOLS = concurrent.futures.ThreadPoolExecutor


class Guards:
    """Puts time, randomness and the order of task sets under the seed while it is open.

    Guarded on the thread that opened it, and on no other:

    * the clocks of ``time``, ``datetime`` and ``os`` tell virtual time, in UTC;
    * ``random`` is seeded, ``random.Random()`` and the generators of modules seed themselves from
      the seed; ``os.urandom``, ``/dev/urandom``, ``secrets``, ``ssl``, ``uuid.uuid1`` and
      ``uuid4`` draw from it, as does SQLite's ``random()``;
    * the process and its threads have one number everywhere;
    * ``asyncio.all_tasks`` and ``asyncio.as_completed`` go by the order of creation, sets of
      futures by the order in which these were put into one;
    * if ``strict``, real sleep on the loop fails the run, with its line;
    * and, if ``strict``, threads, pools, sockets, processes, further event loops and calls that end
      or replace this process raise ``Unsupported``.

    Functions of C are reached wherever they were imported, where the layout of CPython is known
    (see ``harness.processes.below_python``). The time zone is the whole process's. All is put back
    at the end, whatever happens.

    Not guarded, because CPython offers no handle on it: the order of sets of strings
    (PYTHONHASHSEED), and of sets of plain objects, which hash by their address.
    """

    def __init__(self, loop: VirtualLoop, *, strict: bool = True) -> None:
        self._loop = loop
        self._strict = strict
        self._patches = Patches(
            self,
            Unsupported(
                "simulate() inside simulate(), or in two threads at once: a run guards the modules"
                " of the whole process; let one end before the next begins"
            ),
        )

    def __enter__(self) -> Guards:
        self._patches.open()
        try:
            self._guarded = _guarded(self._strict)
            self._patches.on_close(self._guarded.close)
            self._guarded.open(self._loop)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()

    def rebind(self, loop: VirtualLoop) -> None:
        """Guard the next run, on a loop of its own, as if the guards had been opened for it.

        To open them costs more than many a run: a search opens them once.
        """
        self._guarded.rebind(loop)


@cache
def _guarded(strict: bool) -> _Guarded:
    """Return what is replaced: one pair of guards is open at a time, so all can share it."""
    return _Guarded(strict=strict)


class _Guarded:
    """All that guards replace, for whichever loop they are open for."""

    def __init__(self, *, strict: bool) -> None:
        self._loop: VirtualLoop
        self._patches = PreparedPatches()
        guard_time_zone(self._patches)
        guard_clocks(self._patches, self._now, self._failed)
        guard_process_identity(self._patches)
        self._chance = Chance(self._patches, lambda: self._loop.randomness, self._now)
        self._hashes = SerialHashes()
        self._guard_order()
        if strict:
            self._guard_the_outside()

    def open(self, loop: VirtualLoop) -> None:
        """Replace everything on this thread, for this loop."""
        self._loop = loop
        self._patches.open()
        self._chance.begin()
        self._begin_order()

    def close(self) -> None:
        """Put everything back."""
        self._patches.close()

    def rebind(self, loop: VirtualLoop) -> None:
        """Go on with another loop as if everything had been replaced for it."""
        self._loop = loop
        self._chance.begin_anew()
        self._begin_order()

    def _now(self) -> float:
        loop = self._loop
        # Executors that were never asked for have not slept either.
        executors = loop.__dict__.get("executors")
        return float(loop.environment.now) + (executors.slept_s if executors else 0.0)

    def _failed(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "datetime.now() failed", "exception": error})

    def _guard_order(self) -> None:
        tasks = sys.modules["asyncio.tasks"]
        self._patches.replace(tasks, "set", ordered_set)
        for name in ("_all_tasks", "_scheduled_tasks"):  # until CPython 3.11, from 3.12
            if hasattr(tasks, name):
                self._patches.replace(tasks, name, CreationOrder(getattr(tasks, name)))
        # Both count names through a whole process.
        self._patches.replace(_POOLS, "_counter", None)
        self._patches.replace(threading, "_counter", None)
        self._hashes.guard(self._patches)

    def _begin_order(self) -> None:
        self._hashes.begin(self._loop)
        _POOLS._counter = itertools.count().__next__  # type: ignore[attr-defined]
        threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]

    def _guard_the_outside(self) -> None:
        self._patches.replace_here(time, "sleep", self._sleep)
        self._refuse(concurrent.futures.ThreadPoolExecutor, "submit", _POOL)
        self._refuse(threading.Thread, "start", _THREAD)
        for name in _STARTS:
            if hasattr(_thread, name):
                self._refuse(_thread, name, _THREAD)
        for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
            self._refuse(socket.socket, name, _NETWORK)
        for name in ("getaddrinfo", "gethostbyname"):
            self._refuse(_socket, name, _NETWORK)
        self._refuse(subprocess.Popen, "__init__", _PROCESS)
        for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
            if hasattr(os, name):
                self._refuse(os, name, _PROCESS)
        # All others of exec's family come down to these two.
        for name in ("_exit", "abort", "execv", "execve"):
            self._refuse(os, name, _END)
        for name in ("pause", "sigwait", "sigwaitinfo", "sigtimedwait"):
            if hasattr(signal, name):
                self._refuse(signal, name, _SIGNAL_WAIT)
        a_loop = "a second loop would wait in real time; await it on this one"
        for module in (asyncio, sys.modules["asyncio.events"]):
            self._refuse(module, "new_event_loop", a_loop)

    def _sleep(self, seconds: float) -> None:
        loop = self._loop
        executors = loop.__dict__.get("executors")
        if executors is not None and executors.running:
            executors.sleep(seconds)
        elif seconds:
            text = (
                f"time.sleep({seconds!r}) at {running_place(sys._getframe(1))} blocks the event"
                " loop: use `await asyncio.sleep()`, or call the blocking function with"
                " asyncio.to_thread"
            )
            # Code that takes every error takes this one, too.
            loop.unhandled.append(text)
            raise FailureFound(text)

    def _refuse(self, owner: Any, name: str, advice: str) -> None:
        self._patches.replace_here(owner, name, refusal(f"{owner.__name__}.{name}", advice))
