"""What a stretch of code touches by name, and the symbols by which it names things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = [
    "ELEMENT", "EVERYTHING", "FUNCTION", "NULL", "RANGE", "VALUE", "Access", "Symbol", "attribute",
    "is_plain", "without",
]  # fmt: skip

# Where a value came from: ("fast", name), ("deref", name), ("global", name), ("const", value),
# ("attr", symbol, name), ("item", symbol, key), ("result", callee, arguments, keywords), ("made",
# parts), ("function",), ("named", symbol) once and perhaps anew, ("element",) of what a loop goes
# over; None where it is not known.
Symbol = tuple[Any, ...] | None


class Access(NamedTuple):
    """A touch by name: how, of the thing that a symbol stands for, and of which attribute."""

    how: str
    symbol: Symbol
    name: str = ""
    # Of a call: what it is given, or None where that is not known; and the last ones' keywords.
    given: tuple[Symbol, ...] | None = ()
    keywords: tuple[str, ...] = ()


# An instruction that is not known: it may do anything.
EVERYTHING = Access("everything", None)

VALUE = ("value",)
RANGE = ("range",)
NULL = ("null",)
FUNCTION = ("function",)
ELEMENT = ("element",)

_BENIGN_DUNDERS = frozenset({
    "__init__", "__aenter__", "__aexit__", "__enter__", "__exit__", "__name__", "__qualname__",
    "__doc__", "__module__", "__post_init__", "__func__", "__self__", "__wrapped__",
    "__traceback__", "__context__", "__cause__",
})  # fmt: skip


def without(  # noqa: PLR0911 - a table of kinds
    symbol: Symbol, names: Container[str]
) -> Symbol:
    """Return a symbol in which nothing is found by these names of locals."""
    if symbol is None or symbol[0] in {"const", "global", "deref"}:
        return symbol
    if symbol[0] == "fast":
        return None if symbol[1] in names else symbol
    if symbol[0] == "made":
        return ("made", tuple(without(one, names) for one in symbol[1]))
    if symbol[0] in {"attr", "item", "named", "result"}:
        first = without(symbol[1], names)
        if first is None:
            return None
        if symbol[0] == "named":
            return ("named", first)
        if symbol[0] == "attr":
            return ("attr", first, symbol[2])
        if symbol[0] == "item":
            return ("item", first, without(symbol[2], names))
        return ("result", first, tuple(without(one, names) for one in symbol[2]))
    return symbol


def is_plain(symbol: Symbol) -> bool:
    """Return True for a constant that is equal to nothing but its like."""
    return (
        symbol is not None
        and symbol[0] == "const"
        and isinstance(symbol[1], (int, float, complex, str, type(None)))
    )


def attribute(how: str, owner: Symbol, name: str) -> Access:
    """Return the touch of an attribute, or of everything where its name reaches around all."""
    if name.startswith("__") and name.endswith("__") and name not in _BENIGN_DUNDERS:
        # __setattr__, __setitem__, __dict__ and their like reach around all names.
        return EVERYTHING
    return Access(how, owner, name)
