"""What an entry of the zoo is: a program that is wrong in one way, and its mended twin."""

from __future__ import annotations

import asyncio
import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["ZooEntry", "disk", "turns", "zoo_entry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooEntry:
    """A small service that is broken on purpose, and passes in the default order.

    ``program(mended)`` runs it once; it raises, or cannot go on, when its invariant is broken.
    ``hazard`` is what it stands for; ``ids`` are the invariants (I) and hazards (H) of the serve
    core's specification that it breaks, if it is one of those. ``depth`` is the number of unlucky
    choices that it needs; 0 says that the seed alone decides. ``adversarial`` says that no order
    that asyncio can produce shows it. ``symptom`` is part of the line that raises, ``"deadlock"``,
    or ``"unhandled"``. ``shrunk`` is the most deviations that shrinking leaves: ``depth`` unless
    it says more.
    """

    program: Callable[[bool], Coroutine[Any, Any, None]]
    hazard: str
    depth: int
    adversarial: bool
    symptom: str
    ids: str
    shrunk: int

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.__name__

    @property
    def invariant(self) -> str:
        """What the program breaks: the first line of its docstring."""
        return (inspect.getdoc(self.program) or "").partition("\n")[0]

    def subject(self, *, mended: bool = False, seed: int = 0) -> Program:
        """Return the program, or its mended twin, as the subject of a search."""

        @functools.wraps(self.program)
        async def main() -> None:
            await self.program(mended)

        terms = SearchTerms(seed=seed, adversarial=self.adversarial)
        return Program(main, terms, name=self.name)


def zoo_entry(
    *,
    hazard: str,
    symptom: str,
    depth: int = 1,
    production: bool = False,
    ids: str = "",
    shrunk: int | None = None,
) -> Callable[[Callable[[bool], Coroutine[Any, Any, None]]], ZooEntry]:
    """Make an entry of a program that is told whether it is mended."""

    def entry_of(program: Callable[[bool], Coroutine[Any, Any, None]]) -> ZooEntry:
        return ZooEntry(
            program=program,
            hazard=hazard,
            depth=depth,
            adversarial=not production,
            symptom=symptom,
            ids=ids,
            shrunk=depth if shrunk is None else shrunk,
        )

    return entry_of


async def turns(count: int = 1) -> None:
    """Let all others that are ready run, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def disk(count: int = 1) -> None:
    """Wait for small transactions, one after another: 1 to 5 ms each, up to 20 on a bad day."""
    for _ in range(count):
        await asyncio.to_thread(int)
