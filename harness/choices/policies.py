"""The ports through which a search decides the order of a run, and watches its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.choices.kinds import ChoiceKind

__all__ = ["Lane", "OrderPolicy", "StepWatcher"]


class Lane(Protocol):
    """Something that can run next: a callback of a task, or an event from outside."""

    @property
    def lane(self) -> int:
        """Its number; callbacks that no program can tell apart have -1."""
        ...


class OrderPolicy(Protocol):
    """Decides the order of a run; as a ``Chooser`` it decides all other choices too."""

    def order(self, options: Sequence[Lane]) -> int:
        """Choose what runs next: an index into ``options``; 0 is asyncio's own order."""
        ...

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose one of ``count`` alternatives, see ``Chooser``."""
        ...


class StepWatcher(Protocol):
    """Sees every step of a run, to record it. Runs of a search are not watched."""

    def bind(self, lineage: Callable[[int], str]) -> None:
        """Take the function that names lanes; the names are the same in all runs of a program."""
        ...

    def begins(self, handle: Lane, overtaken: Sequence[Lane]) -> None:
        """Note that ``handle`` is about to run, ahead of the lanes that it has overtaken."""
        ...

    def ended(self, handle: Lane) -> None:
        """Note that ``handle`` has run."""
        ...
