"""The numbers of the process and of its threads, and what else only a process's past decides.

They say nothing about a run, so all runs are told the same.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from harness.processes.below_python import original

if TYPE_CHECKING:
    from types import FrameType

    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["NUMBER", "guard_process_identity"]

# What a run is told as the number of its process and of its thread. Linux numbers up to 2^22, so
# no process has it: a signal that is sent there by way of something unknown meets nobody.
NUMBER = 2**22 + 1

_kill, _frames = original(os.kill), original(sys._current_frames)
_getpgid = original(os.getpgid)
_getpid, _collect = original(os.getpid), original(gc.collect)


def guard_process_identity(patches: PreparedPatches) -> None:
    """Tell the same numbers in every process, and take them back where they name one."""

    def kill(pid: int, number: int, /) -> None:
        _kill(_getpid() if pid == NUMBER else pid, number)

    def frames() -> dict[int, FrameType]:
        found = _frames()
        if patches.thread in found:
            found[NUMBER] = found.pop(patches.thread)
        return found

    def real(ident: int) -> int:
        return patches.thread if ident == NUMBER else ident

    def collect(generation: int = 2) -> int:
        # How much there was to collect is a matter of all that the process did before.
        _collect(generation)
        return 0

    patches.replace_here(gc, "collect", collect)
    patches.replace_here(os, "getpid", lambda: NUMBER)
    patches.replace_here(os, "getppid", lambda: NUMBER - 1)
    patches.replace_here(os, "getpgrp", lambda: NUMBER)
    patches.replace_here(
        os, "getpgid", lambda pid, /: NUMBER if pid in {0, NUMBER} else _getpgid(pid)
    )
    patches.replace_here(os, "kill", kill)
    patches.replace_here(sys, "_current_frames", frames)
    patches.replace_here(threading, "get_ident", lambda: NUMBER)
    patches.replace_here(threading, "get_native_id", lambda: NUMBER)
    for module, name in ((signal, "pthread_kill"), (time, "pthread_getcpuclockid")):
        if hasattr(module, name):
            whole = original(getattr(module, name))
            patches.replace_here(
                module,
                name,
                lambda ident, *rest, whole=whole: whole(real(ident), *rest),
            )
    _guard_threads(patches)


class _Active(dict[int, threading.Thread]):
    """The register of threads, in which this one is found by the number that it is told."""

    here = 0

    def __missing__(self, ident: int) -> threading.Thread:
        if ident == NUMBER:
            return self[self.here]
        raise KeyError(ident)


def _guard_threads(patches: PreparedPatches) -> None:
    register: Any = vars(threading)

    def begin() -> None:
        with register["_active_limbo_lock"]:
            active = register["_active"] = _Active(register["_active"])
        active.here = patches.thread

    def put_back() -> None:
        with register["_active_limbo_lock"]:
            register["_active"] = dict(register["_active"])
            register["_active"].pop(NUMBER, None)

    patches.add(begin, put_back)
    whole = threading.Thread.__repr__

    def told(thread: threading.Thread) -> str:
        text = whole(thread)
        return text.replace(str(patches.thread), str(NUMBER)) if patches.acts() else text

    for name in ("ident", "native_id"):
        patches.replace(threading.Thread, name, _number(name, patches))
    patches.replace(threading.Thread, "__repr__", told)


def _number(name: str, patches: PreparedPatches) -> property:
    real = threading.Thread.__dict__[name].fget

    def number(thread: threading.Thread) -> int | None:
        found: int | None = real(thread)
        # A watchdog in a thread of its own must find the one that it watches.
        return NUMBER if patches.acts() and thread._ident == patches.thread else found  # type: ignore[attr-defined]

    return property(number)
