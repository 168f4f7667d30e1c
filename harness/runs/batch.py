"""A batch of runs: many scenarios, many seeds, in one process or several, into one report."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from harness.backends.port import Limits
from harness.choices.randomness import SEED_MAX
from harness.errors import BadInput, CouldNotRun
from harness.history.records import NodeKind
from harness.results.machine import facts, versions
from harness.results.runs import RunReport, RunResult
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import not_run, run_one
from harness.runs.scenarios import scenario_at, system_at, system_of, system_path_of
from harness.scenario.reading import find_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.backends.port import Backend
    from harness.scenario.model import Scenario
    from harness.simulated.world.profile import NamedProfile

__all__ = [
    "BOTH",
    "Batch",
    "Before",
    "Watcher",
    "check_systems",
    "read_scenarios",
    "run_batch",
]

# Each scenario on both kinds of nodes.
BOTH = "both"
# Below this many runs, starting processes costs more than it gains.
RUNS_FOR_PROCESSES_MIN = 64
# Histories of passed runs beyond this many are dropped: no report shows them.
HISTORIES_MAX = 200
# More results than this do not fit into memory beside each other.
RUNS_MAX = 1_000_000
# More processes than this are a slip of the finger.
JOBS_MAX = 256
NO_LIMITS = Limits()


class Before(Protocol):
    """Runs that are carried out before those of a batch."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[RunResult]: ...


class Watcher(Protocol):
    """Whoever wants to know how far a batch is."""

    def start(self, total: int) -> None:
        """So many runs will follow."""
        ...

    def finished(self, result: RunResult) -> None:
        """One run has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be run: the scenarios, each with ``seeds`` seeds from ``seed`` on.

    ``node`` is a kind of node, or "both": then all simulated runs are made, and all live ones after
    them, so that none disturbs what is measured. ``profile`` is what simulated latencies are drawn
    from, None for the nominal one. ``limits`` are those of simulated runs.
    """

    scenarios: tuple[Scenario, ...]
    node: str = NodeKind.SIMULATED.value
    profile: NamedProfile | None = None
    seed: int = 0
    seeds: int = 1
    system: str | None = None
    jobs: int | None = None
    limits: Limits = NO_LIMITS

    def __post_init__(self) -> None:
        if self.node not in {*NodeKind, BOTH}:
            raise BadInput(f'--node: must be "simulated", "live" or "both", got "{self.node}"')
        if self.profile is not None and self.nodes == (NodeKind.LIVE,):
            raise BadInput(
                "--profile: is what simulated latencies are drawn from, got"
                f" {self.profile.name} with --node live, where they are measured; leave one out"
            )
        if self.seeds < 1 or not 0 <= self.seed <= SEED_MAX - self.seeds + 1:
            raise BadInput(
                f"--seed, --seeds: seeds must be 0 to {SEED_MAX} and at least one,"
                f" got {self.seeds} from {self.seed} on"
            )
        if self.total > RUNS_MAX:
            raise BadInput(
                f"--seeds: {self.total:,} runs are too many at once, at most {RUNS_MAX:,};"
                " run them in parts, each from a --seed of its own"
            )
        if self.jobs is not None and not 1 <= self.jobs <= JOBS_MAX:
            raise BadInput(f"--jobs: must be at least 1 and at most {JOBS_MAX}, got {self.jobs}")

    @property
    def nodes(self) -> tuple[NodeKind, ...]:
        """The kinds of nodes, each of which has all runs."""
        return tuple(NodeKind) if self.node == BOTH else (NodeKind(self.node),)

    @property
    def pairs(self) -> Iterator[tuple[Scenario, int]]:
        """Every run of a node: all scenarios with the first seed, then with the next."""
        for seed in range(self.seed, self.seed + self.seeds):
            for scenario in self.scenarios:
                yield scenario, seed

    @property
    def total(self) -> int:
        """How many runs."""
        return len(self.scenarios) * self.seeds * len(self.nodes)

    @property
    def processes(self) -> int:
        """How many processes for simulated runs; live ones share the machine that is measured."""
        if NodeKind.SIMULATED not in self.nodes:
            return 1
        simulated = len(self.scenarios) * self.seeds
        if self.jobs is not None:
            return min(self.jobs, simulated)
        return (os.cpu_count() or 1) if simulated >= RUNS_FOR_PROCESSES_MIN else 1


