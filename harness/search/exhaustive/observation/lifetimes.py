"""Programs in which it matters when a thing is freed: to watch what steps touch keeps things."""

from __future__ import annotations

import asyncio
import gc
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any

from harness.history.parts import part_of

if TYPE_CHECKING:
    from types import CodeType

__all__ = ["asks_for_lifetimes", "freed_by", "held_weakly", "is_of_python", "may_be_held_weakly"]

_ASKING = (
    gc, weakref, weakref.ref, weakref.proxy, weakref.finalize, weakref.WeakSet,
    weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakMethod,
    weakref.getweakrefcount, weakref.getweakrefs, sys.getrefcount, gc.collect, gc.get_referrers,
    gc.get_objects,
)  # fmt: skip
_ASKED_FOR = frozenset({"getrefcount", "weakref", "finalize"})
_DELETES = "__del__"
# They have weak references of others than the program, or are freed where that is of no matter.
_APART = (asyncio.Future, asyncio.AbstractEventLoop, type, types.ModuleType, types.FunctionType)

_CODES: dict[int, tuple[CodeType, str]] = {}


def asks_for_lifetimes(code: CodeType, names: dict[str, Any]) -> str:
    """Return what in a function asks when things are freed, with its line; "" for nothing."""
    known = _CODES.get(id(code))
    if known is None:
        asked = "" if is_of_python(names.get("__name__")) else _asked(code, names)
        known = _CODES[id(code)] = (code, asked)
    return known[1]


def _asked(code: CodeType, names: dict[str, Any]) -> str:
    place = f"({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})"
    if code.co_name == _DELETES:
        return f"{code.co_qualname} {place}"
    for name in code.co_names:
        value = names.get(name)
        if name in _ASKED_FOR or any(value is one for one in _ASKING):
            return f"{name} in {code.co_qualname} {place}"
        if isinstance(value, type) and _deletes(value):
            return f"__del__ of {value.__qualname__}, named in {code.co_qualname} {place}"
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return next(filter(None, (_asked(one, names) for one in inner)), "")


def _deletes(kind: type) -> bool:
    if issubclass(kind, _APART) or is_of_python(kind.__module__):
        return False
    found = getattr(kind, _DELETES, None)
    return isinstance(found, types.FunctionType) and not part_of(found.__module__ or "").is_harness


def is_of_python(module: Any) -> bool:
    """Return True for a module of the standard library, which frees its own things."""
    return str(module).partition(".")[0] in sys.stdlib_module_names


def freed_by(kind: type) -> str:
    """Return why it matters when a class's things are freed; "" if it does not."""
    return f"__del__ of {kind.__qualname__}" if _deletes(kind) else ""


def may_be_held_weakly(kind: type) -> bool:
    """Return True if it matters when a class's things are freed to which there are weak ones."""
    return not (issubclass(kind, _APART) or is_of_python(kind.__module__))


def held_weakly(thing: Any) -> str:
    """Return why it matters when a thing is freed; "" if nothing refers to it weakly."""
    if weakref.getweakrefcount(thing):
        return f"a weak reference to a {type(thing).__qualname__}"
    return ""
