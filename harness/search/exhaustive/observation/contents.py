"""What code of C touches that looks into things, iterates them or calls them."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.observation.kinds_of_things import Nature, Natures
from harness.search.exhaustive.observation.resolver import NO_THING
from harness.search.exhaustive.observation.step_touches import StepTouches

if TYPE_CHECKING:
    from harness.search.exhaustive.bytecode.symbols import Symbol
    from harness.search.exhaustive.observation.resolver import Resolver

__all__ = ["Contents", "is_plain"]

# What lies deeper, or beyond so many things, is not looked for: it may be anything.
WALKED_MAX = 1_000

_CHANGING = frozenset({Nature.CONTAINER, Nature.FACTORY})
_STILL = frozenset({Nature.VALUE, Nature.OBJECT})
_COPIES = frozenset({"copy", "sorted", "split", "splitlines", "rsplit", "partition", "range"})
_LIVE = frozenset({"items", "keys", "values"})
_MADE_OF = (list, tuple, set, frozenset, dict, zip, enumerate, reversed)


class Contents:
    """Notes what is touched of the things that symbols stand for, as far as they are known."""

    def __init__(self) -> None:
        # Of the step that is observed.
        self.touches = StepTouches()
        self._natures = Natures()

    def nature(self, thing: Any) -> Nature:
        """Return what is behind a thing's operators."""
        return self._natures[type(thing)]

    def any_thing(self, *, written: bool) -> None:
        """Note that any container, view or iterator may be read, or written."""
        self.touches.touches.add(("items", None, written))

    def shallow(self, symbol: Symbol, resolver: Resolver) -> None:
        """Note a look at what lies in a thing, and no deeper: its length, or if there is any."""
        if symbol is not None and symbol[0] in {"value", "made", "function"}:
            return
        thing = resolver.value(symbol)
        if thing is NO_THING:
            self.any_thing(written=False)
        else:
            self.looked_at(thing)

    def looked_at(self, thing: Any) -> None:
        """Note a look at what lies in a thing that is known."""
        nature = self.nature(thing)
        if nature in _CHANGING:
            self.touches.add("items", thing, written=False)
        elif nature in {Nature.VIEW, Nature.CURSOR, Nature.NAMESPACE}:
            self.any_thing(written=False)
        elif nature is Nature.UNKNOWN:
            self.touches.anything(f"a {type(thing).__name__}")

    def iterated(self, symbol: Symbol, resolver: Resolver) -> None:
        """Note that a thing is iterated: it is read, and an iterator is advanced."""
        if symbol is not None:
            if symbol[0] in {"value", "made", "range"}:
                return
            if symbol[0] == "element":
                # Of what a loop goes over: pairs, nearly always. An iterator it would know by name.
                self.any_thing(written=False)
                return
            if symbol[0] == "named":
                self._gone_over(resolver.value(symbol[1]))
                return
            if symbol[0] == "result" and self._result_iterated(symbol, resolver):
                return
        thing = resolver.value(symbol)
        if thing is NO_THING:
            self.any_thing(written=True)
        else:
            self.advanced(thing)

    def _gone_over(self, thing: Any) -> None:
        """Note that a loop goes on over what a name stood for when it began."""
        still = {Nature.VALUE, Nature.TUPLE, *_CHANGING}
        self.any_thing(written=thing is NO_THING or self.nature(thing) not in still)
        if thing is not NO_THING and self.nature(thing) is Nature.UNKNOWN:
            self.touches.anything(f"a {type(thing).__name__} that is iterated")

    def advanced(self, thing: Any) -> None:
        """Note that a thing that is known is iterated."""
        nature = self.nature(thing)
        if nature in _CHANGING:
            advances = hasattr(type(thing), "__next__")
            self.touches.add("items", thing, written=advances)
        elif nature is Nature.FRAMES:
            self._frames(thing)
        elif nature is Nature.CURSOR:
            self.touches.add("items", thing, written=True)
            self.any_thing(written=False)
        elif nature in {Nature.VIEW, Nature.NAMESPACE}:
            self.any_thing(written=False)
        elif nature in {Nature.UNKNOWN, Nature.FAILURE, Nature.FUTURE}:
            self.touches.anything(f"a {type(thing).__name__} that is iterated")

    def _frames(self, thing: Any) -> None:
        # While it goes on its frame tells; once it is over there is none.
        frame = getattr(thing, "gi_frame", None)
        self.touches.add("frame", frame, written=True)

    def _result_iterated(  # noqa: PLR0911 - a table of kinds
        self, symbol: Any, resolver: Resolver
    ) -> bool:
        """Note that what a call returned is iterated; False if nothing is known of it."""
        callee = symbol[1]
        if callee == ("function",):
            # A comprehension's or a generator expression's: its frames tell.
            return True
        function = resolver.value(callee)
        if isinstance(function, type) and function in _MADE_OF:
            for one in symbol[2] or ():
                self.iterated(one, resolver)
            return symbol[2] is not None
        if isinstance(function, types.FunctionType):
            return bool(function.__code__.co_flags & 0x20)
        name = getattr(function, "__name__", "")
        if isinstance(function, types.BuiltinFunctionType):
            return name in _COPIES
        if isinstance(function, types.MethodDescriptorType) and callee[0] == "attr":
            if name in _COPIES:
                return True
            if name in _LIVE and function.__objclass__ is dict:
                self.shallow(callee[1], resolver)
                return True
        return False

    def deep(self, symbol: Symbol, resolver: Resolver) -> None:
        """Note that all that lies below a thing is read, to compare it or to make a text of it."""
        if symbol is not None:
            if symbol[0] in {"value", "function"}:
                return
            if symbol[0] == "made":
                for one in symbol[1]:
                    self.deep(one, resolver)
                return
        thing = resolver.value(symbol)
        if thing is NO_THING:
            self.touches.touches |= {("items", None, False), ("future", None, False)}
        else:
            self.read_through(thing)

    def read_through(self, thing: Any) -> None:
        """Note that all that lies below a thing that is known is read."""
        if self.nature(thing) in _STILL:
            return
        open_ends, seen = [thing], {id(thing)}
        while open_ends:
            one = open_ends.pop()
            for part in self._parts(one):
                if self.nature(part) not in _STILL and id(part) not in seen:
                    seen.add(id(part))
                    open_ends.append(part)
            if len(seen) > WALKED_MAX:
                self.touches.anything(f"more than {WALKED_MAX} things in a {type(thing).__name__}")
                return

    def _parts(self, thing: Any) -> list[Any]:
        """Note a look at a thing, and return what lies in it."""
        nature = self.nature(thing)
        if nature in _CHANGING:
            self.touches.add("items", thing, written=False)
            if isinstance(thing, dict):
                return [*dict.keys(thing), *dict.values(thing)]
            return list(thing) if type(thing) in {list, set} else _inside(thing)
        if nature is Nature.TUPLE:
            return [thing.start, thing.stop] if isinstance(thing, slice) else _inside(thing)
        if nature is Nature.FAILURE:
            self.touches.add("items", thing, written=False)
            return list(thing.args)
        if nature is Nature.FUTURE:
            self.touches.add("future", thing, written=False)
        elif nature in {Nature.VIEW, Nature.CURSOR, Nature.NAMESPACE}:
            self.touches.touches |= {("items", None, False), ("future", None, False)}
        elif nature is Nature.UNKNOWN:
            self.touches.anything(f"a {type(thing).__name__}")
        return []

    def handed_over(self, symbol: Symbol, resolver: Resolver) -> None:
        """Note that a thing is given to C code to be called, as a key or a default factory."""
        if symbol is not None and symbol[0] == "function":
            return
        thing = resolver.value(symbol)
        if thing is not None and (thing is NO_THING or not self.is_of_frames(thing)):
            self.touches.anything(f"a {type(thing).__name__} that C code calls")

    def is_of_frames(self, function: Any) -> bool:
        """Return True for a callable whose calls are frames of Python, or touch nothing."""
        function = getattr(function, "__func__", function)
        if isinstance(function, type):
            return function in {int, str, float, bool, bytes} or is_plain(function)
        return isinstance(function, types.FunctionType)


def is_plain(kind: type) -> bool:
    """Return True for a class whose making touches nothing but what its frames touch."""
    for base in kind.__mro__:
        if base is object or issubclass(base, BaseException):
            return True
        made = vars(base)
        if "__new__" in made and not isinstance(made["__new__"], staticmethod):
            return False
        if base in {list, dict, set, tuple}:
            return False
    return True


def _inside(thing: Any) -> list[Any]:
    """Return what lies in a container of C, whatever its class makes of iteration."""
    kinds: tuple[Any, ...] = (list, tuple, set, frozenset)
    for kind in kinds:
        if isinstance(thing, kind):
            return list(kind.__iter__(thing))
    return list(thing.copy()) if type(thing).__name__ == "deque" else []
