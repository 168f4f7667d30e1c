"""Own a run: one scenario on one backend with one seed, from an empty directory to a verdict."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.blocking_calls import BlockingCalls
from harness.chaos import WITHIN_S as CHAOS_WITHIN_S
from harness.checks.deadlock import describe
from harness.checks.speedup import SpeedUp, is_decided
from harness.condition_watch import ConditionWatch, condition_mistakes
from harness.dropped_coroutines import DroppedCoroutines
from harness.errors import BadInput, HarnessBug, HarnessError, Unsupported
from harness.history import Measurement, NodeKind, Pacing
from harness.interception import Interception
from harness.plain_data import PlainData
from harness.recorder import Recorder
from harness.recovery import recovered, told_recovery
from harness.replay import replay_line
from harness.result import RunResult
from harness.run_directory import run_directory, why_not_writable
from harness.system import Environment
from harness.task_origins import TaskOrigins, leaked
from harness.verdict import CheckResult, Verdict, verdict_of
from harness.workload import Workload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from harness.backend import Backend, Ran, Stage, World
    from harness.chaos import Chaos
    from harness.checks import ResolvedCheck
    from harness.history import History
    from harness.scenario import Phase, Scenario
    from harness.search import Search
    from harness.system import Session, System

__all__ = ["not_run", "refuse_mistakes", "run_scenario"]

ROUNDS_SIMULATED = 1


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the parts of one run share."""

    scenario: Scenario
    system: System
    recorder: Recorder
    stage: Stage
    root: Path
    within_s: float
    seed: int = 0
    search: Search | None = None


def run_scenario(
    scenario: Scenario,
    backend: Backend,
    *,
    system: System,
    system_path: str,
    seed: int,
    search: Search | None = None,
) -> RunResult:
    """Run a scenario and judge its history; what a search changes, it is not judged by.

    Raises:
        BadInput: The scenario asks the system for what it does not have.
        CouldNotRun: There is no place for its files.
    """
    refuse_mistakes(scenario, system)
    node = backend.kind
    begin_s = time.perf_counter()
    with run_directory(in_memory=node is NodeKind.SIMULATED) as root:
        recorder = Recorder(node, plain=PlainData({str(root): "<storage>"}))
        # The recorder has its clock once the backend is up.
        clock = lambda: recorder.clock()  # noqa: E731, PLW0108
        recorder.conditions = conditions = ConditionWatch(scenario, node, clock=clock)

        async def main(stage: Stage) -> None:
            recorder.clock, recorder.note = stage.clock, stage.note
            run = _Run(
                scenario=scenario,
                system=system,
                recorder=recorder,
                stage=stage,
                root=root,
                within_s=_within_s(scenario, node, search),
                seed=seed,
                search=search,
            )
            await _whole(run)

        with _Watch(scenario, recorder) as watch:
            ran = backend.run(main, seed=seed, observer=conditions.observer)
        if isinstance(ran.error, BadInput):
            raise BadInput(f"{scenario.path}: {ran.error}") from ran.error
        history = _history(ran, recorder, watch, wall_s=time.perf_counter() - begin_s)
        results = (
            *_run_itself(ran, recorder),
            *_judged(scenario, history, search),
            *told_recovery(recorder.not_recovered),
        )
        lacking = _no_evidence(ran, history, root)
    if lacking is not None:
        return not_run(scenario, node=node, seed=seed, reason=lacking, system=system_path)
    return RunResult(
        scenario=scenario.name,
        path=scenario.path,
        claim=scenario.claim,
        node=node.value,
        seed=seed,
        verdict=verdict_of(one.verdict for one in results),
        digest=ran.digest,
        checks=results,
        virtual_s=ran.virtual_s,
        wall_s=time.perf_counter() - begin_s,
        replay=replay_line(scenario.path, seed=seed, node=node, system=system_path),
        history=history,
    )


