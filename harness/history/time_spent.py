"""Where the time went: what operations and commands waited for and worked, gathered by name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from harness.history.records import Command, Outcome, Pacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.history.records import ClientRecord, History, TimesSpent

__all__ = ["QUANTITIES", "Piece", "Spending", "spendings"]

# What is known of a piece of work, in seconds; the last four of those who tell it only.
QUANTITIES = ("total_s", "queued_s", "service_s", "cpu_s", "node_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One operation, command or start of a client that returned, in seconds of its run's clock.

    ``total_s`` is from the call to the answer; the others are as in ``TimesSpent``. Those of an
    operation add up what its commands told, and may exceed its total where commands overlap.
    """

    user: str | None
    begin_s: float
    total_s: float
    queued_s: float | None = None
    service_s: float | None = None
    cpu_s: float | None = None
    node_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """All pieces of one name, in order of their begin.

    ``kind`` is "operation" or "command"; the start of a client is the command "spawn". ``timed`` is
    the pacing of the rounds that they belong to, None for the run itself. ``left_out`` counts what
    raised, was cancelled or never ended.
    """

    kind: str
    name: str
    timed: Pacing | None
    pieces: tuple[Piece, ...]
    left_out: int

    def samples(self, quantity: str) -> tuple[float, ...]:
        """List what is known of one of ``QUANTITIES``, sorted; empty if nothing is."""
        known = (getattr(piece, quantity) for piece in self.pieces)
        return tuple(sorted(one for one in known if one is not None))


def spendings(histories: Sequence[History]) -> tuple[Spending, ...]:
    """Gather operations by call and commands by name, over histories of one backend.

    Those of the runs come first, then those of their timed rounds.
    """
    parts: list[tuple[Pacing | None, Sequence[History]]] = [(None, histories)]
    for pacing in Pacing:
        rounds = [one.history for run in histories for one in run.rounds if one.pacing is pacing]
        parts.append((pacing, rounds))
    return tuple(
        Spending(
            kind=kind,
            name=name,
            timed=timed,
            pieces=tuple(piece for piece in pieces if piece is not None),
            left_out=pieces.count(None),
        )
        for timed, part in parts
        for kind, taken in (("operation", _operations), ("command", _commands))
        for name, pieces in _by_name(taken(one) for one in part).items()
    )


def _by_name(parts: Iterable[Iterable[tuple[str, Piece | None]]]) -> dict[str, list[Piece | None]]:
    found: dict[str, list[Piece | None]] = {}
    for name, piece in chain.from_iterable(parts):
        found.setdefault(name, []).append(piece)
    return found


def _operations(history: History) -> Iterator[tuple[str, Piece | None]]:
    """Make a piece of each operation, None of one that did not return."""
    told: dict[int, list[TimesSpent]] = {}
    ends = {one.number: one.end_s for one in history.operations}
    for work, end_s in _works(history):
        number = work.operation
        until_s = None if number is None else ends.get(number)
        if number is None or until_s is None or end_s is None or work.times is None:
            continue
        # What goes on when its operation has ended is no longer waited for.
        if end_s <= until_s:
            told.setdefault(number, []).append(work.times)
    for one in history.operations:
        if one.end_s is None or not one.succeeded:
            yield one.call, None
        else:
            yield one.call, _piece(one.user, one.begin_s, one.end_s, told.get(one.number, []))


def _commands(history: History) -> Iterator[tuple[str, Piece | None]]:
    """Make a piece of each start of a client and each command, None of one that failed."""
    for work, end_s in _works(history):
        name = work.name if isinstance(work, Command) else "spawn"
        if end_s is None or work.outcome is not Outcome.RETURNED:
            yield name, None
        else:
            told = [] if work.times is None else [work.times]
            yield name, _piece(work.key.get("user"), work.begin_s, end_s, told)


def _works(history: History) -> Iterator[tuple[ClientRecord | Command, float | None]]:
    """List what clients were asked, with the moments at which they had done it."""
    yield from ((one, one.ready_s) for one in history.clients)
    yield from ((one, one.end_s) for one in history.commands)


def _piece(user: str | None, begin_s: float, end_s: float, told: list[TimesSpent]) -> Piece:
    sums = {quantity: _sum(told, quantity) for quantity in QUANTITIES[1:]}
    return Piece(user=user, begin_s=begin_s, total_s=end_s - begin_s, **sums)


def _sum(told: list[TimesSpent], quantity: str) -> float | None:
    known = [one for times in told if (one := getattr(times, quantity)) is not None]
    return sum(known) if known else None
