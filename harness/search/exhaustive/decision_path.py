"""The decisions on the way to the run at hand, and which of their alternatives are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane
    from harness.search.exhaustive.footprint import Footprint

__all__ = ["Decision", "alternatives_of"]


class Decision:
    """One decision of a run, and what is known of its alternatives.

    ``lanes`` are the alternatives of an order; a choice has None, and ``count`` values. ``pick`` is
    the position of the alternative that is taken now, ``wanted`` are those that must be taken at
    some time. ``asleep`` are lanes whose next step has been taken before in an equivalent order,
    with its footprint; ``taken`` are those of this very decision, once all that follows is done.
    """

    __slots__ = (
        "asleep", "cost", "count", "event", "lanes", "names", "pick", "taken", "tried",
        "wanted",
    )  # fmt: skip

    def __init__(self, *, count: int, cost: int, lanes: tuple[int, ...] | None = None) -> None:
        self.count = count
        self.cost = cost
        self.lanes = lanes
        self.pick = 0
        self.wanted = set(range(count))
        self.tried: set[int] = set()
        self.asleep: dict[int, Footprint] = {}
        self.taken: dict[int, Footprint] = {}
        self.names = 0
        self.event = -1

    def cost_of(self, pick: int) -> int:
        """Return how many delays an alternative is: its position, or one for any choice."""
        return pick if self.lanes is not None else min(pick, 1)

    def move_on(self, bound: int | None) -> bool:
        """Take the next alternative that is wanted and within the bound; False if none is left."""
        self.tried.add(self.pick)
        for pick in range(self.count):
            if pick not in self.wanted or pick in self.tried:
                continue
            if self.lanes is not None and self.lanes[pick] in self.asleep:
                continue
            if bound is not None and self.cost + self.cost_of(pick) > bound:
                continue
            self.pick = pick
            return True
        return False


def alternatives_of(options: Sequence[Lane]) -> dict[int, int]:
    """Map each lane that can go on to the index of its first callback, in the order of these."""
    first: dict[int, int] = {}
    for index, option in enumerate(options):
        if option.lane >= 0:
            first.setdefault(option.lane, index)
    return first
