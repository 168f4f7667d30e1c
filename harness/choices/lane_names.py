"""The names of lanes: each is named by its ancestry, which is alike in every order."""

from __future__ import annotations

from collections import Counter

__all__ = ["LaneNames"]


class LaneNames:
    """Names lanes by who made them: ``1.2`` is the second task that the first task made.

    Unlike its number, that does not change when other tasks are made in another order. What is no
    task has a mark before its last number (``p`` outside, ``t`` a timer), and belongs to the task
    that set it going.
    """

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._children: Counter[str] = Counter()

    def begin_anew(self) -> None:
        """Forget them all: another run begins."""
        self._names.clear()
        self._children.clear()

    def add(self, lane: int, mark: str, *, maker: int) -> None:
        """Name a lane that was just made by the lane ``maker``."""
        parent = self._names.get(maker, "")
        self._children[parent + mark] += 1
        number = f"{mark}{self._children[parent + mark]}"
        self._names.setdefault(lane, f"{parent}.{number}" if parent else number)

    def of(self, lane: int) -> str:
        """Return the name of a lane; of one that has none, its number."""
        return self._names.get(lane, str(lane))
