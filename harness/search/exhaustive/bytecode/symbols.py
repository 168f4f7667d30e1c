"""What a stretch of code touches by name, and the symbols by which it names things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = [
    "ELEMENT", "EVERYTHING", "FUNCTION", "NULL", "RANGE", "VALUE", "Access", "Stale", "Symbol",
    "aged", "attribute", "is_local", "is_plain", "loosely", "names_in", "names_of", "without",
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
    # What must not be bound anew in the step for all of these to stand for the same.
    names: frozenset[str] = frozenset()


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
})  # fmt: skip


class Stale(tuple[Any, ...]):
    """The symbol of what was found before code ran that may have bound its names anew."""

    __slots__ = ()


def aged(symbol: Symbol) -> Symbol:
    """Return a symbol as it is after code ran that may have bound anything anew but locals."""
    if symbol is None or isinstance(symbol, Stale):
        return symbol
    return Stale(symbol) if names_in(symbol) else symbol


def loosely(symbol: Symbol) -> Symbol:
    """Return the symbol of what was found before, by names that may stand for other things now."""
    if symbol is None or symbol[0] in {"named", "fast"}:
        return symbol
    if symbol[0] == "result":
        return ("result", symbol[1], tuple(loosely(one) for one in symbol[2]))
    return ("named", symbol) if names_in(symbol) else symbol


def names_in(symbol: Symbol) -> frozenset[str]:
    """Return the names, but for locals, by which a symbol's thing is found."""
    return frozenset(name for name in _names_in(symbol) if not is_local(name))


def is_local(name: str) -> bool:
    """Return True for a name in a symbol that only its own frame binds anew."""
    return name.startswith("local ")


def without(symbol: Symbol, names: Collection[str]) -> Symbol:
    """Return a symbol in which nothing is found by these names."""
    if symbol is None or not any(name in names for name in _names_in(symbol)):
        return symbol
    kind, *parts = symbol
    if kind == "made":
        return ("made", tuple(without(one, names) for one in parts[0]))
    if kind == "result" and (callee := without(parts[0], names)) is not None:
        return ("result", callee, tuple(without(one, names) for one in parts[1]))
    return None


def names_of(access: Access) -> frozenset[str]:
    """Return what must not be bound anew in the step for an access's symbols to be the same."""
    symbols = (access.symbol, *(access.given or ()))
    return frozenset(
        name for symbol in symbols for stale in _stale_in(symbol) for name in names_in(stale)
    )


def _stale_in(symbol: Symbol) -> Iterator[Symbol]:
    if isinstance(symbol, Stale):
        yield symbol
    elif symbol is not None:
        for one in _parts_of(symbol):
            yield from _stale_in(one)


def _names_in(symbol: Symbol) -> Iterator[str]:
    if symbol is None:
        return
    kind = symbol[0]
    if kind == "fast":
        yield f"local {symbol[1]}"
    elif kind == "deref":
        yield f"cell {symbol[1]}"
    elif kind == "global":
        yield f".{symbol[1]}"
    elif kind == "attr":
        yield f".{symbol[2]}"
    elif kind == "item":
        yield "items"
    for one in _parts_of(symbol):
        yield from _names_in(one)


def _parts_of(symbol: Symbol) -> tuple[Symbol, ...]:
    if symbol is None:
        return ()
    kind = symbol[0]
    if kind in {"attr", "named"}:
        return (symbol[1],)
    if kind == "item":
        return (symbol[1], symbol[2])
    if kind == "result":
        return (symbol[1], *symbol[2])
    parts: tuple[Symbol, ...] = symbol[1] if kind == "made" else ()
    return parts


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
