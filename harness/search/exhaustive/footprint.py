"""The footprint of a step: what it read and wrote, and with which others it conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EVERYTHING", "Footprint", "Touch"]

# What was touched (a kind of thing, such as "items" or the name of an attribute), the number of the
# thing or None for any of them, and whether it was written.
Touch = tuple[str, int | None, bool]


class Footprint:
    """What one step touched. Two steps commute if neither writes what the other touches.

    Each touch leaves two marks in ``gives`` and two in ``minds``, chosen so that a touch of one
    meets a touch of another exactly if both may be of one thing: the test is one of two sets.
    """

    __slots__ = ("_gives", "_gives_written", "_minds", "_minds_written", "everything", "touches")

    def __init__(self, touches: Iterable[Touch], *, everything: bool = False) -> None:
        self.touches = frozenset(touches)
        self.everything = everything
        self._gives: set[tuple[str, object]] = set()
        self._gives_written: set[tuple[str, object]] = set()
        self._minds: set[tuple[str, object]] = set()
        self._minds_written: set[tuple[str, object]] = set()
        for what, number, written in self.touches:
            # Any touch of "any" meets all, since all give "one" and mind "any".
            which: object = "any" if number is None else number
            gives = ((what, which), (what, "one"))
            minds = ((what, which), (what, "one" if number is None else "any"))
            self._gives.update(gives)
            self._minds.update(minds)
            if written:
                self._gives_written.update(gives)
                self._minds_written.update(minds)

    def conflicts(self, other: Footprint) -> bool:
        """Return True if the order of the two steps may matter."""
        if self.everything or other.everything:
            return True
        return not (
            self._gives_written.isdisjoint(other._minds)
            and self._gives.isdisjoint(other._minds_written)
        )

    def generalised(self, names: int) -> Footprint:
        """Return it as it holds in other runs: things named from ``names`` on may be any there."""
        if self.everything or not any(
            number is not None and number >= names for _, number, _ in self.touches
        ):
            return self
        return Footprint(
            (what, None if number is not None and number >= names else number, written)
            for what, number, written in self.touches
        )


EVERYTHING = Footprint((), everything=True)
