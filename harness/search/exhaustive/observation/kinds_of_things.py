"""What is behind C's operators of a thing, and behind its attributes, as its class tells."""

from __future__ import annotations

import array
import asyncio
import builtins
import collections
import datetime as dt
import enum
import re
import types
import uuid
import weakref
from enum import IntEnum, auto
from typing import Any

__all__ = [
    "AROUND",
    "CONTAINERS",
    "OF_FAILURES",
    "VALUES",
    "Nature",
    "Natures",
    "Way",
    "Ways",
    "base_of",
    "odd_names",
    "way_to",
]

CONTAINERS = (list, dict, set, collections.deque, bytearray, array.array)
VALUES = (
    int, float, complex, str, bytes, tuple, frozenset, range, slice, type(None), re.Pattern,
    re.Match, type(NotImplemented), type(...),
)  # fmt: skip


class Nature(IntEnum):
    """What C code comes to when it iterates a thing, compares it or makes a text of it."""

    VALUE = auto()  # nothing that changes
    TUPLE = auto()  # what lies in it, which stays the same
    CONTAINER = auto()  # what lies in it
    FACTORY = auto()  # the same, and looking for a key may put one in
    OBJECT = auto()  # frames of Python, or that it is the one
    VIEW = auto()  # what lies in another
    CURSOR = auto()  # what lies in another, and how far it has come
    FRAMES = auto()  # frames of Python that stand still between two uses
    FAILURE = auto()  # its arguments
    NAMESPACE = auto()  # its attributes
    FUTURE = auto()  # whether it is done
    UNKNOWN = auto()  # anything


class Way(IntEnum):
    """How an attribute is come to."""

    OWN = auto()  # it is the thing's, or its class's
    INSIDE = auto()  # the same, of one of asyncio's primitives
    FOUND = auto()  # a method of its class
    ANYTHING = auto()  # code of C that may look anywhere


_EXACT: dict[type, Nature] = {
    **dict.fromkeys(
        (
            int, float, complex, str, bytes, bool, range, type(None), re.Pattern, re.Match,
            type(NotImplemented), type(...), dt.date, dt.time, dt.datetime,
            dt.timedelta, dt.timezone, types.GenericAlias, types.UnionType, uuid.UUID,
        ),
        Nature.VALUE,
    ),
    **dict.fromkeys((tuple, frozenset, slice), Nature.TUPLE),
    **dict.fromkeys((*CONTAINERS, collections.OrderedDict), Nature.CONTAINER),
    collections.defaultdict: Nature.FACTORY,
    **dict.fromkeys(
        (
            object, type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType,
            types.MethodType, types.MethodDescriptorType, types.WrapperDescriptorType,
            types.CodeType, property, staticmethod, classmethod, super,
        ),
        Nature.OBJECT,
    ),
    **dict.fromkeys(
        (memoryview, type({}.keys()), type({}.values()), type({}.items())), Nature.VIEW
    ),
    **dict.fromkeys(
        (
            type(iter([])), type(iter(())), type(iter({})), type(iter(set())), type(iter("")),
            type(iter("é")), type(iter(b"")), type(iter(range(0))), type(iter({}.values())),
            type(iter({}.items())), type(reversed([])), type(reversed({})),
            type(iter(collections.deque())), type(iter(bytearray())),
        ),
        Nature.CURSOR,
    ),
    **dict.fromkeys(
        (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType), Nature.FRAMES
    ),
    types.SimpleNamespace: Nature.NAMESPACE,
}  # fmt: skip
_OF_C = (
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
    types.BuiltinFunctionType, types.GetSetDescriptorType,
)  # fmt: skip
_OF_ALL = frozenset({"__dict__", "__weakref__"})
_NOTHING = object()
# What Python's own exceptions make their texts of.
OF_FAILURES = frozenset(
    name
    for kind in vars(builtins).values()
    if isinstance(kind, type) and issubclass(kind, BaseException)
    for name, one in vars(kind).items()
    if isinstance(one, (types.MemberDescriptorType, types.GetSetDescriptorType))
)
_FIELD: Any = type(vars(collections.namedtuple("Pair", "first second"))["first"])
_PRIMITIVES = ("asyncio.locks", "asyncio.queues", "asyncio.taskgroups", "asyncio.timeouts")
# They lead to what lies in frames and cells, around all names.
AROUND = frozenset({
    "ag_frame", "cell_contents", "cr_frame", "cr_await", "f_back", "f_builtins", "f_globals",
    "f_locals", "gi_frame", "gi_yieldfrom", "tb_frame", "tb_lasti", "tb_lineno", "tb_next",
})  # fmt: skip


class _Asked:
    """What was found of one class."""

    __slots__ = ("nature", "odd", "ways")

    def __init__(self) -> None:
        self.nature: Nature | None = None
        self.odd: frozenset[str] | None = None
        self.ways: dict[tuple[str, bool], Way] = {}


# Of all runs. A run may make classes of its own, which are not kept.
_ASKED: weakref.WeakKeyDictionary[type, _Asked] = weakref.WeakKeyDictionary()


def _asked(kind: type) -> _Asked:
    found = _ASKED.get(kind)
    if found is None:
        found = _ASKED[kind] = _Asked()
    return found


