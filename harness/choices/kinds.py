"""What a run may ask whoever decides it: which of several things happens next."""

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
    """Decides a run, choice by choice."""

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose one of ``count`` alternatives, 0 to ``count - 1``; 0 is what happens by default.

        ``label`` says in a few words what is chosen, for people: it decides nothing.
        """
        ...


class DefaultChooser:
    """Lets everything happen as it does by default."""

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose 0."""
        del kind, count, label
        return 0


class DefaultPolicy(DefaultChooser):
    """Lets everything come in asyncio's own order: the ``OrderPolicy`` that decides nothing."""

    def order(self, options: Sequence[object]) -> int:
        """Choose the first."""
        del options
        return 0