def read_scenarios(paths: list[Path], *, system: str | None = None) -> tuple[Scenario, ...]:
    """Read all scenario files at the paths, as ``scenario_at`` reads one.

    Raises:
        BadInput: With the mistakes of every file that has some.
    """
    scenarios, mistakes = [], []
    for path in find_scenarios(paths):
        try:
            scenarios.append(scenario_at(str(path), system=system))
        except BadInput as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadInput("\n".join(mistakes))
    return tuple(scenarios)


def check_systems(batch: Batch) -> None:
    """Load the systems of all scenarios, so that no run begins where one cannot.

    Raises:
        BadInput: A scenario asks its system for what it does not have.
    """
    for scenario in batch.scenarios:
        system_of(scenario, batch.system)


def run_batch(
    batch: Batch,
    watcher: Watcher,
    *,
    before: Before = (),
    progress: Callable[[str], None] | None = None,
) -> RunReport:
    """Run everything and gather the results: those of ``before``, then as ``batch.pairs`` are.

    ``progress`` is told about slow preparations (building an image, starting a node).

    Raises:
        BadInput: A scenario asks its system for what it does not have.
    """
    started_at = datetime.now(tz=UTC).isoformat(timespec="seconds")
    check_systems(batch)
    watcher.start(len(before) + batch.total)
    results: list[RunResult] = []
    found_versions = versions()
    runs = chain.from_iterable(
        _runs_on(node, batch, found_versions, progress) for node in batch.nodes
    )
    for result in chain(before, runs):
        watcher.finished(result)
        spare = len(results) >= HISTORIES_MAX and result.verdict is Verdict.PASSED
        results.append(replace(result, history=None) if spare else result)
    return RunReport(
        runs=tuple(results), versions=found_versions, machine=facts(), started_at=started_at
    )


def _runs_on(
    node: NodeKind,
    batch: Batch,
    found_versions: dict[str, str],
    progress: Callable[[str], None] | None,
) -> Iterator[RunResult]:
    if node is NodeKind.SIMULATED and batch.processes > 1:
        from harness.runs.run_processes import run_in_processes  # noqa: PLC0415 - takes its time

        yield from run_in_processes(
            batch.pairs,
            system=batch.system,
            processes=batch.processes,
            profile=batch.profile,
            limits=batch.limits,
        )
        return
    with closing(_Backends(node, batch, progress)) as backends:
        for scenario, seed in batch.pairs:
            yield backends.run(scenario, seed)
            found_versions.update(backends.versions)


class _Backends:
    """The backends of a batch on one kind of node: each opened when a run needs it first.

    A service that needs no node runs where none can be started, too.
    """

    def __init__(
        self, node: NodeKind, batch: Batch, progress: Callable[[str], None] | None
    ) -> None:
        self._node, self._batch, self._progress = node, batch, progress
        self._open: dict[bool, Backend | CouldNotRun] = {}
        self.versions: dict[str, str] = {}

    def run(self, scenario: Scenario, seed: int) -> RunResult:
        """Run a scenario once; where its backend cannot be opened the result has the reason."""
        batch = self._batch
        needs_node = system_at(system_path_of(scenario, batch.system)).needs_node
        backend = self._backend(needs_node=needs_node)
        if isinstance(backend, CouldNotRun):
            return not_run(
                scenario, node=self._node, seed=seed, reason=str(backend), system=batch.system
            )
        return run_one(scenario, backend, system=batch.system, seed=seed)

    def close(self) -> None:
        """Give back what was opened."""
        for backend in self._open.values():
            if not isinstance(backend, CouldNotRun):
                backend.close()

    def _backend(self, *, needs_node: bool) -> Backend | CouldNotRun:
        if needs_node not in self._open:
            try:
                backend = open_backend(
                    self._node,
                    needs_node=needs_node,
                    profile=self._batch.profile,
                    limits=self._batch.limits,
                    progress=self._progress,
                )
                self.versions |= backend.versions
                self._open[needs_node] = backend
            except CouldNotRun as reason:
                self._open[needs_node] = reason
        return self._open[needs_node]
