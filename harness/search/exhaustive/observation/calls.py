"""What calls of C code touch: of builtin functions, of classes, and of what is called instead."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from harness.search.exhaustive.observation.builtin_effects import UNKNOWN, effect_of
from harness.search.exhaustive.observation.contents import is_plain
from harness.search.exhaustive.observation.kinds_of_things import Nature
from harness.search.exhaustive.observation.resolver import NO_THING, attribute_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.search.exhaustive.bytecode.symbols import Symbol
    from harness.search.exhaustive.observation.contents import Contents
    from harness.search.exhaustive.observation.resolver import Resolver
    from harness.search.exhaustive.observation.step_touches import StepTouches

__all__ = ["Given", "note_builtin", "note_call"]

# Calls of these are events of their own.
_EVENTFUL = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType,
)  # fmt: skip
_TEXTS = frozenset({str, bytes, bytearray})
_NUMBERS = frozenset({int, float, complex, bool})
_OF_VALUES = (
    str, bytes, bytearray, int, float, complex, list, tuple, set, frozenset, dict, enumerate, zip,
    reversed,
)  # fmt: skip
_STILL = frozenset({range, slice, object, type, super, property, staticmethod, classmethod})
_PRINTED = frozenset({"sep", "end", "flush"})


class Given:
    """What a call is given: symbols, the last of them by keywords; None if it is not known."""

    __slots__ = ("keywords", "resolver", "symbols")

    def __init__(
        self, symbols: tuple[Symbol, ...] | None, keywords: tuple[str, ...], resolver: Resolver
    ) -> None:
        self.symbols = symbols
        self.keywords = keywords
        self.resolver = resolver


def note_builtin(
    function: Any,
    given: Given | None,
    contents: Contents,
    attribute: Callable[[bool, Symbol, str], None] | None = None,
) -> None:
    """Note what a builtin that is about to be called touches."""
    effect, touches = effect_of(function), contents.touches
    if effect is UNKNOWN:
        owner = getattr(function, "__self__", None)
        of = "" if isinstance(owner, types.ModuleType) or owner is None else type(owner).__name__
        touches.anything(f"{function.__name__} of {of or function.__module__}")
        return
    if effect.what in {"compared", "items"}:
        touches.add("items", effect.thing, written=effect.written)
        if effect.what == "compared":
            contents.read_through(effect.thing)
    elif effect.what not in {"", "iterated", "first"}:
        touches.add(effect.what, effect.thing, written=effect.written)
    if effect.what == "future" and function.__name__ == "cancel":
        # What the task waits for is cancelled with it, unless that was done before.
        waited_for = effect.thing
        while (waited_for := getattr(waited_for, "_fut_waiter", None)) is not None:
            touches.add("future", waited_for, written=True)
    if effect.arguments:
        _note_given(function, effect.what, effect.arguments, given, contents, attribute)


def _note_given(  # noqa: PLR0912, PLR0917 - a table of kinds
    function: Any,
    what: str,
    how: str,
    given: Given | None,
    contents: Contents,
    attribute: Callable[[bool, Symbol, str], None] | None,
) -> None:
    name, touches = function.__name__, contents.touches
    if given is None or given.symbols is None:
        if how in {"look", "deep"} and what not in {"iterated", "first", "output", "compared"}:
            contents.any_thing(written=False)
            touches.touches.add(("future", None, False))
        else:
            touches.anything(f"{name} with arguments that are not known")
        return
    symbols, resolver = given.symbols, given.resolver
    if given.keywords:
        if name == "print" and not _PRINTED.issuperset(given.keywords):
            touches.anything("print into a file")
        for symbol in symbols[-len(given.keywords) :]:
            _note_keyword(symbol, resolver, touches, contents)
        symbols = symbols[: -len(given.keywords)]
    if what == "first" and symbols:
        first = resolver.value(symbols[0])
        touches.add("items", None if first is NO_THING else first, written=True)
    if how == "name":
        _note_name(name, symbols, resolver, touches, attribute)
        return
    if name == "iter" and len(symbols) == 2:
        touches.anything("iter of a callable")
        return
    for place, symbol in enumerate(symbols):
        if how == "look":
            contents.shallow(symbol, resolver)
        elif how == "call" and not place:
            contents.handed_over(symbol, resolver)
        elif how == "format":
            _note_formatted(symbol, resolver, touches, contents)
        elif how in {"deep", "call"}:
            _note_deep(symbol, resolver, contents, iterated=what in {"iterated", ""})
        else:
            _note_iterated(symbol, resolver, contents)


def _note_deep(symbol: Symbol, resolver: Resolver, contents: Contents, *, iterated: bool) -> None:
    contents.deep(symbol, resolver)
    if iterated:
        _note_iterated(symbol, resolver, contents)


def _note_iterated(symbol: Symbol, resolver: Resolver, contents: Contents) -> None:
    """Note that an argument is iterated, if it can be: a number or an object is only looked at."""
    thing = resolver.value(symbol)
    if thing is NO_THING or contents.nature(thing) not in {Nature.OBJECT, Nature.VALUE}:
        contents.iterated(symbol, resolver)


def _note_keyword(
    symbol: Symbol, resolver: Resolver, touches: StepTouches, contents: Contents
) -> None:
    thing = resolver.value(symbol)
    if symbol is not None and symbol[0] in {"function", "value"}:
        return
    if thing is NO_THING or not (
        contents.nature(thing) is Nature.VALUE or contents.is_of_frames(thing)
    ):
        touches.anything("a keyword's argument that is not known")


def _note_formatted(
    symbol: Symbol, resolver: Resolver, touches: StepTouches, contents: Contents
) -> None:
    thing = resolver.value(symbol)
    value = symbol is not None and symbol[0] == "value"
    if not value and (thing is NO_THING or contents.nature(thing) is not Nature.VALUE):
        touches.anything("format with what is no plain value")


def _note_name(
    function: str,
    symbols: tuple[Symbol, ...],
    resolver: Resolver,
    touches: StepTouches,
    attribute: Callable[[bool, Symbol, str], None] | None,
) -> None:
    """Note an attribute that is named by a value, as by ``getattr``."""
    name = resolver.value(symbols[1]) if len(symbols) > 1 else NO_THING
    if attribute is None or type(name) is not str or name.startswith("__"):
        touches.anything(f"{function} by a name that is not known")
        return
    attribute(function in {"setattr", "delattr"}, symbols[0], name)


def note_call(callee_symbol: Symbol, given: Given, contents: Contents, *, evented: bool) -> None:
    """Note what a call touches beside what is done in frames and by builtin functions."""
    resolver, touches = given.resolver, contents.touches
    if callee_symbol == ("function",):
        return
    callee = resolver.value(callee_symbol)
    if isinstance(callee, _EVENTFUL):
        return
    if callee is NO_THING:
        if _is_of_super(callee_symbol):
            # C's own ``__init__``: of a container, unless it belongs to object or an exception.
            for symbol in given.symbols or ():
                contents.iterated(symbol, resolver)
            if given.symbols or given.symbols is None:
                contents.any_thing(written=True)
        elif not (evented or resolver.lacks(callee_symbol)):
            touches.anything("a call of what is not known")
    elif isinstance(callee, type):
        _note_class(callee, given, contents)
    elif not isinstance(attribute_of(callee, "__call__"), types.FunctionType):
        touches.anything(f"a call of {type(callee).__name__}")


def _is_of_super(symbol: Any) -> bool:
    return (
        symbol is not None
        and symbol[0] == "attr"
        and symbol[2] == "__init__"
        and (
            symbol[1] == ("super",)
            or (symbol[1] is not None and symbol[1][:2] == ("result", ("global", "super")))
        )
    )


def _note_class(kind: type, given: Given, contents: Contents) -> None:
    symbols, touches = given.symbols, contents.touches
    if kind in _STILL:
        if kind is type and symbols is not None and len(symbols) == 3:
            touches.anything("a call of type that makes a class")
    elif kind in {map, filter}:
        for place, symbol in enumerate(symbols or (None,)):
            note = contents.iterated if place else contents.handed_over
            note(symbol, given.resolver)
    elif issubclass(kind, _OF_VALUES):
        if symbols is None:
            touches.anything(f"{kind.__name__} of arguments that are not known")
        for symbol in symbols or ():
            _note_part(kind, symbol, given.resolver, contents)
    elif not is_plain(kind) or _has_meta_call(kind):
        touches.anything(f"a call of {kind.__name__}")


def _note_part(kind: type, symbol: Symbol, resolver: Resolver, contents: Contents) -> None:
    """Note what a class of values or containers does with what one is made of."""
    if kind is bool:
        contents.shallow(symbol, resolver)
        return
    if kind in _TEXTS or kind in _NUMBERS:
        contents.deep(symbol, resolver)
    if kind not in _NUMBERS and kind is not str:
        _note_iterated(symbol, resolver, contents)


def _has_meta_call(kind: type) -> bool:
    meta: type = type(kind)
    for base in meta.__mro__:
        if base is type:
            return False
        found = vars(base).get("__call__")
        if found is not None:
            return not isinstance(found, types.FunctionType)
    return False