def _no_evidence(ran: Ran, history: History, root: Path) -> str | None:
    """Say why what went wrong in a run proves nothing against the system, if so."""
    if isinstance(ran.error, HarnessBug):
        return f"a fault of the harness: {ran.error}"
    if isinstance(ran.error, HarnessError):
        return str(ran.error)
    errors = [one.error for one in history.operations if one.error is not None]
    for error in errors:
        if error.type == Unsupported.__name__:
            return f"the system asks for what a simulation has not: {error.message}"
    return why_not_writable(root) if ran.error is not None or errors else None


def refuse_mistakes(scenario: Scenario, system: System) -> None:
    """Refuse a scenario that asks its system for what it does not have.

    Raises:
        BadInput: With all that is missing.
    """
    try:
        offered = getattr(system, "conditions", ())
        mistakes = [*system.mistakes(scenario), *condition_mistakes(scenario, offered)]
    except Exception as error:
        msg = f"{scenario.path}: the system's mistakes() failed: {error!r}; mend the adapter"
        raise BadInput(msg) from error
    if mistakes:
        count = f"{len(mistakes)} mistake{'s' * (len(mistakes) != 1)}"
        raise BadInput("\n  ".join([f"{scenario.path}: {count}", *mistakes]))


def _within_s(scenario: Scenario, node: NodeKind, search: Search | None) -> float:
    """Look up the seconds that an operation has on this backend."""
    if search is not None and search.faults:
        return CHAOS_WITHIN_S
    checks = scenario.checks[node.value]
    limits = [one.parameters.within_s for one in checks if one.name == "no_deadlock"]
    return limits[0] if limits else scenario.within_s


class _Watch:
    """What is looked at around a run: coroutines that nobody awaits; calls that block, if asked."""

    def __init__(self, scenario: Scenario, recorder: Recorder) -> None:
        checks = scenario.checks[recorder.node.value]
        asked = any(one.name == "no_blocking_calls" for one in checks)
        self.dropped = DroppedCoroutines()
        # The recorder has its clock once the backend is up.
        clock = lambda: recorder.clock()  # noqa: E731, PLW0108
        self.blocking = BlockingCalls(clock) if asked else None
        self._stack = ExitStack()

    def __enter__(self) -> _Watch:
        self._stack.enter_context(TaskOrigins())
        self._stack.enter_context(self.dropped)
        if self.blocking is not None:
            self._stack.enter_context(self.blocking)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()


def _history(ran: Ran, recorder: Recorder, watch: _Watch, *, wall_s: float) -> History:
    """Take the history at the end, by the backend's clock."""
    end_s = wall_s if ran.virtual_s is None else ran.virtual_s
    recorder.clock = lambda: end_s
    if recorder.deadlock is None:
        recorder.deadlock = ran.diagnosis
    if recorder.leaks is not None:
        recorder.leaks += watch.dropped.found
    history = recorder.history(lock_holds=ran.lock_holds, lock_waits=ran.lock_waits)
    return replace(
        history,
        blocking_calls=None if watch.blocking is None else watch.blocking.found(),
        loop_lags=ran.loop_lags,
    )


def not_run(
    scenario: Scenario, *, node: NodeKind, seed: int, reason: str, system: str | None = None
) -> RunResult:
    """Make the result of a run that proves nothing: UNKNOWN, with the reason."""
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
        replay=replay_line(scenario.path, seed=seed, node=node, system=system),
        could_not_run=reason,
    )


async def _whole(run: _Run) -> None:
    """Run all phases once, then time the phases that a speed-up is asked of."""
    interception = Interception(run.recorder, run.scenario.fault)
    if run.search is not None and run.search.faults:
        interception.chaos = run.stage.begin_chaos(run.seed)
    async with _opened(run, "run", interception) as (world, opened):
        workload = _workload(run, interception)
        for phase in run.scenario.phase:
            await _prepare(phase, world, opened)
            async with _troubled_node(run.recorder, interception.chaos, phase, world):
                await workload.run_phase(phase, opened.session)
        if interception.chaos is not None:
            await _recover(run, interception.chaos, world, opened)
        run.recorder.audit = await _audit(opened.session)
        if run.recorder.conditions is not None:
            with run.stage.patient(run.within_s):
                await run.recorder.conditions.end()
    # Whoever changes latencies learns nothing from how long things take.
    if run.search is None:
        await _measure(run)


