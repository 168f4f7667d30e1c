"""The recorder: it writes the history of a run while it happens."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, HarnessError
from harness.history.records import (
    ClientRecord,
    Command,
    Diagnosis,
    Fault,
    History,
    Leak,
    LockHold,
    LockWait,
    MachineRecord,
    Measurement,
    NodeKind,
    Operation,
    Outcome,
    Round,
)
from harness.history.value_path import PathMissing, values_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.history.plain_data import PlainData
    from harness.history.records import ConditionRecord, TimesSpent

__all__ = ["Recorder"]


class Recorder:
    """Collects what happens, and notes every entry in the trace, so that digests cover it.

    ``clock`` gives seconds since the run began, ``note`` takes a line for the trace, and
    ``observe`` is called as an operation begins or ends, or a spawn begins.
    """

    def __init__(
        self,
        node: NodeKind,
        *,
        plain: PlainData,
        clock: Callable[[], float],
        note: Callable[[str], None],
        observe: Callable[[], None] = lambda: None,
    ) -> None:
        self.node = node
        self.plain = plain
        self.clock = clock
        self.deadlock: Diagnosis | None = None
        # Whether an operation has outlasted its time.
        self.is_late = False
        self.audit: tuple[str, ...] | None = None
        self.leaks: list[Leak] | None = None
        self._note = note
        self._observe = observe
        self._spawns_asked: int | None = None
        self._operations: list[Operation] = []
        self._clients: list[ClientRecord] = []
        self._commands: list[Command] = []
        self._faults: list[Fault] = []
        self._measurements: list[Measurement] = []
        self._machine: list[MachineRecord] = []
        self._rounds: list[Round] = []

    def begin_operation(
        self,
        step: str,
        call: str,
        *,
        user: str | None,
        phase: str,
        arguments: dict[str, Any],
        expected: str,
    ) -> int:
        """Record an operation that begins now; return its number."""
        number = len(self._operations)
        self._operations.append(
            Operation(
                number=number,
                step=step,
                call=call,
                user=user,
                phase=phase,
                task=_task_name(),
                begin_s=self.clock(),
                end_s=None,
                outcome=Outcome.UNFINISHED,
                arguments=self.plain.of(arguments),
                expected_error=expected,
            )
        )
        self._note(f"begin {number} {step} {user}")
        self._observe()
        return number

    def end_operation(
        self,
        number: int,
        outcome: Outcome,
        *,
        value: Any = None,
        error: BaseException | None = None,
        expected: str | None = None,
    ) -> None:
        """Record how an operation ended, now; ``expected`` is its expected end if that changed."""
        plain = self.plain.of(value)
        begun = self._operations[number]
        self._operations[number] = replace(
            begun,
            expected_error=expected or begun.expected_error,
            end_s=self.clock(),
            outcome=outcome,
            value=plain,
            error=None if error is None else self.plain.error(error),
        )
        came = type(error).__name__ if error is not None else json.dumps(plain, sort_keys=True)
        self._note(f"end {number} {outcome.value} {came}")
        self._observe()

    def probing(self) -> None:
        """Record that the scenario's steps are over: later spawns belong to the probe."""
        self._spawns_asked = len(self._clients)

    def open_clients(self) -> list[ClientRecord]:
        """List the spawns that are starting or live."""
        return [one for one in self._clients if one.exit_s is None]

    def parked(self, number: int, *, begin_s: float) -> None:
        """Record that an operation was parked from ``begin_s`` until now."""
        one = self._operations[number]
        self._operations[number] = replace(one, parked=(*one.parked, (begin_s, self.clock())))

    def begin_spawn(self, key: dict[str, str], *, operation: int | None = None) -> int:
        """Record a spawn that begins now, perhaps in an operation; return its number."""
        number = len(self._clients)
        self._clients.append(
            ClientRecord(
                number=number,
                key=key,
                task=_task_name(),
                begin_s=self.clock(),
                ready_s=None,
                exit_s=None,
                outcome=Outcome.UNFINISHED,
                operation=operation,
            )
        )
        self._note(f"spawn {number} {sorted(key.items())}")
        # A spawn that is refused at once ends before the loop's pass does.
        self._observe()
        return number

    def end_spawn(
        self,
        number: int,
        outcome: Outcome,
        *,
        error: BaseException | None = None,
        times: TimesSpent | None = None,
    ) -> None:
        """Record how a spawn ended, now, and what its client told."""
        ready = outcome is Outcome.RETURNED
        self._clients[number] = replace(
            self._clients[number],
            ready_s=self.clock() if ready else None,
            exit_s=None if ready else self.clock(),
            outcome=outcome,
            error=None if error is None else self.plain.error(error),
            times=times,
        )
        self._note(f"spawned {number} {outcome.value}")

    def end_client(self, number: int) -> None:
        """Record that a client has ended; only the first call counts."""
        if self._clients[number].exit_s is None:
            self._clients[number] = replace(self._clients[number], exit_s=self.clock())
            self._note(f"exit {number}")

    def begin_command(self, client: int, name: str, *, operation: int | None = None) -> int:
        """Record a command that a client is given now; return its number."""
        self._commands.append(
            Command(
                client=client,
                key=self._clients[client].key,
                name=name,
                task=_task_name(),
                begin_s=self.clock(),
                end_s=None,
                outcome=Outcome.UNFINISHED,
                operation=operation,
            )
        )
        self._note(f"command {client} {name}")
        return len(self._commands) - 1

    def end_command(
        self,
        number: int,
        outcome: Outcome,
        *,
        error: BaseException | None = None,
        times: TimesSpent | None = None,
    ) -> None:
        """Record how a command ended, now, and what its client told."""
        self._commands[number] = replace(
            self._commands[number],
            end_s=self.clock(),
            outcome=outcome,
            error=None if error is None else self.plain.error(error),
            times=times,
        )

    def fault(self, point: str, kind: str, key: dict[str, str]) -> None:
        """Record a fault that takes effect now."""
        self._faults.append(Fault(at_s=self.clock(), point=point, kind=kind, key=key))
        self._note(f"fault {point} {kind}")

    def measurement(self, measurement: Measurement, history: History) -> None:
        """Record a timing of a phase, with what happened in its round."""
        self._measurements.append(measurement)
        self._rounds.append(
            Round(phase=measurement.phase, pacing=measurement.pacing, history=history)
        )
        self._note(f"measured {measurement.pacing.value} {measurement.duration_s:.9f}")

    def machine(self, record: MachineRecord) -> None:
        """Record how the machine was in a round of timings."""
        self._machine.append(record)

    def outcomes_since(self, number: int) -> tuple[int, int]:
        """Count the operations from ``number`` on: those that returned, and the others."""
        since = self._operations[number:]
        done = sum(one.succeeded for one in since)
        return done, len(since) - done

    @property
    def operations_count(self) -> int:
        """How many operations have begun."""
        return len(self._operations)

    def result_of(self, step: str, *, user: str | None, path: str) -> Any:
        """Look up what the last successful operation of a step returned to a user.

        Raises:
            BadInput: The step was not called for the user, or its result has nothing at the path.
            HarnessError: The step was called and failed, so the run has failed as well.
        """
        where = f"with: ${step}{f'.{path}' if path else ''}"
        called = [one for one in self._operations if one.step == step and one.user == user]
        for one in reversed(called):
            if not one.succeeded:
                continue
            try:
                found = values_at(one.value, path)
            except PathMissing as missing:
                raise BadInput(f"{where}: {missing}") from missing
            if found:
                return found[0]
            raise BadInput(f"{where}: the result of {step} is empty there")
        whom = user or "nobody"
        if called:
            raise HarnessError(
                f"{where}: {step} did not succeed for {whom}, so there is no result to use"
            )
        raise BadInput(f"{where}: {step} has no result of {whom} yet; put it in a later phase")

    def history(
        self,
        *,
        end_s: float | None = None,
        lock_holds: Sequence[LockHold] = (),
        lock_waits: Sequence[LockWait] = (),
        conditions: tuple[ConditionRecord, ...] = (),
    ) -> History:
        """Make the history so far, up to ``end_s`` seconds or to this moment."""
        return History(
            node=self.node,
            operations=tuple(self._operations),
            clients=tuple(self._clients),
            spawns_asked=self._spawns_asked,
            commands=tuple(self._commands),
            faults=tuple(self._faults),
            lock_holds=tuple(lock_holds),
            lock_waits=tuple(lock_waits),
            measurements=tuple(self._measurements),
            machine=tuple(self._machine),
            rounds=tuple(self._rounds),
            conditions=conditions,
            deadlock=self.deadlock,
            audit=self.audit,
            leaks=None if self.leaks is None else tuple(self.leaks),
            end_s=self.clock() if end_s is None else end_s,
        )


def _task_name() -> str:
    task = asyncio.current_task()
    return "main" if task is None else task.get_name()
