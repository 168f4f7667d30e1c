"""The sources of chance of a run: all of them draw from its seed, however they were imported."""

from __future__ import annotations

import _random
import builtins
import io
import os
import random
import sys
import tempfile
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.errors import Unsupported
from harness.processes.below_python import original
from harness.simulated.guards.clocks import EPOCH_S
from harness.simulated.guards.late_modules import guard_modules
from harness.simulated.guards.module_generators import ModuleGenerators
from harness.simulated.guards.sqlite_functions import guard_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from harness.choices.randomness import Randomness
    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["Chance"]

_SEED = _random.Random.seed
_REFERENCES = 2
_DEVICES = frozenset({"/dev/random", "/dev/urandom"})
_urandom, _open, _os_open = original(os.urandom), original(builtins.open), original(os.open)


class Chance:
    """Puts ``random``, ``os.urandom`` and all that rests on them under the seed of a run.

    ``randomness`` returns that of the run that is under way, ``now`` its seconds.
    """

    def __init__(
        self,
        patches: PreparedPatches,
        randomness: Callable[[], Randomness],
        now: Callable[[], float],
    ) -> None:
        self._patches, self._randomness, self._now = patches, randomness, now
        self._state: Any = None
        # Functions of ``random`` that seed first; None while it is not known whether they can.
        self._seeding: dict[str, Any] | None = None
        self._stale = False
        self._generators = ModuleGenerators(lambda name: randomness().key(name))
        patches.add(self._keep, self._give_back)
        self._generators.guard(patches)
        self._guard_bytes()
        self._guard_generators()
        self._guard_names()
        guard_modules(patches, {"_ssl": self._guard_ssl, "_sqlite3": self._guard_sqlite})

    def begin(self) -> None:
        """Begin the first run."""
        self._seed_anew()
        self._generators.begin_anew()

    def begin_anew(self) -> None:
        """Begin the next run as if the guards had been opened for it.

        To seed ``random`` costs more than many a run draws from it: it is seeded at the first draw
        where that is safe.
        """
        if self._seeding is None:
            self._seeding = self._seed_late()
        if self._seeding:
            self._stale = True
            self._forget_names()
        else:
            self._seed_anew()
        self._generators.begin_anew()

    def _keep(self) -> None:
        # It draws names, the first time that a process asks for it: so it is asked before the seed.
        with suppress(OSError):
            tempfile.gettempdir()
        self._state = random.getstate()

    def _give_back(self) -> None:
        for name, function in (self._seeding or {}).items():
            setattr(random, name, function)
        self._seeding = None
        if self._state is not None:
            random.setstate(self._state)

    def _seed_late(self) -> dict[str, Any]:
        """Have ``random``'s functions seed first; nothing if somebody holds one of them already."""
        names = [name for name, one in vars(random).items() if _is_shared_generators(one)]
        # One reference is the module's, one is the call's: a third is "from random import ...".
        if any(sys.getrefcount(getattr(random, name)) > _REFERENCES for name in names):
            return {}
        found = {name: getattr(random, name) for name in names}
        for name, function in found.items():
            setattr(random, name, self._seeding_first(function))
        return found

    def _seeding_first(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def seeding_first(*args: Any, **kwargs: Any) -> Any:
            if self._stale:
                self._seed_anew()
            return function(*args, **kwargs)

        return seeding_first

    def _guard_bytes(self) -> None:
        patches = self._patches
        patches.replace_here(os, "urandom", self._bytes)
        patches.replace_here(random, "_urandom", self._bytes)
        if hasattr(os, "getrandom"):
            patches.replace_here(os, "getrandom", self._random_bytes)
        patches.replace_here(builtins, "open", self._opened)
        patches.replace_here(os, "open", self._descriptor)

    def _guard_generators(self) -> None:
        """Have a generator that is given no seed draw one from the run's."""
        seed_method, patches = random.Random.seed, self._patches

        def seed(generator: random.Random, a: Any = None, version: int = 2) -> None:
            if a is None and patches.acts() and not _importing():
                a = self._randomness().stream("random.Random()").getrandbits(64)
            seed_method(generator, a, version)

        patches.replace(random.Random, "seed", seed)
        if _random.Random.__flags__ & _IMMUTABLE:
            return

        def seed_of_c(generator: _random.Random, a: Any = None, /) -> None:
            if a is None and patches.acts() and not _importing():
                a = self._randomness().stream("_random.Random()").getrandbits(64)
            _SEED(generator, a)

        def begin(generator: _random.Random, *given: Any) -> None:
            seed_of_c(generator, *given)

        patches.replace(_random.Random, "seed", seed_of_c)
        patches.replace(_random.Random, "__init__", begin)

    def _guard_names(self) -> None:
        """Have names that must be new be drawn anew in each run."""
        patches = self._patches
        patches.replace(tempfile, "_name_sequence", None)
        # Without the system's generator uuid1 makes its number itself: from time and these two.
        patches.replace(uuid, "_generate_time_safe", None)
        for name in _LAST_OF_UUID:
            patches.replace(uuid, name, None)
        patches.replace(uuid, "_node", None)
        # What a process asks for its number, the first time that somebody wants to know.
        patches.replace(uuid, "_GETTERS", [self._node])

    def _guard_ssl(self, ssl: ModuleType) -> None:
        for name in ("RAND_bytes", "RAND_pseudo_bytes"):
            if hasattr(ssl, name):
                both = (lambda drawn: (drawn, True)) if "pseudo" in name else lambda drawn: drawn
                self._patches.replace_here(
                    ssl, name, lambda size, both=both: both(self._bytes(size))
                )

    def _guard_sqlite(self, sqlite: ModuleType) -> None:
        guard_sqlite(
            self._patches,
            sqlite,
            stream=lambda: self._randomness().stream("sqlite random()"),
            wall=lambda: EPOCH_S + self._now(),
        )

    def _random_bytes(self, size: int, flags: int = 0) -> bytes:
        del flags
        return self._bytes(size)

    def _bytes(self, size: int, /) -> bytes:
        if _importing():
            return _urandom(size)
        return self._randomness().stream("os.urandom").randbytes(size)

    def _opened(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if file in _DEVICES if isinstance(file, str) else str(file) in _DEVICES:
            return io.BufferedReader(_Device(self._bytes))
        return _open(file, mode, *args, **kwargs)

    def _descriptor(self, path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path) in _DEVICES:
            raise Unsupported(
                f"os.open({str(path)!r}): not available inside a simulation: what a descriptor"
                " gives is not under the seed; use os.urandom, or open()"
            )
        return _os_open(path, *args, **kwargs)

    def _seed_anew(self) -> None:
        """Let all that is drawn follow from the loop's seed, and nothing from an earlier run."""
        self._stale = False
        # Past our own guard of seed(), and past what it does for seeds that are no numbers.
        _SEED(random._inst, self._randomness().key("random"))
        random._inst.gauss_next = None  # type: ignore[attr-defined]
        self._forget_names()

    def _forget_names(self) -> None:
        # Its names come from a generator of its own, which would go on where the last run left it.
        tempfile._name_sequence = None  # type: ignore[attr-defined]
        vars(uuid).update(_FORGOTTEN)

    def _node(self) -> int:
        # The multicast bit marks a number that was drawn, and is nobody's address.
        return self._randomness().key("uuid.getnode") % 2**48 | 1 << 40


_IMMUTABLE = 1 << 8
# The last moment of each version that has one, and what goes with it.
_LAST_OF_UUID = tuple(name for name in vars(uuid) if name.startswith("_last_timestamp"))


_FORGOTTEN = dict.fromkeys((*_LAST_OF_UUID, "_node"))


class _Device(io.RawIOBase):
    """What reads like the machine's device of random bytes."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw

    def readable(self) -> bool:
        """Return True: there is no end of it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the whole buffer."""
        buffer[:] = self._draw(len(buffer))
        return len(buffer)


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
