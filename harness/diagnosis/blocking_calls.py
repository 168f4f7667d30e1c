"""Calls that block the thread of the loop: files, SQLite, processes, sockets, sleeps.

Python reports such calls to audit hooks. None can be removed, so the process has a single
hook, added when first needed. It does nothing outside of a run that looks for blocking calls.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from asyncio import events
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import module_of
from harness.diagnosis.places import place_of
from harness.history.parts import Part, part_of
from harness.history.records import BlockingCall
from harness.processes.patches import Patches, active

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["BlockingCalls"]

_BLOCKING = frozenset({
    "fcntl.flock", "fcntl.lockf", "glob.glob", "open", "os.listdir", "os.mkdir", "os.remove",
    "os.rename", "os.rmdir", "os.scandir", "os.system", "os.truncate", "shutil.copyfile",
    "shutil.copytree", "shutil.rmtree", "socket.connect", "socket.getaddrinfo",
    "socket.gethostbyaddr", "socket.gethostbyname", "socket.getnameinfo", "socket.sendmsg",
    "socket.sendto", "sqlite3.connect", "subprocess.Popen", "tempfile.mkdtemp",
    "tempfile.mkstemp", "urllib.Request",
})  # fmt: skip
# Python reads files by itself to import modules, and to show lines of them.
_READING = frozenset({"importlib", "_frozen_importlib", "_frozen_importlib_external", "linecache"})
# What stands between the program and a function of C that is replaced while it runs.
_BETWEEN = frozenset({
    __name__, "harness.processes.below_python", "harness.processes.prepared_patches",
    "harness.simulated.guards.chance", "harness.simulated.guards.sqlite_functions",
})  # fmt: skip
_SUBJECT_LENGTH_MAX = 80
_KEPT_MAX = 1_000

_hooked = False


class BlockingCalls:
    """Keeps, while open, the blocking calls that a program makes while its loop runs.

    Calls in an executor, where no loop runs, do not count; nor do those of imports, of asyncio
    itself and of the harness. ``clock`` returns the seconds of the run. For SQLite, every statement
    counts on connections that ``sqlite3.connect()`` opened meanwhile, by their trace callback.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._patches = Patches(self)
        self._clock = clock
        self._found: dict[tuple[str, str, str], BlockingCall] = {}
        self._counts: dict[tuple[str, str, str], int] = {}

    def __enter__(self) -> BlockingCalls:
        global _hooked  # noqa: PLW0603 - audit hooks are the process's, so is this
        self._patches.open()
        if not _hooked:
            sys.addaudithook(_heard)
            _hooked = True
        connect, sleep = sqlite3.connect, time.sleep

        def traced(*arguments: Any, **options: Any) -> Any:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(_executed)
            return connection

        def slept(seconds: float) -> None:
            # CPython reports it to audit hooks from 3.12 on only.
            self.heard("time.sleep", (str(seconds),), sys._getframe(1))
            sleep(seconds)

        self._patches.replace(sqlite3, "connect", traced)
        self._patches.replace(time, "sleep", slept)
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()

    def found(self) -> tuple[BlockingCall, ...]:
        """Return what was seen, each line once for each subject, in order."""
        return tuple(
            BlockingCall(
                what=call.what,
                subject=call.subject,
                where=call.where,
                at_s=call.at_s,
                count=self._counts[key],
            )
            for key, call in self._found.items()
        )

    def heard(self, event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> None:
        """Keep a call if the loop's thread made it, outside of an executor."""
        if not self._patches.acts() or events._get_running_loop() is None:
            return
        if _is_harmless(event, arguments):
            return
        caller = _caller(frame)
        if caller is None:
            return
        where = place_of(caller.f_code, caller.f_lineno)
        key = (event, _subject(arguments), where)
        self._counts[key] = self._counts.get(key, 0) + 1
        if key not in self._found and len(self._found) < _KEPT_MAX:
            self._found[key] = BlockingCall(
                what=event, subject=key[1], where=where, at_s=self._clock()
            )


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _BLOCKING:
        return
    watch = active(BlockingCalls)
    if watch is not None:
        watch.heard(event, arguments, sys._getframe(1))


def _executed(statement: str) -> None:
    watch = active(BlockingCalls)
    if watch is not None:
        watch.heard("sqlite3.execute", (statement,), sys._getframe(1))


def _is_harmless(event: str, arguments: tuple[Any, ...]) -> bool:
    """Return True for what does not wait: a descriptor that is open, a socket that never blocks."""
    if event == "open":
        return isinstance(arguments[0], int)
    if event.startswith("socket.") and hasattr(arguments[0], "gettimeout"):
        return bool(arguments[0].gettimeout() == 0)
    return False


def _caller(frame: FrameType | None) -> FrameType | None:
    """Find the program's line behind a call; None if an import, asyncio or the harness made it."""
    while frame is not None:
        module = module_of(frame)
        part = part_of(module)
        if part is Part.PROGRAM:
            return frame
        ours = part is Part.ASYNCIO or (part.is_harness and module not in _BETWEEN)
        if ours or module.partition(".")[0] in _READING:
            return None
        frame = frame.f_back
    return None


def _subject(arguments: tuple[Any, ...]) -> str:
    first = next((value for value in arguments if isinstance(value, (str, bytes, os.PathLike))), "")
    first = os.fspath(first)
    text = first.decode(errors="replace") if isinstance(first, bytes) else first
    return " ".join(text.split())[:_SUBJECT_LENGTH_MAX]
