"""A call of a concurrent history: its process, operation, begin, end and result."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MOMENT_MAX", "Call"]

MOMENT_MAX = sys.float_info.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, as its caller saw it.

    ``begin`` and ``end`` are moments on the same clock, in any unit. A call precedes another only
    if it ends strictly before the other begins, so equal moments overlap. Without an ``end`` the
    outcome is unknown: the call may take effect at any moment since it began, or never, and
    ``result`` means nothing.

    Raises:
        BadInput: The call ends before it begins, or a moment is not finite.
    """

    process: Hashable
    operation: str
    arguments: tuple[Hashable, ...] = ()
    begin: float
    end: float | None = None
    result: Hashable = None

    def __post_init__(self) -> None:
        last = self.begin if self.end is None else self.end
        # This form of the comparison is False for NaN too.
        if not -MOMENT_MAX <= self.begin <= last <= MOMENT_MAX:
            raise BadInput(
                f"call {self.operation}: begin and end must be finite, and end not before begin,"
                f" got {self.begin} to {self.end}; leave end out where the outcome is not known"
            )

    def __str__(self) -> str:
        """Write the call for a person: ``write(x, 3) by 7, from 0.1 to 0.2``."""
        given = ", ".join(map(repr, self.arguments))
        if self.end is None:
            return f"{self.operation}({given}) by {self.process}, begun at {self.begin:g}"
        answer = "" if self.result is None else f" -> {self.result!r}"
        return (
            f"{self.operation}({given}){answer} by {self.process},"
            f" from {self.begin:g} to {self.end:g}"
        )
