"""The names that programs of shared state may use: modules, and small classes with a state."""

from __future__ import annotations

import abc
import array
import asyncio
import base64
import binascii
import bisect
import collections
import contextvars
import copy
import csv
import dataclasses
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import logging
import marshal
import math
import operator
import os
import pickle
import pprint
import queue
import random
import re
import sqlite3
import statistics
import string
import struct
import sys
import tempfile
import textwrap
import types
import weakref
import zlib
from typing import Any
from xml.etree import ElementTree as ET

__all__ = ["names"]

_MODULES = (
    abc, array, asyncio, base64, binascii, bisect, collections, copy, contextvars, csv, dataclasses,
    decimal, fractions, functools, hashlib, heapq, io, itertools, json, logging, marshal, math,
    operator, os, pickle, pprint, queue, random, re, sqlite3, statistics, string, struct, sys,
    textwrap, types, weakref, zlib,
)  # fmt: skip


class Box:
    """An object with one attribute, and other ways to it."""

    __match_args__ = ("n",)
    kind = "box"

    def __init__(self) -> None:
        self.n = 1

    def __index__(self) -> int:
        return self.n

    by_getter = property(operator.attrgetter("n"))
    add_two = functools.partialmethod(setattr, "n", 3)


class Other(Box):
    kind = "other"


class Slotted:
    __slots__ = ("n",)
    other: Any

    def __init__(self) -> None:
        self.n = 1


Slotted.other = vars(Slotted)["n"]


class Forwarding:
    """Finds its attributes in a dict of its own, by a method of C."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.table = table
        type(self).__getattr__ = table.__getitem__  # type: ignore[attr-defined]


class Key:
    def __init__(self) -> None:
        self.n = 1

    def __hash__(self) -> int:
        return hash(self.n) if self.n > 2 else 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.n == other.n


class Lazy:
    source = 1

    @functools.cached_property
    def value(self) -> int:
        return self.source


class Rows(list[Any]):
    pass


class Row(tuple[Any, ...]):
    __slots__ = ()


class Table(dict[Any, Any]):
    pass


class Missing(dict[Any, Any]):
    def __missing__(self, key: Any) -> Any:
        self[key] = 1
        return 1


class Name(str):  # noqa: SLOT000 - it is to have attributes
    n = 1


class Peeked(asyncio.Queue[Any]):
    def peek(self) -> Any:
        return self._queue[0] if self._queue else None  # type: ignore[attr-defined]


class Colour(enum.Enum):
    RED = 1


class Kept:
    """Holds the only reference of an object that others know weakly."""

    def __init__(self) -> None:
        self.box = Box()
        self.fired: list[Any] = []
        self.ref = weakref.ref(self.box, self.fired.append)
        self.proxy = weakref.proxy(self.box)
        self.weak = weakref.WeakSet([self.box])
        self.table = weakref.WeakValueDictionary({"a": self.box})
        self.final = weakref.finalize(self.box, int)


class Last:
    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def __del__(self) -> None:
        self.log.append(1)


class Dying:
    def __init__(self) -> None:
        self.log: list[Any] = []
        self.held: Any = Last(self.log)


class Abstract(abc.ABC):  # noqa: B024 - what isinstance asks of it is what is tried
    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return hasattr(other, "n")


@dataclasses.dataclass
class Point:
    x: Any
    y: Any


class Gathering:
    def add(self, one: Any, into: list[Any] | None = None, _all: list[Any] = []) -> list[Any]:  # noqa: B006 - it is what is tried
        _all.append(one)
        del into
        return _all


def fresh() -> type:
    class Limited:
        limit = 1

        def read(self) -> int:
            return self.limit

    return Limited


def counting():
    total = 0
    while True:
        total = 2 * total + ((yield total) or 1)


def primed():
    counted = counting()
    next(counted)
    return counted


def cells():
    kept = 1

    def writes(value: int) -> None:
        nonlocal kept
        kept = value

    def reads() -> int:
        return kept

    return [writes, reads]


def tagged():
    def function() -> None:
        pass

    return function


def database() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("create table t (n)")
    return made


def names() -> dict[str, Any]:
    """Return the names for one run, with fresh things."""
    boxes: list[Any] = [Box()]

    def defaulted(n: int = 1) -> int:
        return n

    Gathering.add.__defaults__ = (None, [])
    Colour.RED.note = 0  # type: ignore[attr-defined]
    decimal.setcontext(decimal.Context(prec=9))
    random.seed(0)
    return {
        **{one.__name__: one for one in _MODULES},
        **{
            one.__name__: one
            for one in (
                Box, Other, Slotted, Forwarding, Key, Lazy, Rows, Row, Table, Missing, Name, Peeked,
                Colour, Kept, Dying, Abstract, Point, Gathering,
            )
        },
        "BOXES": boxes,
        "CACHED": functools.lru_cache(lambda n: n),
        "CELL": 1,
        "APPEND_2": operator.methodcaller("append", 2),
        "COPY": operator.methodcaller("copy"),
        "COPY_CONTEXT": contextvars.copy_context(),
        "DATABASE": database,
        "ElementTree": ET,
        "FILE": functools.partial(tempfile.NamedTemporaryFile, "w"),
        "Fresh": fresh,
        "GET_A": operator.itemgetter("a"),
        "GET_N": operator.attrgetter("n"),
        "LOOP": asyncio.get_running_loop,
        "Pair": collections.namedtuple("Pair", "a b"),
        "REF": weakref_of(boxes),
        "Sub2": Box,
        "Tagged": tagged,
        "VAR": contextvars.ContextVar("v", default=0),
        "cells": cells,
        "counting": primed,
        "counts": [],
        "defaulted": defaulted,
    }  # fmt: skip


def weakref_of(boxes: list[Any]) -> Any:
    def dead(s: list[Any]) -> Any:
        return s[0] if s else None

    del boxes
    return dead
