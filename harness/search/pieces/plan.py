"""The plan of a search: what it is asked for, and the pieces of work that it falls into."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil, isfinite
from typing import TYPE_CHECKING

from harness.choices.randomness import SEED_MAX
from harness.errors import BadInput
from harness.search.pieces.piece import Piece
from harness.search.strategies.portfolio import strategy_named
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from harness.scenario.model import Scenario

__all__ = ["RUNS_DEFAULT", "SearchPlan"]

RUNS_DEFAULT = 200
RUNS_MAX = 10_000_000
JOBS_MAX = 256
# A piece has to have enough runs for a strategy to learn from, and few enough to lose.
PIECE_RUNS_MIN, PIECE_RUNS_MAX = 100, 1_000
PIECES_WANTED = 8
# Of a budget in seconds, a piece takes about so many.
PIECE_S = 15.0
# What a strategy does by a plan of its own cannot be shared: each share would do the same.
UNDIVIDED = frozenset({"exhaustive", "awaits", "default"})

_TERMS = SearchTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What is to be searched, how, and for how long.

    ``runs`` are for each scenario; ``seconds`` of real time are for all of them together, shared
    fairly. At most one of the two is given; ``RUNS_DEFAULT`` runs if none is. ``shard`` (k, n),
    k from 1, has this search do the k-th share of the pieces. ``jobs`` are
    processes.

    The pieces, and with them what is found, depend on the seed and the runs, never on the jobs.
    """

    scenarios: tuple[Scenario, ...]
    terms: SearchTerms = _TERMS
    runs: int | None = None
    seconds: float | None = None
    first: bool = False
    jobs: int | None = None
    shard: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        strategy_named(self.terms.strategy, seed=0)
        if not 0 <= self.terms.seed <= SEED_MAX:
            raise BadInput(f"--seed: must be 0 to {SEED_MAX}, got {self.terms.seed}")
        if self.runs is not None and self.seconds is not None:
            raise BadInput(
                f"--runs, --time: must be one of the two, got {self.runs} runs and"
                f" {self.seconds:g} s; leave one out"
            )
        if self.runs is not None and not 1 <= self.runs <= RUNS_MAX:
            raise BadInput(
                f"--runs: must be at least 1 and at most {RUNS_MAX:,} for each scenario,"
                f" got {self.runs:,}; leave it out for {RUNS_DEFAULT}"
            )
        if self.seconds is not None and not (isfinite(self.seconds) and self.seconds > 0):
            raise BadInput(
                f"--time: must be more than 0 seconds, and finite, got {self.seconds:g};"
                f" leave it out for {RUNS_DEFAULT} runs a scenario"
            )
        if self.jobs is not None and not 1 <= self.jobs <= JOBS_MAX:
            raise BadInput(f"--jobs: must be at least 1 and at most {JOBS_MAX}, got {self.jobs}")
        number, of = self.shard
        if not 1 <= number <= of:
            raise BadInput(
                f"--shard: must be K/N with K from 1 to N, got {number}/{of};"
                " the first of three shares is 1/3"
            )
        if of > len(self.all_pieces()):
            raise BadInput(
                f"--shard: {of} shares of {len(self.all_pieces())} pieces of work leave some with"
                " nothing; take fewer shares, or more --runs"
            )

    @property
    def runs_wanted(self) -> int | None:
        """Runs for each scenario, or None if seconds are the budget."""
        return RUNS_DEFAULT if self.runs is None and self.seconds is None else self.runs

    @property
    def processes(self) -> int:
        """How many processes work at it: one a core, but not more than there are pieces."""
        wanted = self.jobs or os.cpu_count() or 1
        return max(1, min(wanted, len(self.pieces())))

    def pieces(self) -> tuple[Piece, ...]:
        """Return this shard's pieces: the first of every scenario, then the second of each."""
        number, of = self.shard
        return self.all_pieces()[number - 1 :: of]

    def all_pieces(self) -> tuple[Piece, ...]:
        """Return the pieces of all shards."""
        parts = self._parts()
        return tuple(
            self._piece(scenario, index, parts)
            for index in range(parts)
            for scenario in self.scenarios
        )

    def _parts(self) -> int:
        if self.terms.strategy.partition(":")[0] in UNDIVIDED:
            return 1
        if self.runs_wanted is not None:
            size = min(max(self.runs_wanted // PIECES_WANTED, PIECE_RUNS_MIN), PIECE_RUNS_MAX)
            return max(1, ceil(self.runs_wanted / size))
        workers = self.jobs or os.cpu_count() or 1
        share_s = (self.seconds or 0.0) * workers / len(self.scenarios)
        return max(ceil(share_s / PIECE_S), ceil(workers / len(self.scenarios)))

    def _piece(self, scenario: Scenario, index: int, parts: int) -> Piece:
        runs = self.runs_wanted
        return Piece(
            scenario=scenario.name,
            path=scenario.path,
            terms=self.terms,
            first=self.first,
            index=index,
            parts=parts,
            runs=None if runs is None else (runs - index + parts - 1) // parts,
        )
