"""Correct services of all kinds, whose scenario files are drafted: each class is a case."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence  # noqa: TC003 - they are read
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NewType,
    Protocol,
    TypedDict,
    TypeVar,
)

from harness.errors import Terminated

if TYPE_CHECKING:
    from nowhere import Session  # type: ignore[import-not-found]

T = TypeVar("T")
Amount = NewType("Amount", int)


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    SMALL = "small"


class Address(TypedDict):
    street: str
    number: int


@dataclass
class Receipt:
    order_id: str
    at: datetime


class Tickets:
    def __init__(self, left: int = 3) -> None:
        self._left, self._lock = left, asyncio.Lock()

    async def buy(self, user: str) -> int:
        async with self._lock:
            await asyncio.sleep(random.uniform(0, 0.01))
            if self._left == 0:
                raise LookupError("sold out")
            self._left -= 1
            return self._left


class SoldOut(Tickets):
    def __init__(self) -> None:
        super().__init__(left=2)


class Inherits(Tickets):
    async def give_back(self, user: str) -> None:
        async with self._lock:
            self._left += 1


@dataclass
class Bank:
    start: int = 10
    fee: float = 0.5
    names: list[str] = field(default_factory=list)

    async def deposit(self, account_id: str, amount: int) -> int:
        await asyncio.sleep(0.01)
        self.start += amount
        return self.start

    @property
    def total(self) -> int:
        raise RuntimeError("a property is no operation")


class Box(Generic[T]):
    def __init__(self) -> None:
        self._kept: list[T] = []

    async def put(self, item: T) -> int:
        self._kept.append(item)
        await asyncio.sleep(0)
        return len(self._kept)


class Streams:
    async def numbers(self) -> AsyncIterator[int]:
        yield 1

    async def first(self) -> int:
        async for one in self.numbers():
            return one
        raise LookupError


class Methods:
    @staticmethod
    async def ping() -> str:
        return "pong"

    @staticmethod
    async def echo(user: str, text: str) -> str:
        return f"{user}: {text}"

    @classmethod
    async def made(cls, user: str) -> str:
        return cls.__name__

    def plain(self) -> int:
        return 3


class KeywordOnly:
    def __init__(self, *, size: int, name: str) -> None:
        self.size, self.name = size, name

    async def put(self, *, key: str, user_id: str, value: bytes | None = None) -> str:
        return f"{key}{user_id}{self.name}"


class Names:
    async def call(self, true: str = 'a "b" \\ \n\x7f\u2028', inf: float = float("inf")) -> None:
        del inf
        assert true == 'a "b" \\ \n\x7f\u2028'

    async def each(self, user: str, größe: int = 3, x: str = "$x", nan: str = "{user}") -> str:  # noqa: PLC2401 - on purpose
        assert (größe, x, nan) == (3, "$x", "{user}")
        return user

    async def größer(self) -> None:  # noqa: PLC2401 - as above
        raise AssertionError("no scenario can call it")


class Outer:
    class Inner:
        async def do(self) -> None:
            await asyncio.sleep(1)


class Managed:
    def __init__(self) -> None:
        self._open = False

    async def __aenter__(self) -> Managed:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def start(self) -> None:
        assert not self._open
        self._ticks = asyncio.create_task(asyncio.sleep(3_600))
        self._open = True

    async def close(self) -> None:
        assert self._open
        self._ticks.cancel()
        self._open = False

    async def work(self, user: str) -> None:
        assert self._open


class Worker:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] | None = None

    async def stop(self) -> None:
        self._task.cancel()

    async def start(self) -> None:
        self._queue = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        assert self._queue is not None
        while True:
            await self._queue.get()

    async def submit(self, user: str) -> None:
        if self._queue is None:
            raise RuntimeError("not started")
        await self._queue.put(user)


class Sessions:
    """Each user has a session, which is opened first and closed last."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    async def disconnect(self, who: str) -> None:
        self._open.remove(who)

    async def connect(self, who: str) -> None:
        self._open.add(who)

    async def ask(self, who: str, timeout: float = 1.0) -> None:
        assert who in self._open


