"""The choices of a run, and who decides them: which of several things happens next."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChoiceKind", "Chooser", "DefaultChooser", "DefaultPolicy"]


class ChoiceKind(StrEnum):
    """What is chosen in a run; together the choices are its schedule."""

    ORDER = "order"
    LATENCY = "latency"
    FAULT = "fault"
    CANCEL = "cancel"


class Chooser(Protocol):
    """Decides the choices of a run."""

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose one of ``count`` alternatives, 0 to ``count - 1``; 0 is what happens by default.

        ``label`` describes the choice for people: it decides nothing.
        """
        ...


class DefaultChooser:
    """Chooses the default each time."""

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose 0."""
        del kind, count, label
        return 0


class DefaultPolicy(DefaultChooser):
    """The ``OrderPolicy`` that keeps asyncio's own order."""

    def order(self, options: Sequence[object]) -> int:
        """Choose the first."""
        del options
        return 0
