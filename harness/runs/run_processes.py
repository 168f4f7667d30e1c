"""Many runs at once, in worker processes of this machine."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.processes.pool import Died, ending_its_process, in_workers
from harness.results.profile_used import NOMINAL
from harness.runs.opening import open_backend
from harness.runs.runner import not_run, run_one
from harness.runs.scenarios import scenario_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.backends.port import Backend, Limits
    from harness.results.runs import RunResult
    from harness.scenario.model import Scenario
    from harness.simulated.world.profile import NamedProfile

__all__ = ["run_in_processes"]

# So many runs are handed out for each worker, so that none waits for the next.
AT_ONCE = 4


def run_in_processes(
    pairs: Iterable[tuple[Scenario, int]],
    *,
    system: str | None,
    processes: int,
    profile: NamedProfile | None = None,
    limits: Limits,
) -> Iterator[RunResult]:
    """Carry out each scenario with its seed, simulated; results come in that order.

    A worker process that dies costs the run it died in.
    """
    work = iter(enumerate(pairs))
    ended: dict[int, RunResult] = {}
    following = 0
    for (number, (scenario, seed)), end in in_workers(
        lambda: next(work, None),
        lambda pool, one: pool.submit(
            _run_elsewhere, one[1][0].path, system, one[1][1], (profile, limits)
        ),
        processes=processes,
        at_once=processes * AT_ONCE,
    ):
        if isinstance(end, Died):
            reason = f"worker processes died ({end.deaths}), this run's or those before it"
            node = NodeKind.SIMULATED
            ended[number] = not_run(
                scenario,
                node=node,
                seed=seed,
                reason=reason,
                system=system,
                profile=NOMINAL if profile is None else profile.used,
            )
        else:
            ended[number] = end.result()
        while following in ended:
            yield ended.pop(following)
            following += 1


def _run_elsewhere(
    path: str, system: str | None, seed: int, terms: tuple[NamedProfile | None, Limits]
) -> RunResult:
    with ending_its_process():
        return run_one(scenario_at(path), _simulated(*terms), system=system, seed=seed)


@lru_cache(maxsize=1)
def _simulated(profile: NamedProfile | None, limits: Limits) -> Backend:
    return open_backend(NodeKind.SIMULATED.value, needs_node=False, profile=profile, limits=limits)
