"""A piece of a search's work: carried out anywhere, it gives what can be united with others."""

from __future__ import annotations

import base64
import hashlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, Terminated
from harness.results.explorations import Exploration
from harness.runs.scenarios import scenario_at, system_of
from harness.search.explorer import Budget, Coverage, explore_subject
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.portfolio import strategy_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.results.explorations import FoundFailure
    from harness.search.explorer import ExplorationWatcher
    from harness.search.strategies.port import Strategy
    from harness.search.subjects.scenario import ScenarioSubject
    from harness.search.terms import SearchTerms

__all__ = [
    "DIGEST_BYTES",
    "Measured",
    "Piece",
    "PieceFound",
    "Stoppable",
    "could_not_explore",
    "run_piece",
    "strategy_of",
    "subject_of",
]

DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A share of the search of one scenario: number ``index`` of ``parts``, from 0.

    ``runs`` or ``seconds`` is its budget. ``known`` are causes found elsewhere in the meantime,
    ``begun`` is what it had come to when it was cut short before: it goes on from there.
    """

    scenario: str
    path: str
    terms: SearchTerms
    first: bool
    index: int
    parts: int
    runs: int | None = None
    seconds: float | None = None
    known: tuple[str, ...] = ()
    begun: PieceFound | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the others of its search."""
        return self.path, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a strategy measured of the scenario: the most lanes, the most decisions of a run."""

    strategy: str
    lanes: int
    decisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceFound:
    """What a piece found.

    ``orders`` are the digests of its distinct orders, joined, in base64; ``first_seen`` the runs of
    the piece that showed each first, from 1. ``cut_short`` says that it was ended before its budget
    was; ``learned`` is what its strategy needs to go on, None if it can only begin again.
    """

    path: str
    index: int
    exploration: Exploration
    orders: str = ""
    first_seen: tuple[int, ...] = ()
    interleaved: tuple[tuple[str, str], ...] = ()
    measured: tuple[Measured, ...] = ()
    cut_short: bool = False
    learned: dict[str, Any] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """The piece's key."""
        return self.path, self.index

    def digests(self) -> list[bytes]:
        """Return the digests of the distinct orders."""
        whole = base64.b64decode(self.orders)
        return [whole[at : at + DIGEST_BYTES] for at in range(0, len(whole), DIGEST_BYTES)]


class Stoppable(Budget):
    """A budget that also ends when somebody says so."""

    def __init__(
        self, *, runs: int | None, seconds: float | None, stopped: Callable[[], bool]
    ) -> None:
        super().__init__(runs=runs, seconds=seconds)
        self.cut_short = False
        self._stopped = stopped

    def left(self, runs: int) -> bool:
        """Return True if another run may begin after ``runs``."""
        left = super().left(runs)
        self.cut_short = left and self._stopped()
        return left and not self.cut_short


def run_piece(
    piece: Piece,
    *,
    watcher: ExplorationWatcher | None = None,
    keep: Callable[[FoundFailure], None] | None = None,
    stopped: Callable[[], bool] = bool,
) -> PieceFound:
    """Carry out a piece. What goes wrong besides the system's own failures is told in its result.

    Raises:
        BadInput: The scenario or its system cannot be used.
    """
    coverage, strategy = _coverage_of(piece.begun), strategy_of(piece)
    budget = Stoppable(runs=piece.runs, seconds=piece.seconds, stopped=stopped)
    try:
        exploration = explore_subject(
            subject_of(piece.path, piece.terms),
            strategy,
            budget=budget,
            first=piece.first,
            share=(piece.index, piece.parts),
            watcher=watcher,
            keep=keep,
            coverage=coverage,
            known=piece.known,
            begun=None if piece.begun is None else piece.begun.exploration,
        )
    except (BadInput, Terminated):
        raise
    # One search's crash must not cost the others' results.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}"
        exploration = could_not_explore(piece, message)
    cut_short = _is_cut_short(piece, exploration, strategy, budget)
    return PieceFound(
        path=piece.path,
        index=piece.index,
        exploration=exploration,
        orders=base64.b64encode(b"".join(coverage.orders)).decode(),
        first_seen=tuple(coverage.orders.values()),
        interleaved=tuple(sorted(coverage.interleaved)),
        measured=_measured(strategy),
        cut_short=cut_short,
        learned=strategy.learned() if cut_short else None,
    )


def _is_cut_short(
    piece: Piece, exploration: Exploration, strategy: Strategy, budget: Stoppable
) -> bool:
    """Return True if somebody stopped it, or if its first failure did."""
    if strategy.exhausted or exploration.runs == piece.runs:
        return False
    return budget.cut_short or (piece.first and bool(exploration.failures))


def _coverage_of(begun: PieceFound | None) -> Coverage:
    if begun is None:
        return Coverage()
    return Coverage(
        zip(begun.digests(), begun.first_seen, strict=True),
        interleaved=begun.interleaved,
        curve=begun.exploration.coverage,
        before=begun.exploration,
    )


def could_not_explore(piece: Piece, reason: str) -> Exploration:
    """Make the result of a piece that proves nothing: UNKNOWN, with the reason."""
    return Exploration(
        scenario=piece.scenario,
        path=piece.path,
        claim=scenario_at(piece.path).claim,
        strategy=piece.terms.strategy,
        seed=piece.terms.seed,
        mode=piece.terms.mode,
        runs=0,
        distinct=0,
        steps_total=0,
        wall_s=0.0,
        exhausted=False,
        could_not_run=reason,
    )


def subject_of(path: str, terms: SearchTerms, *, dropped: tuple[str, ...] = ()) -> ScenarioSubject:
    """Make a scenario the subject of a search on these terms.

    ``dropped`` names parts of its workload that are left out.

    Raises:
        BadInput: The scenario or the system cannot be used, or they do not fit.
    """
    from harness.search.subjects.scenario import ScenarioSubject  # noqa: PLC0415 - brings SimPy

    scenario = scenario_at(path)
    return ScenarioSubject(scenario, system_of(scenario, terms.system), terms, dropped=dropped)


def strategy_of(piece: Piece) -> Strategy:
    """Make the strategy of a piece: it draws a stream of its own, and knows what it had learned."""
    seed = piece.terms.seed
    if piece.index:
        drawn = f"{seed} {piece.index}".encode()
        seed = int.from_bytes(hashlib.blake2b(drawn, digest_size=8).digest())
    strategy = strategy_named(
        piece.terms.strategy,
        seed=seed,
        cancel=piece.terms.cancel,
        share=(piece.index, piece.parts),
    )
    if piece.begun is not None:
        strategy.remember(piece.begun.learned, where="--resume")
    return strategy


def _measured(strategy: Strategy) -> tuple[Measured, ...]:
    """Return what the strategies measured, those with a bound of their own."""
    return tuple(
        Measured(strategy=one.name, lanes=one.lanes, decisions=one.horizon)
        for one in dict.fromkeys((strategy, *strategy.parts))
        if isinstance(one, PriorityChanges) and one.lanes
    )
