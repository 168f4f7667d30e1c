"""A batch of runs: many scenarios, many seeds, in one process or several, into one report."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.choices.randomness import SEED_MAX
from harness.errors import BadInput, CouldNotRun, Terminated
from harness.history.records import NodeKind
from harness.processes.pool import Died, ending_its_process, in_workers
from harness.results.machine import facts, versions
from harness.results.runs import RunReport, RunResult
from harness.results.verdict import Verdict
from harness.runs.loading import scenario_at, system_at, system_path_of
from harness.runs.opening import open_backend
from harness.runs.replay_line import replay_line
from harness.runs.runner import not_run, refuse_mistakes, run_scenario
from harness.scenario.reading import find_scenarios, read_scenario
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.backends.port import Backend
    from harness.scenario.model import Scenario

__all__ = [
    "Batch",
    "Before",
    "Watcher",
    "read_scenarios",
    "run_batch",
]

# Below this many runs, starting processes costs more than it gains.
RUNS_FOR_PROCESSES_MIN = 64
# Histories of passed runs beyond this many are dropped: no report shows them.
HISTORIES_MAX = 200
# More results than this do not fit into memory beside each other.
RUNS_MAX = 1_000_000
# More processes than this are a slip of the finger.
JOBS_MAX = 256
# So many runs are handed out for each worker, so that none waits for the next.
AT_ONCE = 4


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
    """What is to be run: the scenarios, each with ``seeds`` seeds from ``seed`` on."""

    scenarios: tuple[Scenario, ...]
    node: str = NodeKind.SIMULATED.value
    seed: int = 0
    seeds: int = 1
    system: str | None = None
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.node not in {kind.value for kind in NodeKind}:
            raise BadInput(f'--node: must be "simulated" or "live", got "{self.node}"')
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
    def pairs(self) -> Iterator[tuple[Scenario, int]]:
        """Every run: all scenarios with the first seed, then with the next."""
        for seed in range(self.seed, self.seed + self.seeds):
            for scenario in self.scenarios:
                yield scenario, seed

    @property
    def total(self) -> int:
        """How many runs."""
        return len(self.scenarios) * self.seeds

    @property
    def processes(self) -> int:
        """How many processes: one when live, since all share the machine that is measured."""
        if self.node == NodeKind.LIVE:
            return 1
        if self.jobs is not None:
            return min(self.jobs, self.total)
        return (os.cpu_count() or 1) if self.total >= RUNS_FOR_PROCESSES_MIN else 1


def read_scenarios(paths: list[Path]) -> tuple[Scenario, ...]:
    """Read all scenario files at the paths.

    Raises:
        BadInput: With the mistakes of every file that has some.
    """
    scenarios, mistakes = [], []
    for path in find_scenarios(paths):
        try:
            scenarios.append(read_scenario(path))
        except BadInput as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadInput("\n".join(mistakes))
    return tuple(scenarios)


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
    for scenario in batch.scenarios:
        refuse_mistakes(scenario, system_at(system_path_of(scenario, batch.system)))
    watcher.start(len(before) + batch.total)
    results: list[RunResult] = []
    found_versions = versions()
    runs = (
        _in_processes(batch)
        if batch.processes > 1
        else _in_this_process(batch, found_versions, progress)
    )
    for result in chain(before, runs):
        watcher.finished(result)
        spare = len(results) >= HISTORIES_MAX and result.verdict is Verdict.PASSED
        results.append(replace(result, history=None) if spare else result)
    return RunReport(
        runs=tuple(results), versions=found_versions, machine=facts(), started_at=started_at
    )


def _in_this_process(
    batch: Batch, found_versions: dict[str, str], progress: Callable[[str], None] | None
) -> Iterator[RunResult]:
    systems = [system_at(system_path_of(one, batch.system)) for one in batch.scenarios]
    needs_node = any(one.needs_node for one in systems)
    try:
        backend = open_backend(batch.node, needs_node=needs_node, progress=progress)
    except CouldNotRun as reason:
        for scenario, seed in batch.pairs:
            lost = not_run(scenario, node=NodeKind(batch.node), seed=seed, reason=str(reason))
            yield _repeatable(lost, scenario, system=batch.system)
        return
    try:
        found_versions.update(backend.versions)
        for scenario, seed in batch.pairs:
            yield _run(scenario, backend, system=batch.system, seed=seed)
    finally:
        backend.close()


def _in_processes(batch: Batch) -> Iterator[RunResult]:
    """Run everything in worker processes; one that dies costs the run it died in."""
    work = iter(enumerate(batch.pairs))
    ended: dict[int, RunResult] = {}
    following = 0
    for (number, (scenario, seed)), end in in_workers(
        lambda: next(work, None),
        lambda pool, one: pool.submit(_run_elsewhere, one[1][0].path, batch.system, one[1][1]),
        processes=batch.processes,
        at_once=batch.processes * AT_ONCE,
    ):
        if isinstance(end, Died):
            reason = f"worker processes died ({end.deaths}), this run's or those before it"
            dead = not_run(scenario, node=NodeKind(batch.node), seed=seed, reason=reason)
            ended[number] = _repeatable(dead, scenario, system=batch.system)
        else:
            ended[number] = end.result()
        while following in ended:
            yield ended.pop(following)
            following += 1


def _run_elsewhere(path: str, system: str | None, seed: int) -> RunResult:
    with ending_its_process():
        return _run(scenario_at(path), _simulated(), system=system, seed=seed)


@lru_cache(maxsize=1)
def _simulated() -> Backend:
    return open_backend(NodeKind.SIMULATED.value, needs_node=False)


def _run(scenario: Scenario, backend: Backend, *, system: str | None, seed: int) -> RunResult:
    try:
        found = run_scenario(
            scenario,
            backend,
            system=system_at(system_path_of(scenario, system)),
            system_path=_system_to_name(scenario, system) or DEFAULT_SYSTEM,
            seed=seed,
        )
    except (BadInput, Terminated):
        raise
    except SystemExit as error:
        reason = f"the system under test ended the interpreter: {error!r}"
        found = not_run(scenario, node=backend.kind, seed=seed, reason=reason)
    except Exception as error:  # noqa: BLE001 - one run's crash must not cost the others' results
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}"
        found = not_run(scenario, node=backend.kind, seed=seed, reason=reason)
    return found if found.could_not_run is None else _repeatable(found, scenario, system=system)


def _system_to_name(scenario: Scenario, system: str | None) -> str | None:
    """Name the system for the replay line, which does so only where the file does not."""
    path = system_path_of(scenario, system)
    return None if path == scenario.system else path


def _repeatable(lost: RunResult, scenario: Scenario, *, system: str | None) -> RunResult:
    """Have a run that was not judged say with which system it is repeated."""
    named = _system_to_name(scenario, system)
    line = replay_line(lost.path, seed=lost.seed, node=NodeKind(lost.node), system=named)
    return replace(lost, replay=line)