@asynccontextmanager
async def _troubled_node(
    recorder: Recorder, chaos: Chaos | None, phase: Phase, world: World
) -> AsyncIterator[None]:
    """Let the node be cut off, freeze or be slow for a part of a phase, if chaos wants it."""
    plan = None if chaos is None else chaos.node_plan(phase.name)
    if plan is None:
        yield
        return
    state, after_s, for_s = plan

    async def trouble() -> None:
        await asyncio.sleep(after_s)
        await world.set_node(state)
        recorder.fault("node", state, {})
        await asyncio.sleep(for_s)
        await world.set_node(phase.node or "heal")

    troubling = asyncio.create_task(trouble(), name=f"node {state}")
    try:
        yield
    finally:
        troubling.cancel()
        await asyncio.wait([troubling])
        await world.set_node(phase.node or "heal")


async def _recover(run: _Run, chaos: Chaos, world: World, opened: _Opened) -> None:
    """Let nothing go wrong any more, and see whether the system works for everybody."""
    chaos.stop()
    await world.set_node("heal")
    run.recorder.not_recovered = await recovered(
        opened.session,
        run.scenario.users,
        within_s=run.within_s,
        plain=run.recorder.plain,
    )


async def _measure(run: _Run) -> None:
    """Time a phase in both pacings, round by round, on fresh storage, in alternating order."""
    asked = [
        one.parameters
        for one in run.scenario.checks[run.recorder.node.value]
        if isinstance(one.parameters, SpeedUp)
    ]
    simulated = run.recorder.node is NodeKind.SIMULATED
    for parameters in asked:
        # The run before this was the warm-up. Virtual time has no noise: one round says all.
        rounds = ROUNDS_SIMULATED if simulated else parameters.rounds
        rounds_max = rounds if simulated else max(rounds, parameters.rounds_max)
        for turn in range(rounds_max):
            if turn >= rounds and is_decided(run.recorder.history(), parameters):
                break
            pacings = [Pacing.SEQUENTIAL, Pacing.TOGETHER]
            for pacing in pacings if turn % 2 == 0 else reversed(pacings):
                await _timed(run, parameters.phase, turn=turn, pacing=pacing)


async def _timed(run: _Run, phase_name: str, *, turn: int, pacing: Pacing) -> None:
    """Run the scenario up to the phase and time that, in a recorder of its own."""
    quiet = Recorder(run.recorder.node, plain=run.recorder.plain)
    quiet.clock, quiet.note = run.stage.clock, run.stage.note
    interception = Interception(quiet, run.scenario.fault)
    own = _Run(
        scenario=run.scenario,
        system=run.system,
        recorder=quiet,
        stage=run.stage,
        root=run.root,
        within_s=run.within_s,
    )
    label = f"{phase_name} {turn} {pacing.value}"
    async with _opened(own, label, interception, paired=True) as (world, opened):
        workload = _workload(own, interception)
        for phase in run.scenario.phase:
            await _prepare(phase, world, opened)
            timed = phase.name == phase_name
            since, begin_s = quiet.operations_count, run.stage.clock()
            took_s = await workload.run_phase(
                phase, opened.session, pacing=pacing if timed else Pacing.TOGETHER
            )
            if timed:
                succeeded, failed = quiet.outcomes_since(since)
                run.recorder.measurement(
                    Measurement(
                        phase=phase_name,
                        round=turn,
                        pacing=pacing,
                        duration_s=took_s,
                        succeeded=succeeded,
                        failed=failed,
                        begin_s=begin_s,
                    )
                )
                break


