"""What decides a run and who looks on, as the search sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.choices.kinds import ChoiceKind

__all__ = ["Lane", "OrderPolicy", "StepWatcher"]


class Lane(Protocol):
    """Something that can go on: a callback of a task, or what comes from outside."""

    @property
    def lane(self) -> int:
        """Its number; callbacks that no program can tell apart have -1."""
        ...


class OrderPolicy(Protocol):
    """Decides a run. It is also the ``Chooser`` of all that is not an order."""

    def order(self, options: Sequence[Lane]) -> int:
        """Choose which goes on: an index into ``options``; 0 is asyncio's own order."""
        ...

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose one of ``count`` alternatives, see ``Chooser``."""
        ...


class StepWatcher(Protocol):
    """Sees every step of a run, for those who record it. A search runs without one."""

    def bind(self, lineage: Callable[[int], str]) -> None:
        """Take the function that names lanes, alike in all runs of a program."""
        ...

    def begins(self, handle: Lane, overtaken: Sequence[Lane]) -> None:
        """A callback, or something from outside, is about to happen before the overtaken ones."""
        ...

    def ended(self, handle: Lane) -> None:
        """It has happened."""
        ...
