"""The owner of what is replaced in the process for the time of a run, and put back after it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.errors import HarnessBug

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.errors import HarnessError

__all__ = ["Patches", "active"]

W = TypeVar("W")

_ABSENT = object()
# Who has replaced something, by class: modules belong to the whole process, so this does, too.
_open: dict[type, object] = {}


def active(kind: type[W]) -> W | None:
    """Return the owner of this class whose replacements are in place, or None."""
    return cast("W | None", _open.get(kind))


class Patches:
    """Attributes of modules and classes that are replaced while this is open.

    Of each class of ``owner`` one is open at a time, in one process. It belongs to the thread that
    opened it, ``thread``. ``refusal`` is what a second one raises.
    """

    def __init__(self, owner: object, refusal: HarnessError | None = None) -> None:
        self._owner = owner
        self._refusal = refusal
        self._undo: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.thread = 0

    def open(self) -> None:
        """Bind to this thread.

        Raises:
            HarnessError: One of this class is open already: ``refusal``, or a HarnessBug.
        """
        kind = type(self._owner)
        if kind in _open:
            raise self._refusal or HarnessBug(
                f"a {kind.__name__} is open already: close it before another is opened"
            )
        _open[kind] = self._owner
        self.thread = threading.get_ident()

    def close(self) -> None:
        """Put back what was replaced, the last first."""
        self.thread = 0
        try:
            while self._undo:
                undo, arguments = self._undo.pop()
                undo(*arguments)
        finally:
            _open.pop(type(self._owner), None)

    def replace(self, owner: Any, name: str, value: object) -> None:
        """Replace an attribute on every thread."""
        # There are dozens for a run of a millisecond.
        original = owner.__dict__.get(name, _ABSENT)
        if original is _ABSENT:
            self._undo.append((delattr, (owner, name)))
        else:
            self._undo.append((setattr, (owner, name, original)))
        setattr(owner, name, value)

    def replace_here(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        """Replace a function on this thread; others go on calling the original."""
        thread, get_ident = self.thread, threading.get_ident
        original = getattr(owner, name)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if get_ident() == thread:
                return function(*args, **kwargs)
            return original(*args, **kwargs)

        self.replace(owner, name, guarded)

    def on_close(self, undo: Callable[..., object], *arguments: Any) -> None:
        """Call a function at ``close()``."""
        self._undo.append((undo, arguments))

    def acts(self) -> bool:
        """Return True while this is open, in the thread that opened it."""
        return self.thread == threading.get_ident()
