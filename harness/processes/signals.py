"""The signals that end this process: what they raise, and that none is lost."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from harness.errors import Terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = [
    "SIGNALS_MAX",
    "Interruption",
    "Interrupts",
    "end_on_signals",
    "is_interruption",
    "keep_ringing",
    "on_signal",
    "put_back",
    "raise_again",
    "taken",
    "unwind_on_signals",
]

# Whoever asks so often does not want to wait for anything to be cleaned up.
SIGNALS_MAX = 3
# Those that a search takes softly at first.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_EXIT = os._exit
_come: list[int] = []
_owed: list[int] = []
_told: list[Callable[[], object]] = []
_rings: list[bool] = []


def end_on_signals() -> None:
    """Have SIGTERM, SIGHUP and Ctrl-C raise, so that all is cleaned up; the third ends at once."""
    _come.clear()
    _owed.clear()
    signal.signal(signal.SIGTERM, _end)
    # Who is started in the background of a script ignores the one, who is to outlive its terminal
    # the other.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)


def on_signal(tell: Callable[[], object]) -> None:
    """Have a function called at each signal that comes, before what it raises."""
    _told[:] = [tell]


def raise_again() -> None:
    """Raise what a signal raised before, if the code under test has taken it.

    Code that takes everything takes this, too; and what is raised while an object is finalized
    Python only prints.
    """
    if _owed:
        _raise(_owed[-1])


def taken() -> None:
    """Note that what was raised has been taken by whoever is to take it."""
    _owed.clear()


def unwind_on_signals() -> None:
    """Make SIGTERM and SIGHUP raise ``SystemExit``, where nobody has decided otherwise.

    Python's default is to die at once, past every ``finally``. A handler that somebody else has
    installed stays. Signals can only be handled from the main thread: elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _unwind)


# What code under test may set, and what would end this process after its run.
_CHANGED = tuple(
    getattr(signal, name)
    for name in ("SIGALRM", "SIGINT", "SIGTERM", "SIGHUP", "SIGPROF", "SIGUSR1", "SIGUSR2")
)


def keep_ringing() -> None:
    """Note that the alarm is what ends this process: ``put_back`` leaves it then."""
    _rings.append(True)


@contextmanager
def put_back() -> Iterator[None]:
    """Put back, when a run has ended, the handlers and the alarm that code under test has set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.getsignal(number) for number in _CHANGED]
    had_alarm = signal.getitimer(signal.ITIMER_REAL)[0] > 0
    yield
    # Not what ends a worker: that rings again until it is heard.
    if not had_alarm and not _rings:
        signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    for number, handler in zip(_CHANGED, before, strict=True):
        # None is a handler of C, which cannot be set from here.
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def is_interruption(error: BaseException) -> bool:
    """Return True for what interrupts a process, if nothing more is known of it."""
    return isinstance(error, (KeyboardInterrupt, Terminated))


class Interrupts:
    """Knows, within ``with``, whether somebody interrupted this process.

    A program may raise KeyboardInterrupt by itself: that is its own error, and no Ctrl-C.
    """

    def __init__(self) -> None:
        self._came = False
        self._before: Callable[[int, FrameType | None], object] | None = None

    def came(self, error: BaseException) -> bool:
        """Return True if an error was raised by whoever ends this process, not by the program."""
        if isinstance(error, KeyboardInterrupt):
            return self._came
        return isinstance(error, Terminated)

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._before = handler
                signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _take(self, number: int, frame: FrameType | None) -> object:
        self._came = True
        return None if self._before is None else self._before(number, frame)


class Interruption:
    """Keeps what the first signal would have raised in ``by``, for whoever looks between two runs.

    The second signal raises as it would have without this, wherever the process is.
    """

    def __init__(self) -> None:
        self.by: BaseException | None = None
        self.at_once = False

    def came(self) -> bool:
        """Return True if the search is to end."""
        return self.by is not None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals that would raise; others, such as those ignored, stay as they are."""
        before: dict[signal.Signals, Callable[[int, FrameType | None], object]] = {}
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    before[number] = handler

        def take(number: int, frame: FrameType | None) -> None:
            self.at_once = self.came()
            try:
                before[signal.Signals(number)](number, frame)
            except (KeyboardInterrupt, Terminated) as error:
                if self.at_once:
                    raise
                self.by = error.with_traceback(None)
                # The run that is under way may end.
                taken()

        try:
            for number in before:
                signal.signal(number, take)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    _come.append(number)
    _owed.append(number)
    for tell in _told:
        tell()
    if len(_come) >= SIGNALS_MAX:
        _EXIT(128 + number)
    _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(128 + number)


def _unwind(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - signal's signature
    raise SystemExit(128 + number)
