"""The things of the rarer programs of shared state: classes with code behind each operator."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import dataclasses
import functools
import hmac
import logging
import pathlib
import signal
import tempfile
import threading
import warnings
import weakref
from typing import Any

__all__ = ["names"]


class Doubled:
    n = 1

    @property
    def twice(self):
        return 2 * self.n

    @twice.setter
    def twice(self, value):
        self.n = value


class Descriptor:
    def __get__(self, owner, kind):
        return owner and Described.values.get(id(owner), 0)

    def __set__(self, owner, value):
        Described.values[id(owner)] = value


class Described:
    field = Descriptor()
    values: dict[int, int] = {}  # noqa: RUF012 - it is what is tried


class Answering:
    def __init__(self):
        vars(self)["table"] = {"x": 1, "z": 1}

    def __getattr__(self, name):
        return self.table[name]

    def __setattr__(self, name, value):
        self.table[name] = value

    def __delattr__(self, name):
        del self.table[name]

    def __dir__(self):
        return list(self.table)


class Shown:
    """Reads its number behind every operator."""

    def __init__(self, n=1):
        self.n = n

    def __format__(self, how):
        return f"{self.n}{how}"

    def __repr__(self):
        return f"<{self.n}>"

    def __contains__(self, one):
        return one == self.n

    def __eq__(self, other):
        return self.n == getattr(other, "n", other)

    def __lt__(self, other):
        return self.n < other.n

    def __hash__(self):
        return self.n

    def __bool__(self):
        return self.n > 0

    def __iter__(self):
        return iter([self.n])

    def __reversed__(self):
        return iter([-self.n])

    def __length_hint__(self):
        return self.n

    def __index__(self):
        return self.n

    def __int__(self):
        return self.n

    def __float__(self):
        return float(self.n)

    def __enter__(self):
        return self.n

    def __exit__(self, *error):
        self.n += 3

    async def __aenter__(self):
        return self.n

    async def __aexit__(self, *error):
        self.n += 3

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.n

    async def __aiter__(self):
        yield self.n

    def __copy__(self):
        return self.n

    def __reduce__(self):
        return int, (self.n,)

    def __class_getitem__(cls, one):
        return one.n

    def __neg__(self):
        return -self.n

    def __matmul__(self, other):
        return self.n + other

    def __imatmul__(self, other):
        self.n += other
        return self


class Named:
    def __init__(self, seen):
        self.seen = seen

    def __set_name__(self, owner, name):
        self.seen.append(name)


@functools.total_ordering
class Ordered:
    n = 1

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n

    __hash__ = None  # type: ignore[assignment]


class Logging(logging.Handler):
    def __init__(self):
        super().__init__()
        self.seen = []
        self.logger = logging.Logger("x")
        self.logger.addHandler(self)

    def emit(self, record):
        self.seen.append(record.getMessage())


class Closed:
    n = 1

    def close(self):
        self.n += 1


@dataclasses.dataclass(order=True, slots=True)
class Slim:
    x: int


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: list[Any]


@dataclasses.dataclass
class Posted:
    x: list[Any]

    def __post_init__(self):
        self.x.append(1)


class NameOf(str):  # noqa: SLOT000 - it is to have attributes
    n = 1

    def __str__(self):
        return str(self.n)


class Begun(tuple[Any, ...]):  # noqa: SLOT001 - it is to have attributes
    def __init__(self, rows):
        self.rows = rows


class Growing(list[Any]):
    def append(self, one):
        super().append(one)

    @property
    def size(self):
        return super().__len__()


class Prioritised:
    def __init__(self):
        self.one = Shown(-1)
        self.queue = asyncio.PriorityQueue()
        self.queue.put_nowait(Shown(-5))


class Flags:
    now = 1


def inner():
    class Inner:
        rows = [1]  # noqa: RUF012 - it is what is tried
        __iter__ = rows.__iter__
        __len__ = rows.__len__
        __getitem__ = rows.__getitem__
        __contains__ = rows.__contains__
        __call__ = rows.append

    return Inner()


def turned():
    class Turned:
        def __init__(self):
            self.m = 1

        n = 0

    return Turned()


def registry():
    class Registry:
        made = []  # noqa: RUF012 - it is what is tried

        def __init_subclass__(cls):
            cls.made.append(1)

    return Registry


def counted():
    class Meta(type):
        calls = 0

        def __call__(cls):
            cls.calls += 1

        def __instancecheck__(cls, one):
            return one == cls.calls

    class Counted(metaclass=Meta):
        calls = 0

    return Counted


def decorated():
    def counts(function):
        @functools.wraps(function)
        def wrapper(*given):
            wrapper.calls += 1  # type: ignore[attr-defined]
            return function(*given)

        wrapper.calls = 0  # type: ignore[attr-defined]
        return wrapper

    class Decorated:
        @counts
        def work(self):
            return 1

    return Decorated


class Subbing:
    def __init__(self):
        class Base:
            limit = 1

            def ask(self):
                return self.limit

        class Sub(Base):
            def ask(self):
                return super().limit

        self.base, self.sub = Base, Sub


def made():
    class Made:
        seen = []  # noqa: RUF012 - it is what is tried

        def __init__(self):
            self.seen.append(1)

    return Made


def nonlocals():
    kept = 1

    def writes():
        nonlocal kept
        kept = 2
        yield kept

    def reads():
        return kept

    return [writes(), reads]


async def ticking():
    for number in range(3):
        yield number


def delegating():
    yield from [1, 2, 3]


async def appends(rows):
    await asyncio.sleep(0)
    rows.append(len(rows))


@contextlib.contextmanager
def opened(rows):
    rows.append(1)
    yield rows
    rows.append(2)


def run_it(function):
    return function()


def names():
    """Return the names for one run, with fresh things."""

    class Concrete(abc.ABC):  # noqa: B024 - what is registered is what is tried
        pass

    Described.values.clear()
    return {
        **{
            one.__name__: one
            for one in (
                contextlib, hmac, pathlib, signal, tempfile, threading, warnings, Described,
                Answering, Shown, Named, Ordered, Logging, Closed, Slim, Frozen, Posted, NameOf,
                Begun, Growing, Prioritised, Flags, Subbing, Concrete, nonlocals, ticking,
                delegating, appends, opened, run_it,
            )
        },
        "Counted": counted,
        "Decorated": decorated(),
        "Doubled": Doubled,
        "Factory": int,
        "Inner": inner,
        "Made": made(),
        "Registry": registry,
        "Turned": turned,
        "WEAK": weakref.WeakKeyDictionary(),
        "counts_all": lambda *given: len(given),
        "get_begun": lambda: Begun,
        "get_class": lambda: tuple,
    }  # fmt: skip
