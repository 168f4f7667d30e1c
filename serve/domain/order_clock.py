"""The clock of orders: the text of a moment, and a number that always rises."""

from __future__ import annotations

import time

__all__ = ["OrderClock"]


class OrderClock:
    """Gives every order of a Serve another number, even if the wall clock goes back."""

    def __init__(self) -> None:
        self._last = 0

    def next_sequence(self) -> int:
        """Return microseconds since 1970, or one more than last time if that is more."""
        self._last = max(self._last + 1, int(time.time() * 1_000_000))
        return self._last

    def stay_above(self, sequence: int) -> None:
        """Give no number up to this one any more: an earlier process gave it, on any network."""
        self._last = max(self._last, sequence)

    def now_text(self) -> str:
        """Return the moment in UTC as ``YYYY-MM-DD HH:MM:SS``."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time()))
