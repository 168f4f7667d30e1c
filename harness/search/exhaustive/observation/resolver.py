"""The things that symbols stand for, found without running any code of the program."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from harness.search.exhaustive.bytecode.symbols import Symbol

__all__ = ["NO_THING", "Resolver", "Unknowing", "attribute_of"]

# What a symbol stands for of which that is not sure.
NO_THING = object()


class Resolver:
    """Finds the things that symbols stand for at the end of a segment of a frame."""

    __slots__ = ("_frame", "_locals")

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame
        self._locals: dict[str, Any] | None = None

    def value(self, symbol: Symbol) -> Any:
        """Return the thing, or ``NO_THING`` if that is not sure."""
        if symbol is None:
            return NO_THING
        kind = symbol[0]
        if kind == "attr":
            owner = self.value(symbol[1])
            return NO_THING if owner is NO_THING else attribute_of(owner, symbol[2])
        if kind in {"fast", "deref"}:
            if self._locals is None:
                self._locals = self._frame.f_locals
            return self._locals.get(symbol[1], NO_THING)
        if kind == "global":
            found = self._frame.f_globals.get(symbol[1], NO_THING)
            return self._frame.f_builtins.get(symbol[1], NO_THING) if found is NO_THING else found
        if kind == "item":
            return self._item(symbol)
        return symbol[1] if kind == "const" else NO_THING

    def lacks(self, symbol: Symbol) -> bool:
        """Return True for the attribute of a thing that has none by this name: it was not got."""
        if symbol is None or symbol[0] != "attr":
            return False
        owner = self.value(symbol[1])
        return owner is not NO_THING and _lacks(owner, symbol[2])

    def _item(self, symbol: Any) -> Any:
        owner, key = self.value(symbol[1]), self.value(symbol[2])
        if type(key) not in {int, str}:
            return NO_THING
        if type(owner) is dict:
            return owner.get(key, NO_THING)
        if type(owner) in {list, tuple} and type(key) is int and -len(owner) <= key < len(owner):
            return owner[key]
        return NO_THING


class Unknowing(Resolver):
    """Finds nothing but what the code itself holds."""

    __slots__ = ()

    def __init__(self) -> None:
        """Without a frame."""

    def value(self, symbol: Symbol) -> Any:
        """Return a constant, or ``NO_THING``."""
        return symbol[1] if symbol is not None and symbol[0] == "const" else NO_THING


def attribute_of(owner: Any, name: str) -> Any:  # noqa: PLR0911 - a table of kinds
    """Look an attribute up without running any code of the program."""
    if isinstance(owner, types.ModuleType):
        return owner.__dict__.get(name, NO_THING)
    if isinstance(owner, type):
        return _method_of(owner, name)
    if isinstance(owner, super):
        return NO_THING
    for kind in type(owner).__mro__:
        found = kind.__dict__.get(name, NO_THING)
        if found is NO_THING:
            continue
        if isinstance(found, types.MemberDescriptorType):
            return getattr(owner, name, NO_THING)
        if isinstance(found, (types.FunctionType, types.MethodDescriptorType)):
            own = getattr(owner, "__dict__", None)
            return own[name] if own and name in own else found
        if isinstance(found, (staticmethod, classmethod)):
            return found.__func__
        if hasattr(type(found), "__get__"):
            return NO_THING
    own = getattr(owner, "__dict__", None)
    return own.get(name, NO_THING) if own else NO_THING


def _lacks(owner: Any, name: str) -> bool:
    if owner is None:
        return not hasattr(None, name)
    kind: Any = type(owner)
    return (
        kind.__getattribute__ is object.__getattribute__
        and not hasattr(kind, "__getattr__")
        and not hasattr(kind, name)
        and name not in (getattr(owner, "__dict__", None) or ())
    )


def _method_of(owner: type, name: str) -> Any:
    """Return a function of a class: what else there is may change, or is another's."""
    meta: type = type(owner)
    if any(name in kind.__dict__ for kind in meta.__mro__):
        return NO_THING
    for kind in owner.__mro__:
        found = kind.__dict__.get(name, NO_THING)
        if isinstance(found, (staticmethod, classmethod)):
            return found.__func__
        if isinstance(found, (types.FunctionType, types.MethodDescriptorType)):
            return found
        if found is not NO_THING:
            return NO_THING
    return NO_THING
