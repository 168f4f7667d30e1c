"""A run: one scenario, one backend, one seed, from an empty directory to a verdict."""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.checks import no_deadlock
from harness.checks.no_blocking_calls import NoBlockingCalls
from harness.checks.recovers import recovers
from harness.checks.tried import tried
from harness.checks.whole_run import whole_run, whole_run_ended
from harness.diagnosis.blocking_calls import BlockingCalls
from harness.diagnosis.dropped_coroutines import DroppedCoroutines
from harness.diagnosis.task_origins import TaskOrigins
from harness.errors import (
    BadInput,
    CouldNotRun,
    FailureFound,
    HarnessBug,
    HarnessError,
    Terminated,
)
from harness.history.plain_data import PlainData
from harness.history.recorder import Recorder
from harness.history.records import NodeKind
from harness.processes.apart import doing
from harness.processes.signals import put_back, raise_again
from harness.results.runs import RunResult
from harness.results.verdict import CheckResult, Verdict, verdict_of
from harness.runs.conditions import ConditionWatch
from harness.runs.course import Run, run_whole
from harness.runs.directory import run_folders, why_not_writable
from harness.runs.replay_line import replay_line
from harness.runs.scenarios import refuse_mistakes, system_at, system_path_of
from harness.systems.imports import importing_from_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.backends.port import Backend, Orders, PreparedRun, Ran, Stage
    from harness.checks.registry import ResolvedCheck
    from harness.history.records import History
    from harness.results.profile_used import ProfileUsed
    from harness.runs.directory import RunFolders
    from harness.runs.under_search import Search
    from harness.scenario.model import Scenario
    from harness.systems.port import System

__all__ = ["CarriedOut", "carry_out", "not_run", "run_one", "run_scenario"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """What became of a run: how the backend ended it, how it was judged, what it never came to."""

    ran: Ran
    result: RunResult
    unreached: tuple[str, ...] = ()


def run_scenario(
    scenario: Scenario, backend: Backend, *, system: System, system_path: str | None, seed: int
) -> RunResult:
    """Run a scenario and judge its history.

    ``system_path`` is for the line that repeats the run: None if the file names the system.

    Raises:
        BadInput: The scenario asks the system for what it does not have.
        CouldNotRun: There is no place for its files.
        SystemExit: The system under test ended the interpreter.
    """
    return carry_out(scenario, backend, system=system, system_path=system_path, seed=seed).result


def run_one(scenario: Scenario, backend: Backend, *, system: str | None, seed: int) -> RunResult:
    """Run one scenario of many: a crash of it is told in its own result, and costs no other.

    Raises:
        BadInput: The system cannot be used.
    """
    try:
        loaded = system_at(system_path_of(scenario, system))
        return run_scenario(scenario, backend, system=loaded, system_path=system, seed=seed)
    except (BadInput, Terminated):
        raise
    except CouldNotRun as error:
        reason = str(error)
    except SystemExit as error:
        reason = f"the system under test ended the interpreter: {error!r}"
    except Exception as error:  # noqa: BLE001 - one run's crash must not cost the others' results
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}"
    return not_run(
        scenario,
        node=backend.kind,
        seed=seed,
        reason=reason,
        system=system,
        profile=backend.profile,
    )


