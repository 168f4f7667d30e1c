"""A child that runs the code under test, and a parent that only waits for the child's verdict.

That code may end its process, hang in it, or be killed with it. The parent runs none of it, so it
can always say what became of the child. The two share a page of memory: what the child is at, how
many signals it has seen, and in the end its exit code. A parent that finds no exit code there says
UNKNOWN, whatever the child's process ended with.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import re
import select
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.processes import signals
from harness.processes.temporary import MEMORY_DISK, sweep

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["can_fork", "doing", "go_on_in_a_child", "verdict_is_out"]

# The bytes of the shared page: whether the end was told, with which code, how many signals came,
# and how long the text is that follows.
_TOLD, _CODE, _SIGNALS, _LENGTH, _TEXT = range(5)
TEXT_MAX = 255
# So long the child may go on once its verdict is out: to remove its files, and to end its threads.
END_WITHIN_S = 5.0
# So long it may take to see a signal that a terminal has sent to both.
SEE_WITHIN_S = 0.3
LOOK_S = 0.5
# The number of the request in Linux's prctl.h: send a signal when the parent ends.
PR_SET_PDEATHSIG = 1
UNKNOWN = 3
CRASH_MAX, PLACES_MAX = 65_536, 3
_HARNESS = str(Path(__file__).parents[1])

# Bound here: a simulated run refuses to the code under test what the harness itself needs.
_EXIT, _SLEEP, _NOW = os._exit, time.sleep, time.monotonic
_ON_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_page: mmap.mmap | None = None
_open_end: list[int] = []


def can_fork() -> bool:
    """Return False where a child would not be a faithful copy of this process, or of no use.

    A fork copies no other threads. Who steps through the program with a debugger steps on in one
    process; coverage's tracer goes along into the child.
    """
    trace = sys.gettrace()
    tracer = type(getattr(trace, "__self__", trace)).__module__
    is_stepped_through = trace is not None and not tracer.startswith("coverage")
    return hasattr(os, "fork") and threading.active_count() == 1 and not is_stepped_through


def doing(what: str) -> None:
    """Note what is run now, for the parent to tell if this process ends at it."""
    if _page is not None:
        text = what.encode(errors="backslashreplace")[-TEXT_MAX:]
        _page[_LENGTH] = len(text)
        _page[_TEXT : _TEXT + len(text)] = text


def verdict_is_out(code: object) -> None:
    """Tell the parent that all is judged and written, and with which code to end."""
    if _page is not None:
        _page[_CODE] = code if isinstance(code, int) and 0 <= code <= TEXT_MAX else bool(code)
        _page[_TOLD] = 1
        # Whoever waits at the other end sees that this one has been closed.
        while _open_end:
            os.close(_open_end.pop())


def go_on_in_a_child() -> None:
    """Return in a new child process; in this one wait for its end, and end as it said.

    The child has the terminal, standard input and all that was loaded. It ends with its parent.
    """
    global _page  # noqa: PLW0603 - a process has one parent
    page = mmap.mmap(-1, mmap.PAGESIZE)
    ends, mine = os.pipe()
    parent, crash = os.getpid(), _file_for_crashes()
    # What comes between the fork and the handlers waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ON_SIGNALS)
    child = os.fork()
    if child:
        os.close(mine)
        waiting = _Waiting(child, page, crash)
        waiting.listen()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        waiting.end(ends)
    _page = page
    os.close(ends)
    _open_end.append(mine)
    _end_with(parent)
    signals.on_signal(_signal_came)
    signals.end_on_signals()
    if crash is not None:
        faulthandler.enable(crash, all_threads=False)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _file_for_crashes() -> int | None:
    """Make a file in memory, in which a crash of C code leaves the lines of Python that led to it.

    None where somebody has crashes told already, or there are no such files.
    """
    if faulthandler.is_enabled() or not hasattr(os, "memfd_create"):
        return None
    with suppress(OSError):
        return os.memfd_create("crash")
    return None


def _end_with(parent: int) -> None:
    """Have this process killed when its parent is, as if they were one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        _EXIT(UNKNOWN)


