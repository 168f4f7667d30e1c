"""Own what an interruption does to a search: softly at first, at once the second time."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import Terminated
from harness.processes.signals import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Interruption"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