@importing_from_here()
def carry_out(
    scenario: Scenario,
    backend: Backend,
    *,
    system: System,
    system_path: str | None,
    seed: int,
    search: Search | None = None,
    orders: Orders | None = None,
    keep_trace: bool = False,
) -> CarriedOut:
    """Run a scenario as ``run_scenario`` does, its orders perhaps decided by a search.

    What a search changes, a run is not judged by; and to a search it is a failure, no error, if the
    system under test ends the interpreter.

    Raises:
        BadInput, CouldNotRun, SystemExit: As ``run_scenario`` does.
    """
    doing(f"{scenario.path}, seed {seed}")
    refuse_mistakes(scenario, system)
    begin_s = time.perf_counter()
    prepared = backend.prepare(
        seed=seed, orders=orders, keep_trace=keep_trace, steps_max=scenario.steps_max
    )
    with put_back(), run_folders(in_memory=backend.kind is NodeKind.SIMULATED) as folders:
        where = prepared.stage, backend.kind, folders
        run = _run_of(scenario, system, *where, seed=seed, search=search)
        ran, history = _carried_out(run, prepared)
        results = tuple(_of_the_run(ran, run))
        # A run that was broken off says nothing of what it would have come to.
        if not isinstance(ran.error, SystemExit):
            results += tuple(_judged(run, history))
        lacking = _no_evidence(ran, history, folders.storage)
    if ran.limit is not None and not ran.limit.shown:
        results = tuple(_broken_before(results, run))
        lacking = None if results else lacking
    result = _result(scenario, backend.kind, seed=seed, system=system_path, profile=backend.profile)
    if lacking is not None:
        return CarriedOut(ran=ran, result=replace(result, could_not_run=lacking))
    judged = replace(
        result,
        verdict=verdict_of(one.verdict for one in results),
        digest=ran.digest,
        checks=results,
        virtual_s=ran.virtual_s,
        wall_s=time.perf_counter() - begin_s,
        history=history,
    )
    return CarriedOut(ran=ran, result=judged, unreached=(*run.untried, *run.unreached))


def _run_of(
    scenario: Scenario,
    system: System,
    stage: Stage,
    node: NodeKind,
    folders: RunFolders,
    *,
    seed: int,
    search: Search | None,
) -> Run:
    """Put together what the parts of a run share."""
    conditions = ConditionWatch(scenario, node, clock=stage.clock)
    return Run(
        scenario=scenario,
        system=system,
        recorder=Recorder(
            node,
            plain=PlainData(folders.scrub),
            clock=stage.clock,
            note=stage.note,
            observe=conditions.observe,
        ),
        conditions=conditions,
        stage=stage,
        root=folders.storage,
        within_s=scenario.within_s(node) if search is None else search.within_s(scenario, node),
        seed=seed,
        search=search,
    )


def _carried_out(run: Run, prepared: PreparedRun) -> tuple[Ran, History]:
    """Carry out a run to its end, or to where it cannot go on, and take its history."""
    begin_s = time.perf_counter()
    with _Watch(run) as watch:
        observer = None if run.conditions is None else run.conditions.observer
        ran = prepared.carry_out(lambda: run_whole(run), observer=observer)
    raise_again()
    if isinstance(ran.error, BadInput):
        raise BadInput(f"{run.scenario.path}: {ran.error}") from ran.error
    if isinstance(ran.error, SystemExit) and run.search is None:
        raise ran.error
    return ran, _history(ran, run, watch, wall_s=time.perf_counter() - begin_s)


def _no_evidence(ran: Ran, history: History, root: Path) -> str | None:
    """Say why what went wrong in a run proves nothing against the system, if so."""
    if ran.limit is not None:
        return None if ran.limit.shown else ran.limit.text
    if isinstance(ran.error, HarnessBug):
        return f"a fault of the harness: {ran.error}"
    if isinstance(ran.error, HarnessError) and not isinstance(ran.error, FailureFound):
        return str(ran.error)
    if ran.refused:
        return f"the system asks for what a simulation has not: {ran.refused[0]}"
    errors = [one.error for one in history.operations if one.error is not None]
    return why_not_writable(root) if ran.error is not None or errors else None


def _broken_before(results: Iterable[CheckResult], run: Run) -> Iterator[CheckResult]:
    """Yield what was broken before the run came to its limit, whatever it would have come to.

    An operation that outlasted the time that the scenario gives it has done so.
    """
    for one in results:
        if one.name == no_deadlock.NAME and one.verdict is Verdict.FAILED and run.recorder.is_late:
            yield one


