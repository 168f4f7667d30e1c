"""The owner of what is replaced in the process for the time of a run, and put back after it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from harness.errors import HarnessBug
from harness.processes.below_python import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.errors import HarnessError

__all__ = ["Patches", "active", "kept_alive"]

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
        self.thread = get_ident()

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

    def on_close(self, undo: Callable[..., object], *arguments: Any) -> None:
        """Call a function at ``close()``."""
        self._undo.append((undo, arguments))

    def acts(self) -> bool:
        """Return True while this is open, in the thread that opened it."""
        return self.thread == get_ident()


# What ends or replaces a process on the spot; all others of exec's family come down to these two.
_ENDINGS = ("_exit", "abort", "execv", "execve")


@contextmanager
def kept_alive() -> Iterator[None]:
    """Have what would end this process on the spot raise instead, on this thread.

    A child that code inside forks may end as it likes.

    Raises:
        RuntimeError: From the calls themselves.
    """
    here = (os.getpid(), get_ident())
    before = {name: getattr(os, name) for name in _ENDINGS}

    def refusing(name: str) -> Callable[..., Any]:
        def refuse(*arguments: Any) -> Any:
            if (os.getpid(), get_ident()) != here:
                return before[name](*arguments)
            raise RuntimeError(
                f"os.{name}() would end or replace the process of the harness, and no verdict would"
                " be left; leave it out"
            )

        return refuse

    for name in _ENDINGS:
        setattr(os, name, refusing(name))
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(os, name, original)