class Natures(dict[type, Nature]):
    """What is behind the operators of each class's things, as far as it was asked in a run."""

    def __init__(self) -> None:
        super().__init__(_EXACT)

    def __missing__(self, kind: type) -> Nature:
        asked = _asked(kind)
        if asked.nature is None:
            asked.nature = _nature(kind)
        self[kind] = asked.nature
        return asked.nature

    def forget(self) -> None:
        """Ask all classes anew: one may have been changed."""
        self.clear()
        self.update(_EXACT)
        _ASKED.clear()


class Ways(dict[tuple[type, str, bool], Way]):
    """How each class's things are asked for attributes, as far as it happened in a run."""

    def __missing__(self, key: tuple[type, str, bool]) -> Way:
        kind, name, written = key
        ways = _asked(kind).ways
        way = ways.get((name, written))
        if way is None:
            way = ways[name, written] = way_to(kind, name, written=written)
        self[key] = way
        return way


def _nature(kind: type) -> Nature:
    if issubclass(kind, enum.Enum):
        return Nature.VALUE
    if issubclass(kind, asyncio.Future):
        return Nature.FUTURE
    if issubclass(kind, BaseException):
        return Nature.FAILURE
    if issubclass(kind, type):
        return Nature.OBJECT
    for base in kind.__mro__:
        if base in _EXACT:
            return _EXACT[base]
        if not _is_of_python(base):
            break
    return Nature.UNKNOWN


def _is_of_python(kind: type) -> bool:
    return not any(
        isinstance(one, _OF_C) and name not in _OF_ALL for name, one in vars(kind).items()
    )


# How attributes are looked up that lie in the thing, its dict or its class.
_PLAIN_LOOKS = (
    object.__setattr__,
    object.__delattr__,
    *(
        one.__getattribute__
        for one in (*CONTAINERS, object, tuple, frozenset, int, float, str, bytes)
    ),
    collections.OrderedDict.__getattribute__,
    collections.defaultdict.__getattribute__,
)


def way_to(kind: type, name: str, *, written: bool) -> Way:
    """Return how an attribute of a class's things is come to."""
    if name in AROUND:
        return Way.ANYTHING
    looks = (kind.__setattr__, kind.__delattr__) if written else (kind.__getattribute__,)
    if not all(one in _PLAIN_LOOKS or isinstance(one, types.FunctionType) for one in looks):
        # A weak proxy, and whoever else hands on.
        known = kind in _EXACT or issubclass(kind, (BaseException, asyncio.Future))
        if not known or (written and issubclass(kind, types.MethodType)):
            return Way.ANYTHING
    for base in kind.__mro__:
        found = vars(base).get(name, _NOTHING)
        if found is not _NOTHING:
            return _way_by(kind, found, name, written=written)
    own = getattr(kind, "__getattr__", None)
    if own is not None and not isinstance(own, types.FunctionType):
        return Way.ANYTHING
    return Way.INSIDE if _is_primitive(kind) else Way.OWN


def _way_by(  # noqa: PLR0911 - a table of kinds
    kind: type, found: Any, name: str, *, written: bool
) -> Way:
    if isinstance(found, (types.FunctionType, staticmethod, classmethod)):
        return Way.OWN if written else Way.FOUND
    if isinstance(found, property):
        ways = (found.fset, found.fdel) if written else (found.fget,)
        frames = all(one is None or isinstance(one, types.FunctionType) for one in ways)
        return Way.OWN if frames else Way.ANYTHING
    if isinstance(found, types.MemberDescriptorType):
        # An exception's text is made of them.
        own = Way.INSIDE if issubclass(kind, BaseException) else Way.OWN
        return own if found.__name__ == name else Way.ANYTHING
    if isinstance(found, types.GetSetDescriptorType):
        inside = issubclass(kind, (BaseException, asyncio.Future))
        return Way.INSIDE if inside else Way.ANYTHING if written else Way.OWN
    if isinstance(found, (*_OF_C, _FIELD)):
        return Way.FOUND
    get = getattr(type(found), "__get__", None)
    if get is None or isinstance(get, types.FunctionType):
        return Way.INSIDE if _is_primitive(kind) else Way.OWN
    return Way.ANYTHING


def odd_names(kind: type) -> frozenset[str]:
    """Return the attributes of a class's things that are come to by code of C; "" for any."""
    asked = _asked(kind)
    if asked.odd is None:
        names = {name for base in kind.__mro__ if _is_of_python(base) for name in vars(base)}
        odd = {name for name in names if way_to(kind, name, written=False) is Way.ANYTHING}
        if way_to(kind, "", written=False) is Way.ANYTHING:
            odd.add("")
        asked.odd = frozenset(odd)
    return asked.odd


def base_of(kind: type) -> type | None:
    """Return the class of asyncio's own that a primitive is of, or None."""
    for base in kind.__mro__:
        if base.__module__ in _PRIMITIVES:
            return base
    return None


def _is_primitive(kind: type) -> bool:
    return any(
        base.__module__ in _PRIMITIVES or issubclass(base, asyncio.Future) for base in kind.__mro__
    )
