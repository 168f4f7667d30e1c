"""What one step touches, gathered while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.search.exhaustive.footprint import Touch
    from harness.search.exhaustive.observation.names_of_things import ThingNames

__all__ = ["StepTouches"]


class StepTouches:
    """What one step has touched so far."""

    __slots__ = ("asked", "everything", "things", "touches", "why")

    def __init__(self) -> None:
        self.touches: set[Touch] = set()
        # Touches whose things have no numbers yet: the step may have made tasks that meet them.
        self.things: list[tuple[str, Any, bool]] = []
        # The attributes of what is not known that were read or written.
        self.asked: set[str] = set()
        self.everything = False
        self.why = ""

    def add(self, what: str, thing: Any, *, written: bool) -> None:
        """Note a touch of a thing, or of any thing of a kind if it is None."""
        if thing is None:
            self.touches.add((what, None, written))
        else:
            self.things.append((what, thing, written))

    def anything(self, why: str) -> None:
        """Note that the step may have done anything."""
        self.everything = True
        self.why = self.why or why

    def rebound(self) -> set[str]:
        """Return the names by which something else may be found since the step began."""
        found = {what for what, _, written in self.touches if written}
        found.update([what for what, _, written in self.things if written])
        return found

    def number(self, names: ThingNames) -> None:
        """Give the things their numbers."""
        touches, of_attributes = self.touches, names.of_attributes
        for what, thing, written in self.things:
            touches.add((what, names.number_of(thing), written))
            if what == "items" and type(thing) is dict and id(thing) in of_attributes:
                self.anything("a dict of attributes")
        self.things.clear()
        if names.exposed and not self.everything and any(map(_is_of_any, touches)):
            self.anything("a container that may be a dict of attributes")
        if names.odd and not names.odd.isdisjoint(self.asked):
            self.anything("an attribute behind which may be code of C")
        if names.aliased:
            names.aliased = False
            self.anything("an object whose attributes were a dict before")

    def all(self) -> frozenset[Touch]:
        """Return all touches."""
        return frozenset(self.touches)


def _is_of_any(touch: Touch) -> bool:
    """Return True for a touch of what may be seen through a dict of attributes, or is one."""
    what, number, written = touch
    return number is None and (what == "items" or (written and what[0] == "."))
