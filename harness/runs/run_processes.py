"""Many runs at once, in worker processes of this machine."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.processes.pool import DEATHS_MAX, ending_its_process, open_pool
from harness.runs.loading import scenario_at
from harness.runs.opening import open_backend
from harness.runs.runner import not_run, repeatable, run_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.backends.port import Backend
    from harness.results.runs import RunResult
    from harness.scenario.model import Scenario

__all__ = ["run_in_processes"]

# So many runs a worker is handed at once.
CHUNK = 8


def run_in_processes(
    pairs: Sequence[tuple[Scenario, int]], *, system: str | None, processes: int
) -> Iterator[RunResult]:
    """Carry out each scenario with its seed, simulated; results come in that order.

    A worker process that dies costs the run it died in.
    """
    done = deaths = 0
    alone = False
    while done < len(pairs):
        try:
            for result in _pooled(pairs[done:], system, 1 if alone else processes):
                done += 1
                yield result
        except BrokenProcessPool:
            # Which of the runs under way ended its process is seen when each runs alone.
            if not alone:
                alone = True
                continue
            deaths += 1
            given_up = deaths == DEATHS_MAX
            reason = f"worker processes died ({deaths}), this run's or those before it"
            for scenario, seed in pairs[done:] if given_up else pairs[done : done + 1]:
                done += 1
                dead = not_run(scenario, node=NodeKind.SIMULATED, seed=seed, reason=reason)
                yield repeatable(dead, scenario, system=system)


def _pooled(
    pairs: Sequence[tuple[Scenario, int]], system: str | None, processes: int
) -> Iterator[RunResult]:
    work = [(one.path, system, seed) for one, seed in pairs]
    with open_pool(processes) as pool:
        yield from pool.map(_run_elsewhere, work, chunksize=CHUNK if processes > 1 else 1)


def _run_elsewhere(work: tuple[str, str | None, int]) -> RunResult:
    path, system, seed = work
    with ending_its_process():
        return run_one(scenario_at(path), _simulated(), system=system, seed=seed)


@lru_cache(maxsize=1)
def _simulated() -> Backend:
    return open_backend(NodeKind.SIMULATED.value, needs_node=False)