class Audited:
    conditions = ("is_sound",)
    points = ("seat.taken",)

    def __init__(self, points: Callable[..., Any], storage_path: Any) -> None:
        self._points = points
        assert storage_path.is_dir()

    def is_sound(self) -> bool:
        return True

    async def audit(self) -> list[str]:
        return []

    async def take(self, user: str) -> None:
        await self._points("seat.taken", user=user)


class Queue:
    def __init__(self) -> None:
        self._items: asyncio.Queue[str] = asyncio.Queue()

    async def get(self) -> str:
        return await self._items.get()

    async def put(self, item: str) -> None:
        await self._items.put(item)


class Waits:
    def __init__(self) -> None:
        self._never = asyncio.Event()

    async def ready(self) -> None:
        await self._never.wait()

    async def work(self, user: str) -> None:
        await asyncio.sleep(0.1)


class Polls:
    async def follow(self) -> None:
        while True:  # noqa: ASYNC110 - a service that never ends by itself
            await asyncio.sleep(1)

    async def look(self) -> int:
        return 1


class Rows:
    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    async def create(self, user: str, name: str) -> None:
        await asyncio.sleep(random.uniform(0, 0.1))
        self._rows[user] = name

    async def read(self, user: str) -> str:
        await asyncio.sleep(random.uniform(0, 0.1))
        return self._rows[user]

    async def delete(self, user: str) -> None:
        del self._rows[user]


class Shares:
    """Callers at once are given one and the same refreshed version."""

    def __init__(self) -> None:
        self._version = 0
        self._task: asyncio.Task[int] | None = None

    async def refresh(self) -> int:
        if self._task is None:
            self._task = asyncio.create_task(self._load())
        try:
            return await asyncio.shield(self._task)
        finally:
            self._task = None

    async def _load(self) -> int:
        await asyncio.sleep(0.1)
        self._version += 1
        return self._version


class OneAtATime:
    def __init__(self) -> None:
        self._busy = False

    async def build(self) -> None:
        if self._busy:
            raise RuntimeError("a build is under way")
        self._busy = True
        await asyncio.sleep(1)
        self._busy = False


class InFlight:
    def __init__(self) -> None:
        self._count = 0

    async def work(self) -> int:
        self._count += 1
        await asyncio.sleep(random.uniform(0, 1))
        self._count -= 1
        return self._count

    async def count(self) -> int:
        return self._count


class Clocked:
    async def now(self) -> float:
        await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time()

    async def stamp(self) -> str:
        await asyncio.sleep(0.1)
        return datetime.now(UTC).isoformat()

    async def seconds(self) -> int:
        await asyncio.sleep(1)
        return int(asyncio.get_running_loop().time())


class Chance:
    async def dice(self) -> int:
        return random.randint(1, 1_000)

    async def token(self) -> str:
        return uuid.uuid4().hex

    async def short(self) -> str:
        return f"{random.randrange(10**6)}"

    async def order(self, user: str) -> Receipt:
        return Receipt(order_id=uuid.uuid4().hex, at=datetime.now(UTC))


class Owned:
    def __init__(self, owner: str) -> None:
        assert owner == "owner"

    async def do(self) -> None: ...


class Garbles(OneAtATime):
    """Fails, at once only, with a message of several lines that could command a terminal."""

    async def build(self) -> None:
        try:
            await super().build()
        except RuntimeError as error:
            raise RuntimeError("two\nlines\r\x1b[31m\0\x9b\u2028") from error


class Mute(type):
    def __dir__(cls) -> list[str]:
        raise RuntimeError("nothing to tell")


class Lazy:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __get__(self, holder: object, owner: type) -> object:
        raise self._error


