"""Own the signals that end this process: what they raise, and that none is lost."""

from __future__ import annotations

import os
import signal

from harness.errors import Terminated

__all__ = ["end_on_signals", "raise_again", "taken"]

# Whoever asks so often does not want to wait for anything to be cleaned up.
SIGNALS_MAX = 3

_come: list[int] = []
_owed: list[int] = []


def end_on_signals() -> None:
    """Have SIGTERM and Ctrl-C raise, so that all is cleaned up; the third ends at once."""
    _come.clear()
    _owed.clear()
    signal.signal(signal.SIGTERM, _end)
    # Who is started in the background of a script ignores it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


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


def _end(number: int, _frame: object) -> None:
    _come.append(number)
    _owed.append(number)
    if len(_come) >= SIGNALS_MAX:
        os._exit(128 + number)
    _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(128 + number)
