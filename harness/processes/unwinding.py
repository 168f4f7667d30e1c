"""Own what happens on SIGTERM and SIGHUP: the stack unwinds, so what was started goes."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["unwind_on_signals"]


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


def _unwind(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - signal's signature
    raise SystemExit(128 + number)
