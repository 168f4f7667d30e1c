"""A service that knows nothing of the harness: seats in rows, sold by lock, cashier and ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class SoldOut(Exception):
    """No such number of seats is left in the row."""


class TicketOffice:
    """Sells seats; a cashier task writes each sale to a database off the loop."""

    rows = 3
    seats = 4

    def __init__(self, directory: Path) -> None:
        self._ledger = directory / "sales.sqlite3"
        self._left = {row: list(range(self.seats)) for row in range(self.rows)}
        self._locks = [asyncio.Lock() for _ in range(self.rows)]
        self._till: asyncio.Queue[tuple[str, str, asyncio.Future[None]]] = asyncio.Queue(2)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._create)
        self._cashier = asyncio.create_task(self._work(), name="cashier")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._cashier.cancel()
        with suppress(asyncio.CancelledError):
            await self._cashier

    async def buy(self, user: str, row: int) -> str:
        """Sell the next seat of a row."""
        async with self._locks[row]:
            seat = await self._take(row)
        await self._book(user, seat)
        return seat

    async def swap(self, user: str, first: int, second: int) -> str:
        """Give a seat of one row back for a seat of another, both rows held meanwhile."""
        low, high = sorted((first, second))
        async with self._locks[low], self._locks[high]:
            await asyncio.sleep(0.01)
            seat = await self._take(second)
        await self._book(user, seat)
        return seat

    async def free(self) -> int:
        """Count the seats that are left."""
        return sum(map(len, self._left.values()))

    async def audit(self) -> list[str]:
        """Compare the ledger with the seats."""
        sold = await asyncio.to_thread(self._sold)
        gone = self.rows * self.seats - await self.free()
        problems = [f"{seat} was sold twice" for seat in sold if sold.count(seat) > 1]
        return problems + [f"{gone} seats gone, {len(sold)} sold"] * (gone != len(sold))

    async def _take(self, row: int) -> str:
        if not self._left[row]:
            raise SoldOut(f"row {row} is sold out")
        await asyncio.sleep(0.02)
        return f"{row}-{self._left[row].pop(0)}"

    async def _book(self, user: str, seat: str) -> None:
        booked = asyncio.get_running_loop().create_future()
        await self._till.put((user, seat, booked))
        await booked

    async def _work(self) -> None:
        while True:
            user, seat, booked = await self._till.get()
            await asyncio.to_thread(self._write, user, seat)
            booked.set_result(None)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._ledger)

    def _create(self) -> None:
        with self._connect() as ledger:
            ledger.execute("CREATE TABLE sales (user TEXT, seat TEXT)")

    def _write(self, user: str, seat: str) -> None:
        with self._connect() as ledger:
            ledger.execute("INSERT INTO sales VALUES (?, ?)", (user, seat))

    def _sold(self) -> list[str]:
        with self._connect() as ledger:
            return [seat for (seat,) in ledger.execute("SELECT seat FROM sales")]


class DoubleBooking(TicketOffice):
    """Looks at the seat before an await, and takes it after."""

    async def _take(self, row: int) -> str:
        if not self._left[row]:
            raise SoldOut(f"row {row} is sold out")
        seat = self._left[row][0]
        await asyncio.sleep(0.02)
        self._left[row] = [one for one in self._left[row] if one != seat]
        return f"{row}-{seat}"

    async def buy(self, user: str, row: int) -> str:
        seat = await self._take(row)
        await self._book(user, seat)
        return seat


class CrossedRows(TicketOffice):
    """Holds the rows in the order in which they were named."""

    async def swap(self, user: str, first: int, second: int) -> str:
        async with self._locks[first]:
            await asyncio.sleep(0.01)
            async with self._locks[second]:
                seat = await self._take(second)
        await self._book(user, seat)
        return seat