def _signal_came() -> None:
    if _page is not None and _page[_SIGNALS] < TEXT_MAX:
        _page[_SIGNALS] += 1


class _Waiting:
    """The parent, while it waits for its child."""

    def __init__(self, child: int, page: mmap.mmap, crash: int | None) -> None:
        self._child = child
        self._page = page
        self._crash = crash
        self._passed_on: list[int] = []
        self._status: int | None = None

    def listen(self) -> None:
        """Pass signals on to the child; those that are ignored stay so."""
        for number in _ON_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._pass_on)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        """Let the child have a signal that was sent to this process alone.

        A terminal sends Ctrl-C to both, and then the child has seen as many as this process.
        """
        self._passed_on.append(number)
        if len(self._passed_on) >= signals.SIGNALS_MAX:
            # Others may come while this one is seen to: they must not wait, one inside the other.
            self._send(signal.SIGKILL)
            return
        count, until = len(self._passed_on), _NOW() + SEE_WITHIN_S
        while self._page[_SIGNALS] < count and _NOW() < until:
            _SLEEP(SEE_WITHIN_S / 60)
        if self._page[_SIGNALS] < count:
            self._send(number)

    def _send(self, number: int) -> None:
        # Once it has been waited for, its number may be another's.
        if self._status is None:
            os.kill(self._child, number)

    def end(self, ends: int) -> NoReturn:
        """Wait for the child, and end with its code, or say that it gave none."""
        # Its end closes the pipe, unless another process has it open by then.
        while not select.select([ends], [], [], LOOK_S)[0] and self._ended(os.WNOHANG) is None:
            pass
        until = _NOW() + END_WITHIN_S
        while self._page[_TOLD] and self._ended(os.WNOHANG) is None:
            if _NOW() > until:
                _say(
                    "harness: what the code under test has begun, such as a thread, still ran"
                    f" {END_WITHIN_S:g} s after the end; it was killed"
                )
                self._send(signal.SIGKILL)
                break
            _SLEEP(LOOK_S / 500)
        ended = self._ended(0)
        if ended or not self._page[_TOLD]:
            # It had no time to remove its files.
            for place in {MEMORY_DISK, Path(tempfile.gettempdir())}:
                sweep(place)
        code: int = self._page[_CODE]
        _EXIT(code if self._page[_TOLD] else self._without_verdict(ended or 0))

    def _ended(self, options: int) -> int | None:
        """Return the exit code of the child, or minus the signal; None if it has not ended."""
        if self._status is None:
            pid, status = os.waitpid(self._child, options)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def _without_verdict(self, ended: int) -> int:
        if self._passed_on:
            return 128 + self._passed_on[-1]
        length = self._page[_LENGTH]
        text = self._page[_TEXT : _TEXT + length].decode(errors="backslashreplace")
        places = "" if self._crash is None else _places(os.pread(self._crash, CRASH_MAX, 0))
        _say(f"UNKNOWN {text}\n  {_told(ended)}{places}; no report was written")
        return UNKNOWN


def _places(crash: bytes) -> str:
    """Say at which lines of the program, the last first, C code crashed."""
    found = re.findall(r'File "(.+)", line (\d+) in (.+)', crash.decode(errors="backslashreplace"))
    own = takewhile(lambda one: not one[0].startswith(_HARNESS), found)
    lines = [f"{file}:{line} in {function}" for file, line, function in own]
    return f", at {', called at '.join(lines[:PLACES_MAX])}" if lines else ""


def _told(ended: int) -> str:
    if ended >= 0:
        return (
            f"the process of the code under test ended itself, with exit code {ended}, before there"
            " was a verdict: os._exit() and os.exec*() do that, and code of C may"
        )
    try:
        name = signal.Signals(-ended).name
    except ValueError:
        name = f"signal {-ended}"
    why = ", perhaps for want of memory," if name == "SIGKILL" else ""
    return f"the process of the code under test was ended by {name}{why} before there was a verdict"


def _say(line: str) -> None:
    # Standard error may be closed.
    with suppress(OSError, AttributeError):
        os.write(sys.stderr.fileno(), f"{line}\n".encode(errors="backslashreplace"))
