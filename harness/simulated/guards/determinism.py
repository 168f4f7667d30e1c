"""The guards of a run: time, randomness and order come from its seed, not from the machine."""

from __future__ import annotations

import _random
import asyncio
import concurrent.futures
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from harness.errors import Unsupported
from harness.processes.patches import Patches
from harness.simulated.guards.task_sets import CreationOrder, ordered_set
from harness.simulated.guards.unsupported_calls import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["EPOCH_S", "Guards"]

# What time.time() says when a run begins: 2026-01-01T00:00:00Z.
EPOCH_S = 1_767_225_600

_SEED = _random.Random.seed
_REFERENCES = 2
_NETWORK = (
    "there is no real network; hand the service a simulated partner, or run the scenario live"
)
_PROCESS = "a process runs in real time; model it as a SimPy process, or run the scenario live"
_POOL = "its threads run in real time; use loop.run_in_executor(pool, ...) or asyncio.to_thread"


class Guards:
    """Puts time, randomness and the order of task sets under the seed while it is open.

    Guarded on the thread that opened it, and on no other:

    * ``time.time``, ``monotonic``, ``perf_counter`` and their ``_ns`` forms tell virtual time;
    * ``random`` is seeded, ``random.Random()`` seeds itself from the seed, ``os.urandom``,
      ``secrets``, ``random.SystemRandom``, ``uuid.uuid1`` and ``uuid4`` draw from it;
    * ``asyncio.all_tasks`` and ``asyncio.as_completed`` go by the order of creation;
    * and, if ``strict``, real sleep, threads, pools, sockets, processes and further event loops
      raise ``Unsupported``.

    All is put back at the end, whatever happens. Not guarded, because CPython offers no handle on
    it: ``datetime.now()``, a function imported by name before the run (``from time import time``),
    the order of sets of strings (PYTHONHASHSEED), and of sets of bare futures.
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
        self._random_state: Any = None
        self._seeds_late: bool | None = None
        self._stale = False

    def __enter__(self) -> Guards:
        self._patches.open()
        self._random_state = random.getstate()
        try:
            self._guard_time()
            self._guard_randomness()
            self._guard_order()
            if self._strict:
                self._guard_the_outside()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()
        random.setstate(self._random_state)

    def rebind(self, loop: VirtualLoop) -> None:
        """Guard the next run, on a loop of its own, as if the guards had been opened for it.

        To open them costs more than many a run: a search opens them once. And to seed ``random``
        costs more than many a run draws from it: it is seeded at the first draw where that is safe.
        """
        self._loop = loop
        if self._seeds_late is None:
            self._seeds_late = self._seed_late()
        if self._seeds_late:
            self._stale = True
            self._forget_names()
        else:
            self._seed_anew()

    def _seed_late(self) -> bool:
        """Have ``random``'s functions seed first; False if somebody holds one of them already."""
        names = [name for name, one in vars(random).items() if _is_shared_generators(one)]
        # One reference is the module's, one is the call's: a third is "from random import ...".
        if any(sys.getrefcount(getattr(random, name)) > _REFERENCES for name in names):
            return False
        for name in names:
            self._patches.replace(random, name, self._seeding_first(getattr(random, name)))
        return True

    def _seeding_first(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def seeding_first(*args: Any, **kwargs: Any) -> Any:
            if self._stale:
                self._seed_anew()
            return function(*args, **kwargs)

        return seeding_first

    def _guard_time(self) -> None:
        def now() -> float:
            loop = self._loop
            # Executors that were never asked for have not slept either.
            executors = loop.__dict__.get("executors")
            return float(loop.environment.now) + (executors.slept_s if executors else 0.0)

        def now_ns() -> int:
            return round(now() * 1e9)

        for name in ("monotonic", "perf_counter"):
            self._patches.replace_here(time, name, now)
            self._patches.replace_here(time, f"{name}_ns", now_ns)
        self._patches.replace_here(time, "time", lambda: EPOCH_S + now())
        self._patches.replace_here(time, "time_ns", lambda: EPOCH_S * 1_000_000_000 + now_ns())

    def _guard_randomness(self) -> None:
        real_bytes = os.urandom
        seed_method = random.Random.seed
        thread = self._patches.thread

        def seed(generator: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None and threading.get_ident() == thread and not _importing():
                a = self._loop.randomness.stream("random.Random()").getrandbits(64)
            seed_method(generator, a, version)

        def urandom(size: int) -> bytes:
            if _importing():
                return real_bytes(size)
            return self._loop.randomness.stream("os.urandom").randbytes(size)

        self._patches.replace_here(os, "urandom", urandom)
        self._patches.replace_here(random, "_urandom", urandom)
        self._patches.replace(random.Random, "seed", seed)
        self._patches.replace(tempfile, "_name_sequence", None)
        # Without the system's generator uuid1 makes its number itself: from time and these two.
        self._patches.replace(uuid, "_generate_time_safe", None)
        self._patches.replace(uuid, "_last_timestamp", None)
        # The multicast bit marks a node number that was drawn, and is nobody's address.
        self._patches.replace_here(uuid, "getnode", lambda: self._node_key() % 2**48 | 1 << 40)
        self._seed_anew()

    def _node_key(self) -> int:
        return self._loop.randomness.key("uuid.getnode")

    def _seed_anew(self) -> None:
        """Let all that is drawn follow from the loop's seed, and nothing from an earlier run."""
        self._stale = False
        # Past our own guard of seed(), and past what it does for seeds that are no numbers.
        _SEED(random._inst, self._loop.randomness.key("random"))
        random._inst.gauss_next = None  # type: ignore[attr-defined]
        self._forget_names()

    @staticmethod
    def _forget_names() -> None:
        # Its names come from a generator of its own, which would go on where the last run left it.
        tempfile._name_sequence = None  # type: ignore[attr-defined]
        uuid._last_timestamp = None  # type: ignore[attr-defined]

    def _guard_order(self) -> None:
        tasks = sys.modules["asyncio.tasks"]
        self._patches.replace(tasks, "set", ordered_set)
        for name in ("_all_tasks", "_scheduled_tasks"):  # until CPython 3.11, from 3.12
            if hasattr(tasks, name):
                self._patches.replace(tasks, name, CreationOrder(getattr(tasks, name)))

    def _guard_the_outside(self) -> None:
        self._patches.replace_here(time, "sleep", self._sleep)
        self._refuse(concurrent.futures.ThreadPoolExecutor, "submit", _POOL)
        self._refuse(threading.Thread, "start", "a thread runs in real time; use asyncio.to_thread")
        for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
            self._refuse(socket.socket, name, _NETWORK)
        for name in ("getaddrinfo", "gethostbyname"):
            self._refuse(socket, name, _NETWORK)
        self._refuse(subprocess.Popen, "__init__", _PROCESS)
        for name in ("fork", "posix_spawn", "system"):
            if hasattr(os, name):
                self._refuse(os, name, _PROCESS)
        a_loop = "a second loop would wait in real time; await it on this one"
        for module in (asyncio, sys.modules["asyncio.events"]):
            self._refuse(module, "new_event_loop", a_loop)

    def _sleep(self, seconds: float) -> None:
        if not self._loop.executors.running:
            raise Unsupported(
                f"time.sleep({seconds!r}) blocks the event loop: use `await asyncio.sleep()`,"
                " or call the blocking function with asyncio.to_thread"
            )
        self._loop.executors.sleep(seconds)

    def _refuse(self, owner: Any, name: str, advice: str) -> None:
        self._patches.replace_here(owner, name, refusal(f"{owner.__name__}.{name}", advice))


def _is_shared_generators(function: object) -> bool:
    return getattr(function, "__self__", None) is random._inst


def _importing() -> bool:
    """Return True while a module is being imported.

    What a module draws when it is imported it draws in the first run of a process only: if that
    came from the seed, all later draws of that run would be others than in the second run.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False
