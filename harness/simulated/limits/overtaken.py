"""The watch for unfairness: callbacks that are ready, and that others overtake again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Overtaken"]

# Looks on end at which a callback may be found ready.
LOOKS_MAX = 5


class Overtaken:
    """Says when a fair pass is due.

    No loop is so unfair as an order drawn task against task may be, and whoever polls for what an
    overtaken callback does would do so for ever.
    """

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was seen: another run begins."""
        self._waiting: list[Any] = []
        self._looks = 0

    def too_often(self, ready: Iterable[Any]) -> bool:
        """Take note of what is ready: True if some of it was so at too many looks on end.

        From then on every look says so, for as long as some of what was ready the last time is.
        """
        ready = list(ready)
        now = {id(one) for one in ready}
        still = [one for one in self._waiting if id(one) in now]
        if not still:
            self._waiting, self._looks = ready, 0
            return False
        self._looks += 1
        self._waiting = still
        return self._looks >= LOOKS_MAX

    def wait(self, ready: Iterable[Any]) -> None:
        """Take note of what is ready after a fair pass."""
        self._waiting = list(ready)
