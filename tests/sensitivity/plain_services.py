"""Small services that know nothing of serve: one sound, and others with one thing wrong each."""

from __future__ import annotations

import asyncio
from typing import Any

DISK_S = 0.01


class Shelf:
    """Keeps values by key on a slow disk; what was put is what is read from then on."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    async def put(self, key: str, value: Any) -> None:
        await asyncio.sleep(DISK_S)
        self._values[key] = value
        await asyncio.sleep(DISK_S)

    async def get(self, key: str) -> Any:
        await asyncio.sleep(DISK_S / 2)
        return self._values.get(key)


class CachedShelf(Shelf):
    """Remembers what it has read, and forgets to forget it when another value is put."""

    def __init__(self) -> None:
        super().__init__()
        self._cache: dict[str, Any] = {}

    async def get(self, key: str) -> Any:
        if key not in self._cache:
            self._cache[key] = await super().get(key)
        return self._cache[key]


class Bank:
    """Moves money between two accounts, slowly, each transfer at one moment."""

    conditions = ("books_balance", "nothing_pending", "two_at_once")

    def __init__(self) -> None:
        self._accounts = {"left": 100, "right": 100}
        self._pending = 0

    async def transfer(self, source: str, target: str, amount: int) -> None:
        self._pending += 1
        try:
            await self._move(source, target, amount)
        finally:
            self._pending -= 1

    async def _move(self, source: str, target: str, amount: int) -> None:
        await asyncio.sleep(DISK_S)
        if self._accounts[source] < amount:
            raise ValueError("not enough")
        self._accounts[source] -= amount
        self._accounts[target] += amount
        await asyncio.sleep(DISK_S)

    def books_balance(self) -> bool | str:
        total = sum(self._accounts.values())
        return total == 200 or f"{total} of 200 are there"

    def nothing_pending(self) -> bool:
        return self._pending == 0

    def two_at_once(self) -> bool:
        return self._pending > 1


class HalfTransfers(Bank):
    """Takes the money at one moment, and gives it at another: right at the end only."""

    async def _move(self, source: str, target: str, amount: int) -> None:
        await asyncio.sleep(DISK_S)
        if self._accounts[source] < amount:
            raise ValueError("not enough")
        self._accounts[source] -= amount
        await asyncio.sleep(DISK_S)
        self._accounts[target] += amount


class PendsForEver(Bank):
    """Forgets that a transfer which was refused is over."""

    async def transfer(self, source: str, target: str, amount: int) -> None:
        self._pending += 1
        await self._move(source, target, amount)
        self._pending -= 1


class OneAtATime(Bank):
    """Lets one transfer wait for the other."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = asyncio.Lock()

    async def transfer(self, source: str, target: str, amount: int) -> None:
        async with self._turn:
            await super().transfer(source, target, amount)


class TotalsRaise(Bank):
    """Has a condition that cannot be asked."""

    def books_balance(self) -> bool | str:
        raise LookupError("no books")
