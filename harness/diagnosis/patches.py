"""The owner of what a watcher changes in Python for the time of a run, and puts back after it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.errors import HarnessBug

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patches", "active"]

W = TypeVar("W")

# The watchers that are open, by their class: what they change is the process's, so this is, too.
_open: dict[type, object] = {}


def active(kind: type[W]) -> W | None:
    """Return the watcher of this class that is open, or None."""
    return cast("W | None", _open.get(kind))


class Patches:
    """Attributes that are replaced while a watcher is open, and restored in reverse order.

    Of each class one watcher is open at a time. It belongs to the thread that opened it: what
    replaces a method asks ``acts()``, and does no more than the original anywhere else, nor when it
    is called after the watcher was closed. ``what`` is how a refusal names the watcher.
    """

    def __init__(self, watcher: object, what: str) -> None:
        self._watcher = watcher
        self._what = what
        self._stack = ExitStack()
        self._thread: int | None = None

    def open(self) -> None:
        """Begin, in this thread.

        Raises:
            HarnessBug: A watcher of this class is open already.
        """
        kind = type(self._watcher)
        if kind in _open:
            raise HarnessBug(f"{self._what} is open already: close it before another is opened")
        _open[kind] = self._watcher
        self._thread = threading.get_ident()

    def close(self) -> None:
        """Put back what was replaced, the last first."""
        self._thread = None
        try:
            self._stack.close()
        finally:
            _open.pop(type(self._watcher), None)

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute until ``close()``."""
        self._stack.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    def on_close(self, undo: Callable[..., object], *arguments: Any) -> None:
        """Call a function at ``close()``."""
        self._stack.callback(undo, *arguments)

    def acts(self) -> bool:
        """Return True while the watcher is open, in the thread that opened it."""
        return self._thread == threading.get_ident()