class _Watch:
    """What is looked at around a run: coroutines that nobody awaits; calls that block, if asked."""

    def __init__(self, run: Run) -> None:
        checks = run.scenario.checks[run.recorder.node.value]
        asked = any(isinstance(one.parameters, NoBlockingCalls) for one in checks)
        self.dropped = DroppedCoroutines()
        self.blocking = BlockingCalls(run.stage.clock) if asked else None
        self._stack = ExitStack()

    def __enter__(self) -> _Watch:
        self._stack.enter_context(TaskOrigins())
        self._stack.enter_context(self.dropped)
        if self.blocking is not None:
            self._stack.enter_context(self.blocking)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()


def _history(ran: Ran, run: Run, watch: _Watch, *, wall_s: float) -> History:
    """Take the history at the end, by the backend's clock."""
    recorder = run.recorder
    if recorder.deadlock is None:
        recorder.deadlock = ran.diagnosis
    if recorder.leaks is not None:
        recorder.leaks += watch.dropped.found
    history = recorder.history(
        end_s=wall_s if ran.virtual_s is None else ran.virtual_s,
        lock_holds=ran.lock_holds,
        lock_waits=ran.lock_waits,
        conditions=() if run.conditions is None else run.conditions.found(),
    )
    return replace(
        history,
        blocking_calls=None if watch.blocking is None else watch.blocking.found(),
        loop_lags=ran.loop_lags,
    )


def not_run(
    scenario: Scenario,
    *,
    node: NodeKind,
    seed: int,
    reason: str,
    system: str | None = None,
    profile: ProfileUsed | None = None,
) -> RunResult:
    """Make the result of a run that proves nothing: UNKNOWN, with the reason."""
    result = _result(scenario, node, seed=seed, system=system, profile=profile)
    return replace(result, could_not_run=reason)


def _result(
    scenario: Scenario,
    node: NodeKind,
    *,
    seed: int,
    system: str | None,
    profile: ProfileUsed | None,
) -> RunResult:
    """Make the result of a run of which nothing is known yet."""
    return RunResult(
        scenario=scenario.name,
        path=scenario.path,
        claim=scenario.claim,
        node=node.value,
        seed=seed,
        verdict=Verdict.UNKNOWN,
        digest=None,
        checks=(),
        virtual_s=None,
        wall_s=0.0,
        replay=replay_line(scenario, seed=seed, node=node, system=system, profile=profile),
        profile=profile,
    )


def _of_the_run(ran: Ran, run: Run) -> Iterator[CheckResult]:
    """Judge the run itself: whether it was opened, came to its end and was closed."""
    plain = run.recorder.plain
    error = None if ran.error is None else plain.error(ran.error)
    if error is not None:
        notes = [plain.text(one) for one in getattr(ran.error, "__notes__", ())]
        error = replace(error, chain=(*notes, *error.chain))
    status = None
    if ran.limit is not None and ran.limit.shown:
        yield whole_run_ended(ran.limit.text)
        return
    if isinstance(ran.error, SystemExit) and error is not None:
        status = error.message if type(ran.error.code) is int else repr(error.message)
    found = whole_run(
        error=error,
        exit_status=status,
        diagnosis=ran.diagnosis,
        unhandled=[plain.text(ran.unhandled[0]), *ran.unhandled[1:]] if ran.unhandled else (),
    )
    if found is not None:
        yield found


def _judged(run: Run, history: History) -> Iterator[CheckResult]:
    checks: Iterable[ResolvedCheck] = run.scenario.checks[history.node.value]
    if run.search is not None:
        checks = run.search.judges(checks, history)
    for check in checks:
        # One that is asked for is never dropped: it says then that there is nothing to judge.
        if check.asked or check.kind.is_judgeable(history):
            yield check(history)
    if run.search is None and (found := tried(run.untried)) is not None:
        yield found
    if run.recovery is not None:
        yield recovers(run.recovery.failures, why=run.recovery.why)
