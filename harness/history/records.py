"""The history of a run: its operations, spawns and commands, when they ran and how they ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.history.parts import part_at

__all__ = [
    "Blocked",
    "BlockingCall",
    "ClientRecord",
    "Command",
    "ConditionRecord",
    "Diagnosis",
    "ErrorRecord",
    "Fault",
    "History",
    "Leak",
    "LockHold",
    "LockWait",
    "LoopLag",
    "MachineRecord",
    "Measurement",
    "NodeKind",
    "Operation",
    "Outcome",
    "Pacing",
    "Round",
    "TimesSpent",
]


class NodeKind(StrEnum):
    """A backend; its seconds are virtual (simulated) or of the wall clock (measured)."""

    SIMULATED = "simulated"
    LIVE = "live"


class Outcome(StrEnum):
    """How an operation, spawn or command ended."""

    RETURNED = "returned"
    RAISED = "raised"
    CANCELLED = "cancelled"
    UNFINISHED = "unfinished"


class Pacing(StrEnum):
    """How a timed phase was run: its calls together, or one after another."""

    TOGETHER = "together"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord:
    """An exception as data: its class, its message, and the classes and messages of its causes."""

    type: str
    message: str
    chain: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesSpent:
    """How long a client's command waited and worked, in seconds of the run's clock.

    ``queued_s`` is its wait in the client's queue, ``service_s`` the time from its begin to its
    end there. Of that, ``cpu_s`` is CPU time of the client, and ``node_s`` the time in which a
    request to the node was under way. None is what the client did not tell.
    """

    queued_s: float | None = None
    service_s: float | None = None
    cpu_s: float | None = None
    node_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call on the system under test.

    ``step`` is the id of the scenario's step, ``number`` counts the operations of a run from 0.
    ``begin_s`` and ``end_s`` are seconds since the run began (virtual or measured, by backend);
    ``end_s`` is None while unfinished. ``value`` is JSON-able. ``parked`` holds pairs of moments at
    which the operation was parked and released.
    """

    number: int
    step: str
    call: str
    user: str | None
    phase: str
    task: str
    begin_s: float
    end_s: float | None
    outcome: Outcome
    arguments: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    error: ErrorRecord | None = None
    expected_error: str | None = None
    parked: tuple[tuple[float, float], ...] = ()

    @property
    def duration_s(self) -> float | None:
        """Seconds from call to end, or None while unfinished."""
        return None if self.end_s is None else self.end_s - self.begin_s

    @property
    def succeeded(self) -> bool:
        """True if it returned."""
        return self.outcome is Outcome.RETURNED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRecord:
    """A client, from the begin of its spawn to its exit; ``key`` holds its user and network.

    ``operation`` and ``times`` are those of its spawn, as in ``Command``.
    """

    number: int
    key: dict[str, str]
    task: str
    begin_s: float
    ready_s: float | None
    exit_s: float | None
    outcome: Outcome
    error: ErrorRecord | None = None
    operation: int | None = None
    times: TimesSpent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that a client was given; ``client`` is the number of its spawn.

    ``operation`` is the number of the operation that gave it, itself or through a task that it
    started, if one did. ``times`` is None if the client did not tell, or its caller did not wait.
    """

    client: int
    key: dict[str, str]
    name: str
    task: str
    begin_s: float
    end_s: float | None
    outcome: Outcome
    error: ErrorRecord | None = None
    operation: int | None = None
    times: TimesSpent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHold:
    """A lock that was held over virtual or measured time, from ``begin_s`` to ``end_s``.

    ``where`` is the source line that took it, ``across`` the line at which its holder awaited
    longest. ``held_await`` is the source text and line of the await inside the lock. ``kind`` is
    the lock's class, or "executor" for a pool with one worker. ``number`` distinguishes locks of
    the same name, and ``permits`` is how many tasks may hold it at once.
    """

    lock: str
    task: str
    begin_s: float
    end_s: float | None
    where: str
    across: str | None = None
    held_await: str | None = None
    kind: str = "Lock"
    number: int = 0
    permits: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LockWait:
    """A task's wait for a lock that others held; ``lock`` and ``number`` as in ``LockHold``."""

    lock: str
    task: str
    begin_s: float
    end_s: float | None
    where: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A task that waits: for what, who holds it, and at which source lines.

    ``reason`` explains a wait that no holder explains: a lost wake-up, who could still end it, or
    that nobody can.
    """

    task: str
    waits_for: str
    where: str
    holders: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def in_harness(self) -> bool:
        """True if the wait is the harness's, for something that it has begun."""
        return part_at(self.where).is_harness


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Who waits for whom at a moment; ``cycle`` names, in order, tasks that wait in a cycle."""

    at_s: float
    blocked: tuple[Blocked, ...]
    cycle: tuple[str, ...] = ()
    exact: bool = True
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What a closed system left: a pending "task", an unawaited "coroutine", or a held lock.

    ``made_at`` is the line that made the task, dropped the coroutine, or took the "lock" or the
    "permit" of a semaphore. ``where`` is where the task stands, where the coroutine's function
    begins, or who took the lock and how that task ended.
    """

    kind: str
    name: str
    made_at: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingCall:
    """A call that blocked the loop's thread: what it was, on what, and from which line.

    ``what`` is the name of the audit event ("open", "sqlite3.connect", …), or "sqlite3.execute";
    ``count`` is how often that line made it, and ``at_s`` when first.
    """

    what: str
    subject: str
    where: str
    at_s: float
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """A time in which a real loop took no turn; ``where`` is the line seen to run in it."""

    at_s: float
    lag_s: float
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of the scenario or of a search, at the moment it took effect."""

    at_s: float
    point: str
    kind: str
    key: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A timing of a phase. Only a timing whose operations all succeeded counts.

    ``begin_s`` is in seconds since the run began, or None where that is not known.
    """

    phase: str
    round: int
    pacing: Pacing
    duration_s: float
    succeeded: int
    failed: int
    begin_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """How the machine was while a live phase was timed in both pacings, in one round.

    ``foreign_cores`` is how many cores others used: on average over the round, or over that of its
    timings in which they used more. None where the system does not tell. Over
    ``foreign_cores_max`` the round does not count. ``own_cores`` is how many cores the service and
    its partner used while the calls ran one after another. ``room`` is how many times the work of
    one thread as many threads did as the phase has calls, at full speed, between both timings.
    """

    phase: str
    round: int
    foreign_cores: float | None
    foreign_cores_max: float
    own_cores: float
    room: float

    @property
    def is_busy(self) -> bool:
        """True if others used more than they may."""
        return self.foreign_cores is not None and self.foreign_cores > self.foreign_cores_max


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRecord:
    """The record of one of the system's conditions, evaluated at ``moments`` moments.

    ``reason`` is the condition's text when it first did not hold, ``end_reason`` that at the end;
    ``held_at_end`` is None if the run did not come to its end. ``error`` is set if it raised.
    """

    name: str
    moments: int
    first_held_s: float | None = None
    first_broken_s: float | None = None
    reason: str | None = None
    held_at_end: bool | None = None
    end_reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What happened in a timed round, up to the end of its phase, in seconds of the run's clock."""

    phase: str
    pacing: Pacing
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened in a run, in order of its begin. Checks read nothing else.

    ``leaks`` is None if the system was never closed, ``blocking_calls`` if nothing watched for
    them. ``spawns_asked`` is how many ``clients`` began before the probe of a search with faults,
    which may start further clients; None if there was no probe. What happened in timed ``rounds``
    is in none of the other fields but ``measurements``.
    """

    node: NodeKind
    operations: tuple[Operation, ...] = ()
    clients: tuple[ClientRecord, ...] = ()
    spawns_asked: int | None = None
    commands: tuple[Command, ...] = ()
    faults: tuple[Fault, ...] = ()
    lock_holds: tuple[LockHold, ...] = ()
    lock_waits: tuple[LockWait, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    machine: tuple[MachineRecord, ...] = ()
    rounds: tuple[Round, ...] = ()
    conditions: tuple[ConditionRecord, ...] = ()
    deadlock: Diagnosis | None = None
    audit: tuple[str, ...] | None = None
    leaks: tuple[Leak, ...] | None = None
    blocking_calls: tuple[BlockingCall, ...] | None = None
    loop_lags: tuple[LoopLag, ...] = ()
    end_s: float = 0.0
