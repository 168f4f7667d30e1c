"""The carrying out of a phase: its steps as tasks on the system under test."""

from __future__ import annotations

import asyncio
import inspect
import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.choices.points import OPERATION, RunningOperation
from harness.choices.randomness import Randomness
from harness.errors import HarnessError, NotAwaited
from harness.history.records import Outcome, Pacing
from harness.runs.deadline import Deadline
from harness.runs.step_progress import StepProgress, moment_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from harness.backends.port import Stage
    from harness.choices.points import Interception
    from harness.history.recorder import Recorder
    from harness.scenario.model import Phase, Scenario, Step, User
    from harness.systems.port import Session

__all__ = ["Workload"]


class _Cancellation:
    """Cancels the operation of one copy, once; a copy that is between operations makes no more."""

    def __init__(self) -> None:
        self.struck = False
        self._task: asyncio.Task[Any] | None = None

    def strike(self) -> None:
        """Cancel the operation that is under way, if one is."""
        if not self.struck:
            self.struck = True
            if self._task is not None:
                self._task.cancel()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()

    def __exit__(self, *_exception: object) -> None:
        self._task = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One copy of a step, for one user."""

    step: Step
    user: User | None
    copy: int
    number: int
    ordinal: int
    cancellation: _Cancellation = field(default_factory=_Cancellation)

    @property
    def task_name(self) -> str:
        whose = f"[{self.user.name}]" if self.user else ""
        return f"{self.step.name}{whose}{f'#{self.copy}' if self.step.times > 1 else ''}"


class Workload:
    """Runs the phases of a scenario on an open session."""

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        *,
        recorder: Recorder,
        interception: Interception,
        within_s: float,
        seed: int = 0,
    ) -> None:
        self._scenario = scenario
        self._randomness = Randomness(seed)
        self._stage = stage
        self._recorder = recorder
        self._interception = interception
        self._within_s = within_s

    async def run_phase(
        self,
        phase: Phase,
        session: Session,
        *,
        pacing: Pacing = Pacing.TOGETHER,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> float:
        """Run a phase's steps and return the seconds from its start to its last end.

        ``close`` closes the system; a phase may ask for that while its steps are under way.
        """
        begin_s = self._stage.clock()
        self._interception.phase = phase.name
        calls = list(self._calls(phase))
        if phase.draw is not None:
            await self._drawn(phase, calls, session)
        elif pacing is Pacing.SEQUENTIAL:
            for call in calls:
                await self._task(call, phase, session, started=None)
        else:
            await self._together(phase, calls, session, close)
        self._interception.clear()
        return self._stage.clock() - begin_s

    def _calls(self, phase: Phase) -> Iterator[_Call]:
        users = {user.name: (user, number) for number, user in enumerate(self._scenario.users)}
        for step in phase.do:
            ordinal = itertools.count()
            for name in self._names(step, list(users)):
                user, number = users[name] if name is not None else (None, 0)
                for copy in range(step.times):
                    yield _Call(
                        step=step, user=user, copy=copy, number=number, ordinal=next(ordinal)
                    )

    @staticmethod
    def _names(step: Step, every: list[str]) -> list[str] | list[None]:
        if step.user is None:
            return [None]
        if step.user == "each":
            return every
        return list(step.user) if isinstance(step.user, list) else [step.user]

    async def _drawn(self, phase: Phase, calls: list[_Call], session: Session) -> None:
        """Let each user make calls one after another, each drawn from those that it has."""
        by_user: dict[str, list[_Call]] = {}
        for call in calls:
            by_user.setdefault(call.user.name if call.user else "", []).append(call)

        async def draws(name: str, mine: list[_Call]) -> None:
            stream = self._randomness.stream(f"draw {phase.name} {name}")
            for turn in range(phase.draw or 0):
                await self._operate(stream.choice(mine), phase, session, turn=turn)

        # No deadline here: each operation has one of its own.
        await asyncio.gather(
            *(
                asyncio.create_task(draws(name, mine), name=f"{phase.name}[{name}]")
                for name, mine in by_user.items()
            )
        )

    async def _together(
        self,
        phase: Phase,
        calls: list[_Call],
        session: Session,
        close: Callable[[], Awaitable[None]] | None,
    ) -> None:
        progress = {
            step.name: StepProgress(sum(call.step is step for call in calls)) for step in phase.do
        }
        watchers = list(self._parking(phase, progress))
        tasks: dict[str, list[asyncio.Task[None]]] = {}
        for call in calls:
            task = self._task(call, phase, session, started=progress)
            tasks.setdefault(call.step.name, []).append(task)
            task.add_done_callback(progress[call.step.name].ended)
        for step in phase.do:
            self._arrange_trip(step, [call for call in calls if call.step is step])
        # No deadline here: each operation has one of its own.
        all_ended = asyncio.gather(*(task for some in tasks.values() for task in some))
        try:
            if phase.close is not None and close is not None:
                await moment_of(phase.close, progress)
                await self._pause(phase.close.delay_ms)
                await close()
            await all_ended
        finally:
            all_ended.cancel()
            for watcher in watchers:
                watcher.cancel()

    def _parking(
        self, phase: Phase, progress: dict[str, StepProgress]
    ) -> Iterator[asyncio.Task[None]]:
        """Put a gate for each step that parks, opened by the end of the step it waits for."""
        for step in phase.do:
            if step.park is None:
                continue
            gate = self._interception.add_gate(step.park.at, step=step.name)
            own = progress[step.name]
            others = [progress[name] for name in step.park.ends_of]

            async def watch(gate: Any = gate, own: Any = own, others: Any = others) -> None:
                await gate.reached.wait()
                own.parks.set()
                for other in others:
                    await other.ends.wait()
                gate.opened.set()

            yield asyncio.create_task(watch(), name=f"gate of {step.name}")

    def _arrange_trip(self, step: Step, calls: list[_Call]) -> None:
        """Have the copies that a step cancels at a point cancelled when the first arrives there."""
        if step.cancel is None or step.cancel.at is None:
            return
        chosen = [call.cancellation for call in calls if self._is_cancelled(call)]

        def strike() -> None:
            for one in chosen:
                one.strike()

        self._interception.add_trip(step.cancel.at, step=step.name, strike=strike)

    @staticmethod
    def _is_cancelled(call: _Call) -> bool:
        """Say whether this copy is one of those that its step cancels."""
        if call.step.cancel is None:
            return False
        copies = call.step.cancel.copies
        return copies == "all" or call.ordinal < (1 if copies == "first" else copies)

    def _task(
        self,
        call: _Call,
        phase: Phase,
        session: Session,
        *,
        started: dict[str, StepProgress] | None,
    ) -> asyncio.Task[None]:
        return asyncio.create_task(
            self._perform(call, phase, session, started=started), name=call.task_name
        )

    async def _perform(
        self,
        call: _Call,
        phase: Phase,
        session: Session,
        *,
        started: dict[str, StepProgress] | None,
    ) -> None:
        step, repeat = call.step, call.step.repeat
        if step.start is not None and started is not None:
            await moment_of(step.start, started)
            await self._pause(step.start.delay_ms)
        for turn in range(repeat.times if repeat else 1):
            if turn and repeat is not None:
                await self._pause(repeat.gap_ms)
                if call.cancellation.struck:
                    return
            if started is not None:
                started[step.name].begins.set()
                if turn == 0:
                    self._arrange_strike(call)
            if not await self._operate(call, phase, session, turn=turn):
                return

    def _arrange_strike(self, call: _Call) -> None:
        """Have a copy that its step cancels after a while cancelled so long after its own begin."""
        if call.step.cancel is None or call.step.cancel.after_ms is None:
            return
        if self._is_cancelled(call):
            delay_s = call.step.cancel.after_ms / 1e3
            asyncio.get_running_loop().call_later(delay_s, call.cancellation.strike)

    async def _pause(self, for_ms: float) -> None:
        if for_ms:
            with self._stage.patient(for_ms / 1e3):
                await asyncio.sleep(for_ms / 1e3)

    async def _operate(self, call: _Call, phase: Phase, session: Session, *, turn: int) -> bool:
        """Carry out one operation and record it; False if no more of this call should follow."""
        step, user = call.step, call.user
        missing: HarnessError | None = None
        try:
            arguments = self._resolved(call, turn=turn)
        except HarnessError as error:
            # The operation whose result it needs did not succeed: that fails this one, too.
            arguments, missing = step.arguments, error
        number = self._recorder.begin_operation(
            step.name,
            step.call,
            user=user.name if user else None,
            phase=phase.name,
            arguments=arguments,
            expected=self._expected(call),
        )
        if missing is not None:
            self._recorder.end_operation(number, Outcome.RAISED, error=missing)
            return False
        if call.cancellation.struck:
            # Like a task that is cancelled before it first runs: it never calls.
            self._recorder.end_operation(number, Outcome.CANCELLED)
            return False
        OPERATION.set(
            RunningOperation(number=number, step=step.name, user=user.name if user else None)
        )
        late = Deadline(self._within_s, on_late=self._late)
        struck: list[str] = []
        try:
            with ExitStack() as around:
                around.enter_context(self._stage.patient(self._within_s))
                around.enter_context(late)
                around.enter_context(call.cancellation)
                self._let_be_cancelled(call, around, struck)
                value = await session.call(step.call, user, arguments)
                _refuse_awaitable(step.call, value)
        except asyncio.CancelledError:
            outcome = Outcome.UNFINISHED if late.passed else Outcome.CANCELLED
            # Who is cancelled by a search ends as it should.
            self._recorder.end_operation(number, outcome, expected="cancelled" if struck else None)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a service raises is what is recorded
            self._recorder.end_operation(number, Outcome.RAISED, error=error)
        else:
            self._recorder.end_operation(number, Outcome.RETURNED, value=value)
        return True

    def _let_be_cancelled(self, call: _Call, around: ExitStack, struck: list[str]) -> None:
        """Make the awaits of an operation choices of where to cancel it, if a search asks for it.

        Its name is added to ``struck`` when ``--cancel`` does.
        """
        chaos, cancels = self._interception.chaos, self._interception.cancels
        if chaos is not None:
            on_cancel = partial(self._note_cancel, call)
            around.enter_context(chaos.operating(call.task_name, on_cancel=on_cancel))
        if cancels is not None:
            around.enter_context(cancels.operating(partial(self._note_cancel, call, struck)))

    def _note_cancel(self, call: _Call, struck: list[str] | None = None) -> None:
        if struck is not None:
            struck.append(call.task_name)
        key = {} if call.user is None else {"user": call.user.name}
        self._recorder.fault(call.task_name, "cancel", key)

    def _resolved(self, call: _Call, *, turn: int) -> dict[str, Any]:
        """Fill in names and counts, and earlier results of the same user for ``$step.path``."""
        user = call.user
        texts = {
            "user": user.name if user else "",
            "number": str(call.number),
            "copy": str(call.copy),
            "turn": str(turn),
        }

        def result_of(reference: str) -> Any:
            step, _, path = reference[1:].partition(".")
            return self._recorder.result_of(step, user=user.name if user else None, path=path)

        filled: dict[str, Any] = _filled(call.step.arguments, texts, result_of)
        return filled

    def _expected(self, call: _Call) -> str:
        """Say how this copy should end: cancelled copies as such, the others as the step says."""
        return "cancelled" if self._is_cancelled(call) else call.step.expect

    def _late(self) -> None:
        """An operation outlasts its deadline: keep who waits for what, before it is cancelled."""
        self._recorder.is_late = True
        if self._recorder.deadlock is None:
            self._recorder.deadlock = self._stage.diagnose()


def _refuse_awaitable(call: str, value: Any) -> None:
    """Refuse a result that can be awaited: what it stands for has perhaps not even begun.

    Raises:
        NotAwaited: It can.
    """
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        kind = type(value).__name__
        raise NotAwaited(f"{call} returned a {kind} that nobody awaits; await it in {call}")


def _filled(value: Any, texts: dict[str, str], result_of: Callable[[str], Any]) -> Any:
    """Put names, counts and earlier results into arguments."""
    if isinstance(value, str):
        if value.startswith("$"):
            return result_of(value)
        for name, text in texts.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: _filled(one, texts, result_of) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, texts, result_of) for one in value]
    return value
