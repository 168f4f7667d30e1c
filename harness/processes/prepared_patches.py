"""Replacements that are thought out once, and then made and undone for each of many short runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.processes.below_python import (
    KNOWN,
    ClassMethodSite,
    get_ident,
    reaches,
    site_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.processes.below_python import Site

__all__ = ["PreparedPatches"]

_ABSENT = object()


class PreparedPatches:
    """Attributes and functions of C that are replaced from ``open`` to ``close``.

    Unlike ``Patches`` it is told all of them beforehand, once in a process: what acts then must
    look up by itself for whom. It belongs to the thread that opened it, ``thread``.
    """

    def __init__(self) -> None:
        self.thread = 0
        self._made = False
        self._attributes: list[_Attribute] = []
        self._sites: list[tuple[Site, Callable[..., Any]]] = []
        self._methods: list[tuple[ClassMethodSite, Callable[..., Any], Any]] = []
        self._at_open: list[Callable[[], object]] = []
        self._at_close: list[Callable[[], object]] = []

    def open(self) -> None:
        """Replace everything; what acts here only acts on this thread."""
        self.thread = get_ident()
        for act in self._at_open:
            act()
        for attribute in self._attributes:
            attribute.replace()
        for site, function in self._sites:
            site.replace(function, self.thread)
        for method, function, failed in self._methods:
            method.replace(function, self.thread, failed=failed)
        self._made = True

    def close(self) -> None:
        """Put everything back, the last first. What was not replaced yet is as it was."""
        self.thread = 0
        self._made = False
        for method, _, _ in self._methods:
            method.put_back()
        for site, _ in self._sites:
            site.put_back()
        for attribute in reversed(self._attributes):
            attribute.put_back()
        for act in reversed(self._at_close):
            act()

    def acts(self) -> bool:
        """Return True while this is open, in the thread that opened it."""
        return self.thread == get_ident()

    def add(self, open_: Callable[[], object], close: Callable[[], object] = bool) -> None:
        """Call one function before the replacements are made, the other after they are undone."""
        self._at_open.append(open_)
        self._at_close.append(close)

    def replace(self, owner: Any, name: str, value: object) -> None:
        """Replace an attribute on every thread."""
        self._take(_Attribute(owner, name, value))

    def replace_here(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        """Replace a function on this thread; others go on calling the original.

        A function of C is replaced where it lies, so that those who imported it by name before get
        the other one, too, see ``harness.processes.below_python``.
        """
        at_hand = getattr(owner, name)
        if not reaches(at_hand):
            self._take(_Here(owner, name, function, hidden=None, patches=self))
            return
        site = site_of(at_hand)
        self._sites.append((site, function))
        if self._made:
            site.replace(function, self.thread)
        # A wrapper may hide it by the time that this is opened.
        self._take(_Here(owner, name, function, hidden=at_hand, patches=self))

    def _take(self, attribute: _Attribute) -> None:
        self._attributes.append(attribute)
        if self._made:
            attribute.replace()

    def replace_class_method(
        self,
        owner: type,
        name: str,
        function: Callable[..., Any],
        *,
        failed: Callable[[Exception], object],
    ) -> None:
        """Replace a class method of C on this thread where that is possible.

        It calls ``function`` with the class; ``failed`` is told what that raises.
        """
        if KNOWN:
            self._methods.append((ClassMethodSite(owner, name), function, failed))


class _Attribute:
    """An attribute of a module or a class, and what takes its place."""

    __slots__ = ("_before", "_done", "_name", "_owner", "_value")

    def __init__(self, owner: Any, name: str, value: object) -> None:
        self._owner, self._name, self._value = owner, name, value
        self._before: Any = None
        self._done = False

    def replace(self) -> None:
        """Replace it."""
        self._before = self._owner.__dict__.get(self._name, _ABSENT)
        setattr(self._owner, self._name, self._value)
        self._done = True

    def put_back(self) -> None:
        """Have it be as it was."""
        if not self._done:
            return
        self._done = False
        if self._before is _ABSENT:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._before)


class _Here(_Attribute):
    """A function that is replaced on one thread, unless it is the one that is hidden below."""

    __slots__ = ("_hidden", "_whole")

    def __init__(
        self,
        owner: Any,
        name: str,
        function: Callable[..., Any],
        *,
        hidden: object,
        patches: PreparedPatches,
    ) -> None:
        ident = get_ident

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if ident() == patches.thread:
                return function(*args, **kwargs)
            return self._whole(*args, **kwargs)

        super().__init__(owner, name, guarded)
        self._hidden = hidden
        self._whole: Any = None

    def replace(self) -> None:
        """Replace it, unless it is reached where it lies."""
        whole = getattr(self._owner, self._name)
        if whole is not self._hidden:
            self._whole = whole
            super().replace()
