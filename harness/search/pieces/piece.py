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
from harness.runs.loading import scenario_at, system_at, system_path_of
from harness.runs.runner import refuse_mistakes
from harness.search.explorer import Budget, Coverage, explore_subject
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.portfolio import strategy_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.results.explorations import FoundFailure
    from harness.search.explorer import ExplorationWatcher
    from harness.search.strategies.port import Strategy
    from harness.search.subjects.attempt import Attempt
    from harness.search.subjects.scenario import ScenarioSubject

__all__ = [
    "DIGEST_BYTES",
    "Chunk",
    "ChunkFound",
    "Measured",
    "Stoppable",
    "could_not_explore",
    "run_chunk",
    "subject_of",
]

DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A share of the search of one scenario: number ``index`` of ``parts``, from 0.

    ``runs`` or ``seconds`` is its budget. ``known`` are causes found elsewhere in the meantime,
    ``begun`` is what it had come to when it was cut short before: it goes on from there.
    """

    scenario: str
    path: str
    system: str | None
    strategy: str
    seed: int
    adversarial: bool
    chaos: bool
    first: bool
    index: int
    parts: int
    runs: int | None = None
    seconds: float | None = None
    known: tuple[str, ...] = ()
    begun: ChunkFound | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the others of its campaign."""
        return self.path, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a strategy measured of the scenario: the most lanes, the most decisions of a run."""

    strategy: str
    lanes: int
    decisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFound:
    """What a chunk found.

    ``orders`` are the digests of its distinct orders, joined, in base64; ``first_seen`` the runs of
    the chunk that showed each first, from 1. ``cut_short`` says that it was ended before its budget
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
        """The chunk's key."""
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


def run_chunk(
    chunk: Chunk,
    *,
    watcher: ExplorationWatcher | None = None,
    keep: Callable[[FoundFailure], None] | None = None,
    stopped: Callable[[], bool] = bool,
) -> ChunkFound:
    """Carry out a chunk. What goes wrong besides the system's own failures is told in its result.

    Raises:
        BadInput: The scenario or its system cannot be used.
    """
    coverage, strategy = _coverage_of(chunk.begun), _Share(chunk)
    budget = Stoppable(runs=chunk.runs, seconds=chunk.seconds, stopped=stopped)
    try:
        exploration = explore_subject(
            subject_of(chunk.path, chunk.system, adversarial=chunk.adversarial, chaos=chunk.chaos),
            strategy,
            budget=budget,
            seed=chunk.seed,
            first=chunk.first,
            share=(chunk.index, chunk.parts),
            watcher=watcher,
            keep=keep,
            coverage=coverage,
            known=chunk.known,
            begun=None if chunk.begun is None else chunk.begun.exploration,
        )
    except (BadInput, Terminated):
        raise
    # One search's crash must not cost the others' results.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}"
        exploration = could_not_explore(chunk, told)
    cut_short = _is_cut_short(chunk, exploration, strategy, budget)
    return ChunkFound(
        path=chunk.path,
        index=chunk.index,
        exploration=exploration,
        orders=base64.b64encode(b"".join(coverage.orders)).decode(),
        first_seen=tuple(coverage.orders.values()),
        interleaved=tuple(sorted(coverage.interleaved)),
        measured=strategy.measured(),
        cut_short=cut_short,
        learned=strategy.learned() if cut_short else None,
    )


def _is_cut_short(
    chunk: Chunk, exploration: Exploration, strategy: _Share, budget: Stoppable
) -> bool:
    """Return True if somebody stopped it, or if its first failure did."""
    if strategy.exhausted or exploration.runs == chunk.runs:
        return False
    return budget.cut_short or (chunk.first and bool(exploration.failures))


def _coverage_of(begun: ChunkFound | None) -> Coverage:
    if begun is None:
        return Coverage()
    return Coverage(
        zip(begun.digests(), begun.first_seen, strict=True),
        interleaved=begun.interleaved,
        curve=begun.exploration.coverage,
    )


def could_not_explore(chunk: Chunk, reason: str) -> Exploration:
    """Make the result of a chunk that proves nothing: UNKNOWN, with the reason."""
    return Exploration(
        scenario=chunk.scenario,
        path=chunk.path,
        claim=scenario_at(chunk.path).claim,
        strategy=chunk.strategy,
        seed=chunk.seed,
        mode="adversarial" if chunk.adversarial else "production",
        runs=0,
        distinct=0,
        steps_total=0,
        wall_s=0.0,
        exhausted=False,
        could_not_run=reason,
    )


def subject_of(
    path: str,
    system: str | None,
    *,
    adversarial: bool = False,
    chaos: bool = False,
    dropped: tuple[str, ...] = (),
) -> ScenarioSubject:
    """Make a scenario the subject of a search; ``system`` overrides the one that its file names.

    ``dropped`` names parts of its workload that are left out.

    Raises:
        BadInput: The scenario or the system cannot be used, or they do not fit.
    """
    from harness.search.subjects.scenario import ScenarioSubject  # noqa: PLC0415 - brings SimPy

    scenario = scenario_at(path)
    named = system_path_of(scenario, system)
    found = system_at(named)
    refuse_mistakes(scenario, found)
    return ScenarioSubject(
        scenario,
        found,
        system_path=named,
        adversarial=adversarial,
        chaos=chaos,
        dropped=dropped,
    )


class _Share:
    """The strategy of one share: it draws a stream of its own, and counts its own runs.

    What a portfolio does once, in its first run, only the first share does.
    """

    def __init__(self, chunk: Chunk) -> None:
        drawn = f"{chunk.seed} {chunk.index}".encode()
        seed = chunk.seed
        if chunk.index:
            seed = int.from_bytes(hashlib.blake2b(drawn, digest_size=8).digest())
        self._inner: Strategy = strategy_named(chunk.strategy, seed=seed)
        self._count = min(chunk.index, 1)
        self.name = self._inner.name
        if chunk.begun is not None:
            self._count += chunk.begun.exploration.runs
            self._inner.remember(chunk.begun.learned, where="--resume")

    def __getattr__(self, name: str) -> Any:
        """What else there is to know of the strategy: its bound, its parts, what it measured."""
        return getattr(self._inner, name)

    @property
    def exhausted(self) -> bool:
        return self._inner.exhausted

    @property
    def locks(self) -> bool:
        return self._inner.locks

    @property
    def watcher(self) -> StepWatcher | None:
        return self._inner.watcher

    def begin(self, run: int) -> OrderPolicy:
        del run
        self._count += 1
        return self._inner.begin(self._count - 1)

    def finish(self, found: Attempt) -> None:
        self._inner.finish(found)

    def learned(self) -> dict[str, Any] | None:
        """Return what the strategy needs to go on; None if it can only begin again."""
        return self._inner.learned()

    def measured(self) -> tuple[Measured, ...]:
        """Return what the strategies measured, those with a bound of their own."""
        parts = dict.fromkeys((self._inner, *self._inner.parts))
        return tuple(
            Measured(strategy=one.name, lanes=one.lanes, decisions=one.horizon)
            for one in parts
            if isinstance(one, PriorityChanges) and one.lanes
        )
