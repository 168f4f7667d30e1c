"""What calls of builtins read and write; what is not known is everything."""

from __future__ import annotations

import array
import asyncio
import collections
import contextvars
import re
import types
from typing import Any

__all__ = ["CONTAINERS", "UNKNOWN", "VALUES", "effect_of"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What was touched, the thing itself or None for any, and whether it was written.
Effect = tuple[str, Any, bool]

# A call that may do anything.
UNKNOWN: Effect = ("everything", None, True)

CONTAINERS = (
    list, dict, set, collections.deque, bytearray, array.array, types.MappingProxyType,
)  # fmt: skip

VALUES = (
    int, float, complex, str, bytes, tuple, frozenset, range, slice, type(None), re.Pattern,
    re.Match, type(NotImplemented), type(...),
)  # fmt: skip

_VIEWS: tuple[type, ...] = (
    type({}.keys()), type({}.values()), type({}.items()), type(iter([])), type(iter(())),
    type(iter({})), type(iter(set())), type(iter({}.values())), type(iter({}.items())),
)  # fmt: skip

# They run frames of Python, which are seen themselves.
_FRAMES = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)

_READERS = _words(
    """
    copy count get index isdisjoint issubset issuperset items keys union values difference
    intersection symmetric_difference decode endswith find hex startswith tobytes tolist
    __contains__ __getitem__ __len__ __iter__ __reversed__ __sizeof__ __eq__
    """
)
_FUTURE_READERS = _words(
    "done result exception cancelled cancelling get_loop get_name get_coro get_context get_stack"
)
_NO_EFFECT = _words(
    """
    abs callable chr divmod hash hex id isinstance issubclass oct ord pow round bin iscoroutine
    exc_info getsizeof copy_context get_running_loop _get_running_loop current_task
    _get_event_loop get_event_loop intern __build_class__
    """
)
_READS = _words("all any ascii format iter len max min repr reversed sorted sum reduce")
_WRITES = _words("aiter anext heappop heappush heapify heappushpop heapreplace insort next")
# The compiled core of the loop. What is cancelled may have been about to run; all else is passed
# over, as are the frames of the plain one.
_CORE = "harness.simulated.loop._speedups"
_PLAIN_MODULES = frozenset({"math", "cmath", "zlib", "binascii", "_struct"})
_READING_MODULES = frozenset({"_json", "_bisect"})


def effect_of(function: Any) -> Effect | None:
    """Return what a builtin that is about to be called touches; None for nothing."""
    owner, name = getattr(function, "__self__", None), function.__name__
    if owner is None or isinstance(owner, types.ModuleType):
        return _of_function(function.__module__, name)
    if isinstance(owner, CONTAINERS):
        return "items", owner, name not in _READERS
    if isinstance(owner, asyncio.Future):
        return "future", owner, name not in _FUTURE_READERS
    if isinstance(owner, VALUES):
        # join and format look into what they are given.
        return ("items", None, False) if name in {"join", "format", "__format__"} else None
    return _of_rarer(owner, name)


def _of_rarer(owner: Any, name: str) -> Effect | None:
    if isinstance(owner, _FRAMES):
        return None
    if isinstance(owner, _VIEWS):
        return "items", None, name == "__next__"
    if isinstance(owner, (contextvars.ContextVar, contextvars.Context)):
        return "context", None, name not in {"get", "run", "copy", "items", "keys", "values"}
    if isinstance(owner, BaseException):
        return "items", owner, True
    if isinstance(owner, types.BuiltinMethodType):
        # The compiled ``call_soon`` hands over to a method of what it belongs to.
        owner = owner.__self__
    if type(owner).__module__ == _CORE:
        return UNKNOWN if name == "cancel" else None
    return _of_class(owner, name) if isinstance(owner, type) else UNKNOWN


def _of_class(owner: type, name: str) -> Effect | None:
    if name == "__new__":
        return None
    known = issubclass(owner, (*VALUES[:7], list, dict, set))
    return ("items", None, False) if known else UNKNOWN


def _of_function(module: str | None, name: str) -> Effect | None:
    if module in _PLAIN_MODULES or name in _NO_EFFECT:
        return None
    if name in _READS or module in _READING_MODULES:
        return "items", None, False
    if name in _WRITES:
        return "items", None, True
    if name == "print":
        return "output", None, True
    return UNKNOWN
