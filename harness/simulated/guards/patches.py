"""Replacements of functions of the process, made for one thread and undone together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from harness.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patches"]

_ABSENT = object()

_open: Patches | None = None


class Patches:
    """Puts replacements into modules and classes; at the end it puts back what was there.

    At most one is open in a process, because modules belong to the whole process. ``thread`` is
    the identifier of the thread that opened it.
    """

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []
        self.thread = 0

    def open(self) -> None:
        """Bind to this thread.

        Raises:
            Unsupported: Another run of this process has its replacements in place.
        """
        global _open  # noqa: PLW0603 - modules are one for the process, so is this
        if _open is not None:
            raise Unsupported(
                "simulate() inside simulate(), or in two threads at once: a run guards the modules"
                " of the whole process; let one end before the next begins"
            )
        _open = self
        self.thread = threading.get_ident()

    def close(self) -> None:
        """Put back all that was replaced, the last first."""
        global _open  # noqa: PLW0603 - see open
        for owner, name, original in reversed(self._undo):
            if original is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
        self._undo.clear()
        _open = None

    def replace(self, owner: Any, name: str, replacement: Callable[..., Any]) -> None:
        """Replace a function on this thread; others go on calling the original."""
        thread = self.thread
        original = getattr(owner, name)
        get_ident = threading.get_ident

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if get_ident() == thread:
                return replacement(*args, **kwargs)
            return original(*args, **kwargs)

        self.put(owner, name, guarded)

    def put(self, owner: Any, name: str, replacement: object) -> None:
        """Replace an attribute on every thread."""
        self._undo.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, replacement)