class Reluctant(metaclass=Mute):
    """Tells of itself only what it must."""

    failing = Lazy(RuntimeError("not yet"))
    leaving = Lazy(SystemExit(1))

    async def do(self) -> None: ...


class Types:
    async def all(  # noqa: PLR0917 - every parameter is a case
        self,
        colour: Colour,
        kind: Literal["a", "b"],
        amount: Amount,
        many: Sequence[int],
        pairs: Mapping[str, list[float]],
        maybe: int | None,
        place: Address,
        bounded: Annotated[int, "at least 1"],
        on: datetime,
        email: str,
    ) -> None:
        assert colour in list(Colour)
        assert kind in ("a", "b")
        assert amount + bounded == 2
        assert many == [1]
        assert pairs == {"key": [1.0]}
        assert maybe == 1
        assert place == {"street": "street", "number": 1}
        assert on.tzinfo is not None
        assert "@" in email

    async def unknown(self, session: Session, raw: bytes, size: Size, call: Callable[[], int], x):
        call()

    async def by_number(self, user: int) -> None:
        del user


class PositionalOnly:
    async def one(self, key: str, /) -> str:
        return key

    async def two(self, key: str = "a", /, *more: str, name: str, **rest: str) -> str:
        return key + name


class Prints:
    async def say(self, user: str) -> None:
        print("THIS IS PRINTED")
        print("SO IS THIS", file=sys.stderr)
        logging.getLogger(__name__).error("AND THIS")


class Slotted:
    __slots__ = ("_left",)

    def __init__(self, left: int | None = None, label: str = "x" * 500) -> None:
        self._left = left

    async def __call__(self) -> None:
        raise AssertionError("it has an underscore")

    async def _hidden(self) -> None:
        raise AssertionError("it has an underscore")

    async def look(self, username: str, owner: str = "nobody") -> str:
        return username + owner


# Not correct, or not to be drafted of: each has tests of its own.


class Abstract(ABC):
    @abstractmethod
    async def do(self) -> None: ...


class Spoken(Protocol):
    async def do(self) -> None: ...


class Nothing:
    def do(self) -> None: ...


class OnlyByPlace:
    async def do(self, it: str, /) -> None: ...


class Unmade:
    def __init__(self) -> None:
        raise ValueError("no database")

    async def do(self) -> None: ...


class Ends:
    async def do(self) -> None:
        raise SystemExit(3)


class Killed:
    async def do(self) -> None:
        raise Terminated(143)


class Threads:
    async def do(self) -> None:
        threading.Thread(target=print).start()


class Racy:
    def __init__(self) -> None:
        self._left = 3

    async def buy(self, user: str) -> int:
        left = self._left
        await asyncio.sleep(0.1)
        self._left = left - 1
        return self._left


class Leaves:
    async def do(self) -> None:
        self._task = asyncio.create_task(asyncio.sleep(3_600))


class LeavesOnce:
    """Leaves a task only where two calls begin at the same moment."""

    def __init__(self) -> None:
        self._begun: set[float] = set()

    async def do(self) -> None:
        now = asyncio.get_running_loop().time()
        if now in self._begun:
            self._task = asyncio.create_task(asyncio.sleep(3_600))
        self._begun.add(now)


class Mislabelled:
    async def do(self) -> None: ...

    do.__signature__ = 3  # type: ignore[attr-defined]


class MislabelledItself:
    __signature__ = 3

    async def do(self) -> None: ...


class Guarded(type):
    def __getattr__(cls, name: str) -> object:
        raise SystemExit(f"what is\n{name}?")


class Refuses(metaclass=Guarded):
    async def do(self) -> None: ...


class LazyAudit:
    audit = Lazy(SystemExit(1))

    async def do(self) -> None: ...


class KilledWhileRead:
    do = Lazy(Terminated(143))


class Stuck:
    async def do(self) -> None:
        await asyncio.Event().wait()


async def function() -> None: ...


instance = Tickets()
