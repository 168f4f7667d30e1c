"""What one step touches, gathered while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.observation.resolver import names_in

if TYPE_CHECKING:
    from harness.search.exhaustive.footprint import Touch
    from harness.search.exhaustive.observation.names_of_things import ThingNames
    from harness.search.exhaustive.observation.symbols import Symbol

__all__ = ["StepTouches"]


class StepTouches:
    """What one step has touched so far."""

    __slots__ = ("asked", "everything", "things", "touches", "via", "why")

    def __init__(self) -> None:
        self.touches: set[Touch] = set()
        # Touches whose things have no numbers yet: the step may have made tasks that meet them.
        self.things: list[tuple[str, Any, bool, Symbol]] = []
        # The attributes of what is not known that were read or written.
        self.asked: set[str] = set()
        self.everything = False
        self.why = ""
        # Touches of things that were found by a path of names, with these names.
        self.via: dict[Touch, tuple[str, ...]] = {}

    def add(self, what: str, thing: Any, *, written: bool, symbol: Symbol = None) -> None:
        """Note a touch of a thing, or of any thing of a kind if it is None."""
        if thing is None:
            self.touches.add((what, None, written))
        else:
            self.things.append((what, thing, written, symbol))

    def anything(self, why: str) -> None:
        """Note that the step may have done anything."""
        self.everything = True
        self.why = self.why or why

    def number(self, names: ThingNames) -> None:
        """Give the things their numbers."""
        for what, thing, written, symbol in self.things:
            touch = (what, names.number_of(thing), written)
            self.touches.add(touch)
            if symbol is not None:
                path = tuple(names_in(symbol))
                if path:
                    self.via[touch] = path
            if what == "items" and type(thing) is dict and names.is_of_attributes(thing):
                self.anything("a dict of attributes")
        self.things.clear()
        if names.exposed and not self.everything and any(map(_is_of_any, self.touches)):
            self.anything("a container that may be a dict of attributes")
        if names.odd and not names.odd.isdisjoint(self.asked):
            self.anything("an attribute behind which may be code of C")
        if names.aliased:
            names.aliased = False
            self.anything("an object whose attributes were a dict before")

    def all(self) -> frozenset[Touch]:
        """Return all touches. A thing found by a name that the step rebinds may be any thing."""
        if self.via:
            rebound = {what for what, _, written in self.touches if written and what[0] in ".ci"}
            for touch, names in self.via.items():
                if not rebound.isdisjoint(names):
                    self.touches.add((touch[0], None, touch[2]))
        return frozenset(self.touches)


def _is_of_any(touch: Touch) -> bool:
    """Return True for a touch of what may be seen through a dict of attributes, or is one."""
    what, number, written = touch
    return number is None and (what == "items" or (written and what[0] == "."))
