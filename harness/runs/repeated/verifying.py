"""The check that runs are decided by their seeds: each made again in another process, and compared.

That process hashes texts in another way and begins a second later, so that what is the same in a
whole process, or for a whole second, shows as well.
"""

from __future__ import annotations

import pickle
import time
import zlib
from collections import defaultdict
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.diagnosis.set_orders import set_orders
from harness.errors import CouldNotRun, HarnessBug, Terminated
from harness.history.records import NodeKind
from harness.processes.below_python import original
from harness.processes.pool import end_with_parent, ending_its_process, open_pool
from harness.processes.text_hashing import FIXED, VARIABLE, text_hashing
from harness.results.verdict import Verdict
from harness.results.wording import count, one_line, shortened
from harness.runs.batch import check_systems
from harness.runs.opening import open_backend
from harness.runs.runner import carry_out, not_run
from harness.runs.scenarios import scenario_at, system_at, system_path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor

    from harness.backends.port import KeptTrace, Limits
    from harness.results.runs import RunResult
    from harness.runs.batch import Batch
    from harness.simulated.world.profile import NamedProfile

__all__ = [
    "LATER_S",
    "Made",
    "Verified",
    "Work",
    "made",
    "made_elsewhere",
    "verified",
    "verified_lines",
    "verify_batch",
    "workers_later",
]

# A scenario's path, the system that was asked for, a seed, a profile, and limits.
Work = tuple[str, "str | None", int, "NamedProfile | None", "Limits"]

# So many runs a worker is handed at once.
CHUNK = 8
LINE_MAX = 600
# So much later than the first the second run of a seed begins: clocks of whole seconds show it.
LATER_S = 1.1
# A set of two texts has one of two orders: so more than one other way to hash them is tried.
OTHERS = ("4242", "1", "77")

_now = original(time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A run that was made twice: the first difference of the two, or None if they are equal.

    ``likely`` are lines of the system that may be the reason. ``could_not_run`` says why the runs
    prove nothing, if so.
    """

    scenario: str
    path: str
    seed: int
    difference: str | None
    likely: tuple[str, ...] = ()
    could_not_run: str | None = None

    @property
    def verdict(self) -> Verdict:
        """PASSED if the two runs are equal."""
        if self.could_not_run is not None:
            return Verdict.UNKNOWN
        return Verdict.PASSED if self.difference is None else Verdict.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A run as it came to be: its result, its two digests, and its trace, packed."""

    result: RunResult
    digests: tuple[str, str]
    packed: bytes

    @property
    def trace(self) -> KeptTrace:
        """The trace, to find a difference."""
        found: KeptTrace = pickle.loads(zlib.decompress(self.packed))  # noqa: S301 - our own worker's
        return found


def verify_batch(batch: Batch) -> Iterator[Verified]:
    """Make every run of a batch twice, simulated, and compare all that there is of it.

    Raises:
        BadInput: A scenario asks its system for what it does not have.
        CouldNotRun: A worker process died.
    """
    check_systems(batch)
    terms = batch.profile, batch.limits
    work: list[Work] = [
        (scenario.path, batch.system, seed, *terms) for scenario, seed in batch.pairs
    ]
    each = max(1, batch.processes // 2)
    try:
        with ExitStack() as stack:
            at_s, others = _now() + LATER_S, OTHERS[: len(work)]
            share = max(1, each // len(others))
            later = [stack.enter_context(workers_later(share, at_s, way)) for way in others]
            again = [
                later[number % len(later)].submit(made_elsewhere, one)
                for number, one in enumerate(work)
            ]
            first: Iterator[Made] = map(made, work)
            if batch.processes > 1:
                pool = stack.enter_context(open_pool(each))
                first = pool.map(made_elsewhere, work, chunksize=CHUNK)
            for one, two, of in zip(first, again, work, strict=True):
                yield verified(of, one, two.result())
    except BrokenProcessPool as error:
        fix = "look for a run that ends its process: harness run --seeds does"
        raise CouldNotRun(f"a worker process died while runs were verified; {fix}") from error


@contextmanager
def workers_later(
    processes: int, at_s: float, way: str = OTHERS[0]
) -> Iterator[ProcessPoolExecutor]:
    """Open processes that hash texts in another way than this one, and begin at a moment."""
    other = FIXED if text_hashing() == way else way
    begin = partial(_begin_later, at_s)
    with open_pool(
        processes, initializer=begin, environment={VARIABLE: other}, end_at_once=True
    ) as pool:
        yield pool


def _begin_later(at_s: float) -> None:
    end_with_parent()
    time.sleep(max(0.0, at_s - time.time()))


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
            if one.likely:
                lines.append("  perhaps by the order of a set, or an address, in one of these:")
                lines += [f"    {one_line(shortened(place, LINE_MAX))}" for place in one.likely]
    return lines


def made_elsewhere(work: Work) -> Made:
    """Make a run in a worker process."""
    with ending_its_process():
        return made(work)


def made(work: Work) -> Made:
    """Make a run, and keep all that there is of it."""
    path, system, seed, profile, limits = work
    scenario = scenario_at(path)
    backend = open_backend(NodeKind.SIMULATED, needs_node=False, profile=profile, limits=limits)
    try:
        carried = carry_out(
            scenario,
            backend,
            system=system_at(system_path_of(scenario, system)),
            system_path=system,
            seed=seed,
            keep_trace=True,
        )
    except Terminated:
        raise
    except SystemExit as error:
        ended = f"the system under test ended the interpreter: {error!r}"
        result = not_run(scenario, node=backend.kind, seed=seed, reason=ended, system=system)
        return Made(result=result, digests=("", ""), packed=b"")
    trace = carried.ran.trace
    if trace is None:
        raise HarnessBug("a simulated run kept no trace, though it was asked to")
    digests = trace.digest, trace.schedule_digest
    return Made(
        # No report shows the history, and a worker need not send it.
        result=replace(carried.result, history=None),
        digests=digests,
        packed=zlib.compress(pickle.dumps(trace), 1),
    )


def verified(work: Work, first: Made, second: Made) -> Verified:
    """Compare the two runs of a seed."""
    path, system, seed, *_ = work
    could_not_run = first.result.could_not_run or second.result.could_not_run
    difference = None if could_not_run is not None else _difference(first, second)
    likely: list[str] = []
    if difference is not None:
        likely = set_orders(system_path_of(scenario_at(path), system).partition(":")[0])
    return Verified(
        scenario=first.result.scenario,
        path=path,
        seed=seed,
        difference=difference,
        likely=tuple(likely),
        could_not_run=could_not_run,
    )


def _difference(first: Made, second: Made) -> str | None:
    from harness.simulated.loop.trace import first_difference  # noqa: PLC0415 - SimPy's folder

    if first.digests != second.digests:
        return str(first_difference(first.trace, second.trace))
    one, two = first.result, second.result
    if one.digest != two.digest:
        return f"digest {one.digest} | {two.digest}"
    if one.virtual_s != two.virtual_s:
        return f"simulated seconds {one.virtual_s!r} | {two.virtual_s!r}"
    for check, other in zip(one.checks, two.checks, strict=False):
        if check != other:
            return (
                f"check {check.name}: {check.verdict}, {check.seen} | {other.verdict}, {other.seen}"
            )
    if len(one.checks) != len(two.checks):
        return f"checks {len(one.checks)} | {len(two.checks)}"
    return None
