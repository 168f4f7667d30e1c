"""The check that runs are decided by their seeds: each run twice, everything compared."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun, HarnessBug, Terminated
from harness.history.records import NodeKind
from harness.processes.pool import ending_its_process, open_pool
from harness.results.verdict import Verdict
from harness.results.wording import count, one_line, shortened
from harness.runs.opening import open_backend
from harness.runs.runner import carry_out
from harness.runs.scenarios import scenario_at, system_at, system_of, system_path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.port import KeptTrace
    from harness.results.runs import RunResult
    from harness.runs.batch import Batch
    from harness.scenario.model import Scenario
    from harness.simulated.world.profile import NamedProfile

    _Work = tuple[str, str | None, int, NamedProfile | None]

__all__ = ["Verified", "verified_lines", "verify_batch"]

# So many runs a worker is handed at once.
CHUNK = 8
LINE_MAX = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A run that was made twice: the first difference of the two, or None if they are equal.

    ``could_not_run`` says why it proves nothing, if so.
    """

    scenario: str
    path: str
    seed: int
    difference: str | None
    could_not_run: str | None = None

    @property
    def verdict(self) -> Verdict:
        """PASSED if the two runs are equal."""
        if self.could_not_run is not None:
            return Verdict.UNKNOWN
        return Verdict.PASSED if self.difference is None else Verdict.FAILED


def verify_batch(batch: Batch) -> Iterator[Verified]:
    """Make every run of a batch twice, simulated, and compare all that there is of it.

    Raises:
        BadInput: A scenario asks its system for what it does not have.
        CouldNotRun: A worker process died.
    """
    for scenario in batch.scenarios:
        system_of(scenario, batch.system)
    if batch.processes == 1:
        for scenario, seed in batch.pairs:
            yield _twice((scenario.path, batch.system, seed, batch.profile))
        return
    work = [(scenario.path, batch.system, seed, batch.profile) for scenario, seed in batch.pairs]
    try:
        with open_pool(batch.processes) as pool:
            yield from pool.map(_twice_elsewhere, work, chunksize=CHUNK)
    except BrokenProcessPool as error:
        fix = "look for a run that ends its process: harness run --seeds does"
        raise CouldNotRun(f"a worker process died while runs were verified; {fix}") from error


def verified_lines(found: list[Verified]) -> list[str]:
    """Tell a scenario in a line, and each difference in one of its own."""
    by_path: defaultdict[str, list[Verified]] = defaultdict(list)
    for one in found:
        by_path[one.path].append(one)
    lines = []
    for runs in by_path.values():
        wrong = [one for one in runs if one.verdict is not Verdict.PASSED]
        seeds = f"seeds {runs[0].seed} to {runs[-1].seed}"
        if not wrong:
            message = f"{count(len(runs), 'run')} made twice, all digests equal ({seeds})"
            lines.append(f"EQUAL {runs[0].scenario}: {message}")
        for one in wrong:
            word = "DIFFERENT" if one.could_not_run is None else "UNKNOWN"
            why = one.difference if one.could_not_run is None else one.could_not_run
            why = one_line(shortened(str(why), LINE_MAX))
            lines.append(f"{word} {one.scenario} [simulated, seed {one.seed}]: {why}")
    return lines


def _twice_elsewhere(work: _Work) -> Verified:
    with ending_its_process():
        return _twice(work)


def _twice(work: _Work) -> Verified:
    path, system, seed, profile = work
    scenario = scenario_at(path)
    try:
        first, first_trace = _run(scenario, system, seed, profile)
        second, second_trace = _run(scenario, system, seed, profile)
    except Terminated:
        raise
    except SystemExit as error:
        ended = f"the system under test ended the interpreter: {error!r}"
        return Verified(
            scenario=scenario.name, path=path, seed=seed, difference=None, could_not_run=ended
        )
    return Verified(
        scenario=scenario.name,
        path=path,
        seed=seed,
        difference=_difference(first, second, first_trace, second_trace),
        could_not_run=first.could_not_run or second.could_not_run,
    )


def _run(
    scenario: Scenario, system: str | None, seed: int, profile: NamedProfile | None
) -> tuple[RunResult, KeptTrace]:
    backend = open_backend(NodeKind.SIMULATED, needs_node=False, profile=profile)
    carried = carry_out(
        scenario,
        backend,
        system=system_at(system_path_of(scenario, system)),
        system_path=system,
        seed=seed,
        keep_trace=True,
    )
    if carried.ran.trace is None:
        raise HarnessBug("a simulated run kept no trace, though it was asked to")
    return carried.result, carried.ran.trace


def _difference(
    first: RunResult, second: RunResult, first_trace: KeptTrace, second_trace: KeptTrace
) -> str | None:
    from harness.simulated.loop.trace import first_difference  # noqa: PLC0415 - SimPy's folder

    same = (first_trace.digest, first_trace.schedule_digest) == (
        second_trace.digest,
        second_trace.schedule_digest,
    )
    if not same:
        return str(first_difference(first_trace, second_trace))
    if first.digest != second.digest:
        return f"digest {first.digest} | {second.digest}"
    if first.virtual_s != second.virtual_s:
        return f"simulated seconds {first.virtual_s!r} | {second.virtual_s!r}"
    for one, other in zip(first.checks, second.checks, strict=False):
        if one != other:
            return f"check {one.name}: {one.verdict}, {one.seen} | {other.verdict}, {other.seen}"
    if len(first.checks) != len(second.checks):
        return f"checks {len(first.checks)} | {len(second.checks)}"
    return None
