"""What calls of builtins read and write; what is not known is everything."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections import defaultdict
from typing import Any, NamedTuple

from harness.search.exhaustive.observation.kinds_of_things import CONTAINERS, VALUES

__all__ = ["NOTHING", "UNKNOWN", "Effect", "effect_of"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Effect(NamedTuple):
    """What a call touches.

    Attributes:
        what: The kind of what is touched, or "" for nothing.
        thing: It, or None for any of the kind.
        written: Whether it is written.
        arguments: What is done with each argument: "" for nothing, or "look" into it, "iterate" it,
            read it "deep", "call" it, take it as an attribute's "name", or make a text by "format".
    """

    what: str
    thing: Any
    written: bool
    arguments: str = ""


# A call that may do anything.
UNKNOWN = Effect("everything", None, written=True)
NOTHING = Effect("", None, written=False)

_CURSORS: tuple[type, ...] = (
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
# Of a container's methods: what they do with what they are given. All others are not known.
_GIVEN = {
    **dict.fromkeys(
        _words(
            """
            __delitem__ __getitem__ __iter__ __len__ __reversed__ __setitem__ __sizeof__ add append
            appendleft buffer_info byteswap clear copy discard get hex insert items keys move_to_end
            pop popitem popleft reverse rotate setdefault tobytes tolist values
            """
        ),
        "",
    ),
    **dict.fromkeys(_words("__contains__ __eq__ __ne__ count index remove sort"), "deep"),
    **dict.fromkeys(
        _words(
            """
            __iadd__ __iand__ __ior__ __isub__ decode difference difference_update endswith extend
            extendleft find frombytes fromlist intersection intersection_update isdisjoint issubset
            issuperset join replace split startswith strip symmetric_difference
            symmetric_difference_update union update
            """
        ),
        "iterate",
    ),
}
# Those that compare what lies in the container with each other, or with what is given.
_COMPARING = _words("__contains__ __eq__ __ne__ count index remove sort")
_FUTURE_READERS = _words(
    "done result exception cancelled cancelling get_loop get_name get_coro get_context get_stack"
)
_FUTURE_WRITERS = _words(
    """
    add_done_callback cancel remove_done_callback set_exception set_name set_result uncancel
    """
)
_NO_EFFECT = _words(
    """
    callable chr hex id isinstance issubclass oct ord bin iscoroutine exc_info copy_context
    get_running_loop _get_running_loop current_task _get_event_loop get_event_loop intern
    __build_class__ _abc_instancecheck _abc_subclasscheck
    """
)
_BUILTINS = {
    **dict.fromkeys(_words("abs divmod hash pow round"), "deep"),
    **dict.fromkeys(_words("all any iter reversed"), "iterate"),
    **dict.fromkeys(_words("ascii format max min repr sorted sum"), "deep"),
    **dict.fromkeys(_words("len getsizeof"), "look"),
    **dict.fromkeys(_words("aiter anext next"), "iterate"),
    **dict.fromkeys(_words("delattr getattr hasattr setattr"), "name"),
    "reduce": "call",
}
_ITERATING = _words("max min sorted sum")
_ORDERING = _words("heappush heappop heapify heappushpop heapreplace insort insort_left"
                   " insort_right")  # fmt: skip
_READING_ORDER = _words("bisect bisect_left bisect_right")
# The compiled core of the loop. What is cancelled may have been about to run; all else is passed
# over, as are the frames of the plain one.
_CORE = "harness.simulated.loop._speedups"
_PLAIN_MODULES = frozenset({"math", "cmath", "zlib", "binascii", "_struct", "_json"})
_INTO = _words("pack_into make_encoder c_make_encoder")


def effect_of(function: Any) -> Effect:
    """Return what a builtin that is about to be called touches."""
    owner, name = getattr(function, "__self__", None), function.__name__
    if owner is None or isinstance(owner, types.ModuleType):
        return _of_function(function.__module__, name)
    if isinstance(owner, asyncio.Future):
        known = name in _FUTURE_READERS or name in _FUTURE_WRITERS
        # The step of a task and its wake-up belong to asyncio.
        return Effect("future", owner, name not in _FUTURE_READERS) if known else UNKNOWN
    if isinstance(owner, CONTAINERS):
        given = _GIVEN.get(name)
        if given is None:
            return UNKNOWN
        written = name not in _READERS or (name == "__getitem__" and isinstance(owner, defaultdict))
        return Effect("compared" if name in _COMPARING else "items", owner, written, given)
    if isinstance(owner, VALUES):
        return Effect("", None, written=False, arguments=_of_value(name))
    return _of_rarer(owner, name)


def _of_value(name: str) -> str:
    # "format" looks attributes and items up.
    if name in {"format", "format_map", "__format__"}:
        return "format"
    return "deep"


def _of_rarer(owner: Any, name: str) -> Effect:
    if isinstance(owner, _FRAMES):
        # From CPython 3.13 on, one that stands still is closed without a frame's event.
        return UNKNOWN if name == "close" else NOTHING
    if isinstance(owner, _CURSORS):
        return Effect("items", None, written=name == "__next__", arguments="iterate")
    if isinstance(owner, contextvars.ContextVar):
        return Effect("context", None, written=name != "get")
    if isinstance(owner, BaseException) and name in {"with_traceback", "add_note"}:
        return Effect("items", owner, written=True)
    if isinstance(owner, types.BuiltinMethodType):
        # The compiled ``call_soon`` hands over to a method of what it belongs to.
        owner = owner.__self__
    if type(owner).__module__ == _CORE:
        return UNKNOWN if name == "cancel" or name.startswith("set_") else NOTHING
    return _of_class(owner, name) if isinstance(owner, type) else UNKNOWN


def _of_class(owner: type, name: str) -> Effect:
    if name in {"__init_subclass__", "__subclasshook__"}:
        return NOTHING
    if name == "__new__" and (owner is object or issubclass(owner, BaseException)):
        return NOTHING
    known = issubclass(owner, (int, float, complex, str, bytes, tuple, list, dict, set, frozenset))
    return Effect("", None, written=False, arguments="iterate") if known else UNKNOWN


def _of_function(module: str | None, name: str) -> Effect:  # noqa: PLR0911 - a table of kinds
    if name in _INTO:
        return UNKNOWN
    if module in _PLAIN_MODULES:
        return Effect("", None, written=False, arguments="iterate")
    if module in {"_heapq", "_bisect"}:
        if name in _ORDERING:
            return Effect("first", None, written=True, arguments="deep")
        return (
            Effect("", None, written=False, arguments="deep") if name in _READING_ORDER else UNKNOWN
        )
    if name in _NO_EFFECT:
        return NOTHING
    if module in {"builtins", "sys", "_functools", None} and name in _BUILTINS:
        return Effect("iterated" if name in _ITERATING else "", None, False, _BUILTINS[name])
    if name == "print" and module == "builtins":
        return Effect("output", None, written=True, arguments="deep")
    return UNKNOWN
