"""Small services, sound and broken, and the real runs and searches of them that are reported."""

from __future__ import annotations

import asyncio
from contextlib import chdir
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness.scenario.reading import read_scenario
from harness.search.failures.investigation import run_with_schedule
from harness.search.failures.regression_runs import RegressionRuns
from harness.search.failures.tape_policy import TapeRecorder
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from harness.results.explorations import Exploration
    from harness.results.runs import RunResult
    from harness.results.schedule import Schedule

ROOT = Path(__file__).parents[3]
CLAIMS = "tests/harness/report/claims"
HERE = "tests.harness.report.real_runs"


class SoldTwice(Exception):
    """A ticket has two owners."""


class Fair:
    """Sells tickets without a lock, and seats its diners as if each came in its turn."""

    seats = 5

    def __init__(self) -> None:
        self._sold: list[int] = []
        self._forks = [asyncio.Lock() for _ in range(self.seats)]
        self._seated: set[int] = set()

    async def buy(self, user: str) -> int:
        """Sell the next ticket; who reads while another pays sells the same one again."""
        await asyncio.sleep(int(user[-1]) * 0.02)
        ticket = await asyncio.to_thread(len, self._sold)
        await asyncio.to_thread(len, self._sold)
        if ticket in self._sold:
            raise SoldTwice(f"ticket {ticket}")
        self._sold.append(ticket)
        return ticket

    async def dine(self, user: str) -> None:
        """Eat with two forks; seats 0 and 2 begin with the right one, if each comes in its turn."""
        seat = int(user[-1])
        await asyncio.sleep(0)
        forks = [self._forks[seat], self._forks[(seat + 1) % self.seats]]
        if seat in (0, 2) and seat + 1 not in self._seated:
            forks.reverse()
        self._seated.add(seat)
        async with forks[0]:
            await asyncio.sleep(0)
            async with forks[1]:
                await asyncio.sleep(0)


class SoundFair(Fair):
    """Sells one ticket after another."""

    def __init__(self) -> None:
        super().__init__()
        self._till = asyncio.Lock()

    async def buy(self, user: str) -> int:
        """Sell the next ticket."""
        async with self._till:
            return await super().buy(user)


class Counter:
    """Counts under a lock; it can also do what a run cannot bear."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._log_lock = asyncio.Lock()
        self._total = 0

    async def add(self, user: str) -> int:
        """Add one, one user after another, and log it."""
        async with self._lock:
            await asyncio.sleep(0.005)
            self._total += 1
        async with self._log_lock:
            await asyncio.sleep(0.001)
        if user == "carol":
            raise PermissionError("carol may not")
        return self._total

    async def call_out(self) -> None:
        """Ask for a socket, which a simulation has not."""
        await asyncio.open_connection("localhost", 1)

    async def leave(self) -> None:
        """End the interpreter."""
        raise SystemExit(4)


class Stall:
    """Takes as long for one order as for many."""

    async def order(self, user: str) -> str:
        """Take an order."""
        await asyncio.sleep(0.01)
        return user

    async def look(self) -> None:
        """Take no time to speak of."""
        await asyncio.sleep(0)


class LosingStall(Stall):
    """Loses the tenth order that it is given in this process: one in a timing of the phase."""

    orders = 0

    async def order(self, user: str) -> str:
        """Take an order, or lose it."""
        LosingStall.orders += 1
        if LosingStall.orders == 10:
            raise ConnectionError("the tenth order is lost")
        return await super().order(user)


class OneStall(Stall):
    """Takes one order after another."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def order(self, user: str) -> str:
        """Take an order."""
        async with self._lock:
            return await super().order(user)


async def crowd() -> None:
    """Let 39 tasks go on in turn, 75 times each."""

    async def client() -> None:
        for _ in range(75):
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(39):
            group.create_task(client(), name=f"client {number:02}")


@cache
def real_run(
    claim: str, *, seed: int = 48151, node: str = "simulated", system: str | None = None
) -> RunResult:
    """Run a scenario of this folder; or another file, named from the root of the tree."""
    with chdir(ROOT):
        return harness.run_scenario(_path(claim), seed=seed, node=node, system=system)


def real_regression(path: str) -> RunResult:
    """Carry out the only regression of a scenario file, named from the root of the tree."""
    with chdir(ROOT):
        (run,) = RegressionRuns([read_scenario(Path(path))], system=None)
        return run


@cache
def real_search(
    claim: str,
    *,
    runs: int,
    strategy: str = "portfolio",
    adversarial: bool = True,
) -> Exploration:
    """Search a scenario of this folder, whatever is found on the way."""
    with chdir(ROOT):
        return harness.explore_scenario(
            _path(claim),
            runs=runs,
            strategy=strategy,
            seed=48151,
            adversarial=adversarial,
            first=False,
        )


@cache
def real_crowd(deviations: int) -> Schedule:
    """Record forty lanes, of which some are overtaken, each by one step, this often in all."""
    with Program(crowd, SearchTerms(adversarial=True)) as subject:
        writer = TapeRecorder(strategy_named("random", seed=7).begin(1))
        subject.attempt(writer, seed=7, watcher=writer)
        tape = writer.tape(7)
        every = len(tape.schedule) // deviations
        some = [one._replace(value=1) for one in tape.schedule[every // 2 :: every]][:deviations]
        return run_with_schedule(subject, tape.with_deviations(some))[1]


def with_each_text(value: Any, text: str) -> Any:
    """Put a text in the place of every text of a record, but of words that a format fixes."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(with_each_text(one, text) for one in value)
    if isinstance(value, dict):
        return {
            f"{text}{at or ''}": with_each_text(one, text) for at, one in enumerate(value.values())
        }
    if is_dataclass(value) and not isinstance(value, type):
        told = {one.name: getattr(value, one.name) for one in fields(value)}
        fixed = {"node", "digest", "mode"}
        changed = {
            name: with_each_text(one, text) for name, one in told.items() if name not in fixed
        }
        return replace(value, **changed)
    return value


def _path(claim: str) -> str:
    return claim if "/" in claim else f"{CLAIMS}/{claim}.toml"