class _Opened:
    """The open system, which a phase may close and open again."""

    def __init__(self, system: System, environment: Environment) -> None:
        self._system = system
        self._before: frozenset[asyncio.Task[Any]] = frozenset()
        self._environment = environment
        self._context: AbstractAsyncContextManager[Session] | None = None

    async def open(self) -> None:
        """Open the system."""
        self._before = frozenset(asyncio.all_tasks())
        context = self._system.open(self._environment)
        self.session: Session = await context.__aenter__()
        self._context = context
        if self._environment.recorder.conditions is not None:
            self._environment.recorder.conditions.bind(self.session)

    async def close(self) -> None:
        """Close the system in order, unless it is closed: a restart may have failed half-way."""
        context, self._context = self._context, None
        if context is not None:
            if self._environment.recorder.conditions is not None:
                self._environment.recorder.conditions.unbind()
            await context.__aexit__(None, None, None)
            recorder = self._environment.recorder
            recorder.leaks = [*(recorder.leaks or ()), *await leaked(self._before)]


@asynccontextmanager
async def _opened(
    run: _Run, label: str, interception: Interception, *, paired: bool = False
) -> AsyncIterator[tuple[World, _Opened]]:
    directory = run.root / label.replace(" ", "-")
    directory.mkdir()
    async with run.stage.open_world(
        label,
        needs_node=run.system.needs_node,
        paired=paired,
        faults=run.scenario.uses_node_faults,
    ) as world:
        opened = _Opened(
            run.system,
            Environment(
                directory=directory,
                node=run.recorder.node,
                clients=world.clients,
                settings=run.scenario.settings,
                users=tuple(run.scenario.users),
                recorder=run.recorder,
                interception=interception,
            ),
        )
        await opened.open()
        try:
            yield world, opened
        finally:
            interception.clear()
            await opened.close()


async def _prepare(phase: Phase, world: World, opened: _Opened) -> None:
    """Do what a phase asks for before its steps: the node's health, a restart."""
    if phase.node is not None:
        await world.set_node(phase.node)
    if phase.restart:
        await opened.close()
        await opened.open()


def _workload(run: _Run, interception: Interception) -> Workload:
    return Workload(
        run.scenario,
        run.stage,
        recorder=run.recorder,
        interception=interception,
        within_s=run.within_s,
    )


async def _audit(session: Session) -> tuple[str, ...] | None:
    # One turn of the loop, so that what an operation left behind can end.
    await asyncio.sleep(0)
    found = await session.audit()
    return None if found is None else tuple(found)


def _run_itself(ran: Ran, recorder: Recorder) -> Iterator[CheckResult]:
    """Fail a run whose system could not be opened, run or closed, or that left errors behind."""
    expected = "the system to open, run and close without an error"
    if ran.error is not None:
        record = recorder.plain.error(ran.error)
        yield CheckResult(
            name="run",
            verdict=Verdict.FAILED,
            expected=expected,
            seen=f"{record.type}: {record.message}",
            involved=record.chain,
        )
    elif ran.diagnosis is not None:
        yield CheckResult(
            name="run",
            verdict=Verdict.FAILED,
            expected=expected,
            seen=f"it could not go on at {ran.diagnosis.at_s:.3f} s",
            why=describe(ran.diagnosis),
        )
    elif ran.unhandled:
        yield CheckResult(
            name="run",
            verdict=Verdict.FAILED,
            expected="no error that nobody handled",
            seen=recorder.plain.text(ran.unhandled[0])
            + (f" and {len(ran.unhandled) - 1} more" if len(ran.unhandled) > 1 else ""),
            involved=ran.unhandled,
        )


def _judged(scenario: Scenario, history: History, search: Search | None) -> Iterator[CheckResult]:
    checks: Iterable[ResolvedCheck] = scenario.checks[history.node.value]
    if search is not None:
        checks = search.judges(checks, history)
    for check in checks:
        # A system without an audit is not asked for one, unless the run never came that far.
        if check.name == "end_state" and history.audit is None and history.deadlock is None:
            continue
        # A system that was never closed has failed as such: see _run_itself.
        if check.name == "no_leaks" and history.leaks is None:
            continue
        yield check(history)
