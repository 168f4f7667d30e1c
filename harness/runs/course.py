"""The course of a run inside its loop: the phases in order, then the phases that are timed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.checks.speedup import SpeedUp, needs_round, words_so_far
from harness.choices.points import Interception
from harness.diagnosis.ended_holders import is_orphan, permits_left
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.task_origins import leaked
from harness.errors import HarnessBug
from harness.history.machine_load import load_between
from harness.history.recorder import Recorder
from harness.history.records import MachineRecord, Measurement, Pacing
from harness.runs.recovery import recovered
from harness.runs.workload import Workload
from harness.systems.port import Environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

    from harness.backends.port import Stage, World
    from harness.choices.chaos import Chaos
    from harness.diagnosis.lock_ledger import Hold
    from harness.history.machine_load import MachineLoad
    from harness.runs.conditions import ConditionWatch
    from harness.runs.recovery import Recovery
    from harness.runs.under_search import Search
    from harness.scenario.model import Phase, Scenario
    from harness.systems.port import Session, System

__all__ = ["Run", "run_whole"]

# A round's control takes a part of the time of its first timing, within limits: it must last some
# periods of a group's quota of CPU time (0.1 s), and the counters of the machine are coarse.
CONTROL_SHARE, CONTROL_MIN_S, CONTROL_MAX_S = 0.5, 0.3, 0.8
# A timing must be so long for the load in it to be known; that of a whole round always is.
LOAD_MIN_S = 0.3
TOLD_EVERY_S = 10.0
# An opening, a closing or an audit has so many times the seconds of an operation, and at the least
# so many: nobody has said how long it may take.
LONGER = 10
AT_LEAST_S = 300.0


@dataclass(slots=True, kw_only=True)
class Run:
    """What the parts of one run share."""

    scenario: Scenario
    system: System
    recorder: Recorder
    stage: Stage
    root: Path
    within_s: float
    conditions: ConditionWatch | None = None
    seed: int = 0
    search: Search | None = None
    # What worked once nothing went wrong any more; None if that was not tried.
    recovery: Recovery | None = None
    # Faults and parks that never took place, in words.
    untried: tuple[str, ...] = ()
    # Points of the system that nobody came to.
    unreached: tuple[str, ...] = ()

    def limited(self, what: str) -> AbstractContextManager[None]:
        """Limit what belongs to no operation: who polls there might do so for ever."""
        return self.stage.limited(what, max(LONGER * self.within_s, AT_LEAST_S))


async def run_whole(run: Run) -> None:
    """Run all phases once, then time the phases that a speed-up is asked of."""
    interception = Interception(run.recorder, run.scenario.fault)
    if run.search is not None and run.search.faults:
        interception.chaos = run.stage.begin_chaos(run.seed)
    if run.search is not None and run.search.cancel:
        interception.cancels = run.stage.begin_cancelling(
            lambda name: run.recorder.fault(name, "cancel", {})
        )
    async with _opened(run, "run", interception) as (world, opened):
        workload = _workload(run, interception)
        for phase in run.scenario.phase:
            await _prepare(phase, world, opened)
            async with _troubled_node(run.recorder, interception.chaos, phase, world):
                await workload.run_phase(phase, opened.session, close=opened.shut)
            if phase.close is not None:
                await opened.reopen()
        run.untried, run.unreached = interception.untried(), interception.unreached()
        if interception.cancels is not None:
            interception.cancels.stop()
        if interception.chaos is not None:
            await _recover(run, interception.chaos, world, opened)
        with run.limited("the audit"):
            run.recorder.audit = await _audit(opened.session)
        if run.conditions is not None:
            with run.stage.patient(run.within_s):
                await run.conditions.end()
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


async def _recover(run: Run, chaos: Chaos, world: World, opened: _Opened) -> None:
    """Let nothing go wrong any more, and see whether the system works for everybody."""
    chaos.stop()
    await world.set_node("heal")
    run.recorder.probing()
    run.recovery = await recovered(
        opened.session,
        run.scenario.users,
        within_s=run.within_s,
        plain=run.recorder.plain,
        diagnose=run.stage.diagnose,
    )


async def _measure(run: Run) -> None:
    """Time the phases that a speed-up is asked of, round by round, until it is decided."""
    asked = [
        one.parameters
        for one in run.scenario.checks[run.recorder.node.value]
        if isinstance(one.parameters, SpeedUp)
    ]
    # The run before this was the warm-up.
    told_s = run.stage.clock()
    for parameters in asked:
        while needs_round(run.recorder.history(), parameters):
            await _round(run, parameters)
            if run.stage.clock() - told_s >= TOLD_EVERY_S:
                told_s = run.stage.clock()
                run.stage.tell(
                    f"{run.scenario.name}: {words_so_far(run.recorder.history(), parameters)}"
                )


async def _round(run: Run, parameters: SpeedUp) -> None:
    """Time a phase in both pacings, in alternating order, with a control of the machine between."""
    phase, machine = parameters.phase, run.stage.machine
    turn = sum(one.phase == phase for one in run.recorder.history().measurements) // 2
    first, second = list(Pacing) if turn % 2 else list(reversed(Pacing))
    if machine is None:
        for pacing in (first, second):
            await _timed(run, phase, turn=turn, pacing=pacing)
        return
    before = machine.read()
    timed, load = await _timed(run, phase, turn=turn, pacing=first)
    control_s = min(max(timed.duration_s * CONTROL_SHARE, CONTROL_MIN_S), CONTROL_MAX_S)
    room = await machine.room(timed.succeeded + timed.failed, for_s=control_s)
    _, other_load = await _timed(run, phase, turn=turn, pacing=second)
    sequential_load = load if first is Pacing.SEQUENTIAL else other_load
    loads = [load_between(before, machine.read())]
    loads += [one for one in (load, other_load) if one is not None and one.wall_s >= LOAD_MIN_S]
    foreign = [one.foreign_cores for one in loads if one.foreign_cores is not None]
    run.recorder.machine(
        MachineRecord(
            phase=phase,
            round=turn,
            foreign_cores=max(foreign, default=None),
            foreign_cores_max=parameters.foreign_cores_max,
            own_cores=0.0 if sequential_load is None else sequential_load.own_cores,
            room=room,
        )
    )


async def _timed(
    run: Run, phase_name: str, *, turn: int, pacing: Pacing
) -> tuple[Measurement, MachineLoad | None]:
    """Run the scenario up to the phase and time that, in a recorder of its own.

    The load is that of the machine meanwhile; None where time is virtual.
    """
    machine = run.stage.machine
    quiet = Recorder(
        run.recorder.node, plain=run.recorder.plain, clock=run.stage.clock, note=run.stage.note
    )
    interception = Interception(quiet, run.scenario.fault)
    own = Run(
        scenario=run.scenario,
        system=run.system,
        recorder=quiet,
        stage=run.stage,
        root=run.root,
        within_s=run.within_s,
        seed=run.seed,
    )
    label = f"{phase_name} {turn} {pacing.value}"
    async with _opened(own, label, interception, paired=True) as (world, opened):
        workload = _workload(own, interception)
        for phase in run.scenario.phase:
            await _prepare(phase, world, opened)
            if phase.name != phase_name:
                await workload.run_phase(phase, opened.session, close=opened.shut)
                if phase.close is not None:
                    await opened.reopen()
                continue
            before = None if machine is None else machine.read()
            since, begin_s = quiet.operations_count, run.stage.clock()
            took_s = await workload.run_phase(phase, opened.session, pacing=pacing)
            load = None
            if machine is not None and before is not None:
                load = load_between(before, machine.read())
            succeeded, failed = quiet.outcomes_since(since)
            timed = Measurement(
                phase=phase_name,
                round=turn,
                pacing=pacing,
                duration_s=took_s,
                succeeded=succeeded,
                failed=failed,
                begin_s=begin_s,
            )
            run.recorder.measurement(timed, quiet.history())
            return timed, load
    raise HarnessBug(f"speedup: the scenario has no phase {phase_name}, which was to be timed")


class _Opened:
    """The open system, which a phase may close and open again."""

    def __init__(
        self,
        system: System,
        environment: Environment,
        conditions: ConditionWatch | None,
        limited: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._limited = limited
        self._system = system
        self._conditions = conditions
        self._before: frozenset[asyncio.Task[Any]] = frozenset()
        self._held_before: frozenset[Hold] = frozenset()
        self._held: list[Hold] | None = None  # Once shut, until what was left is told.
        self._environment = environment
        self._context: AbstractAsyncContextManager[Session] | None = None

    async def open(self) -> None:
        """Open the system."""
        self._before = frozenset(asyncio.all_tasks())
        self._held_before = frozenset(_held())
        # A copy for each: what a system does to its settings, the next one must not see.
        settings = deepcopy(self._environment.settings)
        context = self._system.open(replace(self._environment, settings=settings))
        with self._limited("the opening of the system"):
            self.session: Session = await context.__aenter__()
        self._context = context
        if self._conditions is not None:
            self._conditions.bind(self.session)

    async def reopen(self) -> None:
        """Close the system, unless it is closed, and open it on the same storage."""
        await self.close()
        await self.open()

    async def close(self) -> None:
        """Close the system in order, and tell what it has left.

        It may be closed already: a restart may have failed half-way.
        """
        await self.shut()
        held, self._held = self._held, None
        if held is not None:
            recorder = self._environment.recorder
            left = await leaked(self._before)
            recorder.leaks = [*(recorder.leaks or ()), *left, *permits_left(active_ledger(), held)]

    async def shut(self) -> None:
        """Close the system alone; calls may be under way, so what it leaves is told later."""
        context, self._context = self._context, None
        if context is not None:
            if self._conditions is not None:
                self._conditions.unbind()
            # What is taken to close may be kept: then nothing begins any more.
            held = [hold for hold in _held() if hold not in self._held_before and is_orphan(hold)]
            with self._limited("the closing of the system"):
                await context.__aexit__(None, None, None)
            self._held = held


def _held() -> tuple[Hold, ...]:
    ledger = active_ledger()
    return () if ledger is None else ledger.all_held()


@asynccontextmanager
async def _opened(
    run: Run, label: str, interception: Interception, *, paired: bool = False
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
            run.conditions,
            run.limited,
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
        await opened.reopen()


def _workload(run: Run, interception: Interception) -> Workload:
    return Workload(
        run.scenario,
        run.stage,
        recorder=run.recorder,
        interception=interception,
        within_s=run.within_s,
        seed=run.seed,
    )


async def _audit(session: Session) -> tuple[str, ...] | None:
    # One turn of the loop, so that what an operation left behind can end.
    await asyncio.sleep(0)
    found = await session.audit()
    return None if found is None else tuple(found)
