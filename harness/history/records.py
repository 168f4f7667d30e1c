"""The history of a run: what was called, spawned and commanded, when, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.history.parts import part_at

__all__ = [
    "Actor",
    "Blocked",
    "BlockingCall",
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
    "Measurement",
    "NodeKind",
    "Operation",
    "Outcome",
    "Pacing",
]


class NodeKind(StrEnum):
    """Which backend ran: its figures are simulated (virtual seconds) or measured (wall seconds)."""

    SIMULATED = "simulated"
    LIVE = "live"


class Outcome(StrEnum):
    """How an operation, spawn or command ended."""

    RETURNED = "returned"
    RAISED = "raised"
    CANCELLED = "cancelled"
    UNFINISHED = "unfinished"


class Pacing(StrEnum):
    """How a measured phase was run: its steps together, or one after another."""

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
class Operation:
    """One call on the system under test.

    ``step`` is the id of the scenario's step, ``number`` counts the operations of a run from 0.
    ``begin_s`` and ``end_s`` are seconds since the run began (virtual or measured, see the run's
    node); ``end_s`` is None while unfinished. ``value`` is JSON-able. ``waits_s`` are moments at
    which this operation was parked and let go: pairs (parked, released).
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
class Actor:
    """One spawn of a client, from the call to its exit. ``key`` says for whom: user, network."""

    number: int
    key: dict[str, str]
    task: str
    begin_s: float
    ready_s: float | None
    exit_s: float | None
    outcome: Outcome
    error: ErrorRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command that a client was given; ``actor`` is the number of its spawn."""

    actor: int
    key: dict[str, str]
    name: str
    task: str
    begin_s: float
    end_s: float | None
    outcome: Outcome
    error: ErrorRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHold:
    """A lock that was held over virtual or measured time, from ``begin_s`` to ``end_s``.

    ``where`` is the source line that took it, ``across`` the line its holder awaited at longest.
    ``held_await`` is the await inside the lock, its source text and its line. ``kind`` is the
    lock's class, or "executor" for a pool with one worker; ``number`` tells apart locks of one
    name, and ``permits`` is how many may hold it at once.
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
    """One task that waits: for what, who holds it, and where both stand in the source.

    ``reason`` says why the wait does not end where no holder does: a wake-up that was lost, who
    could still act, or that nobody can.
    """

    task: str
    waits_for: str
    where: str
    holders: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def in_harness(self) -> bool:
        """True if it is the harness that waits there, for what it has begun itself."""
        return part_at(self.where).is_harness


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Who waits for whom at a moment. ``cycle`` names tasks in order when they wait in a ring."""

    at_s: float
    blocked: tuple[Blocked, ...]
    cycle: tuple[str, ...] = ()
    exact: bool = True
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What a closed system left behind: a "task" pending, a "coroutine" never awaited, a lock held.

    ``made_at`` is the line that made the task, that dropped the coroutine, or that took the "lock"
    or the "permit" of a semaphore; ``where`` is where the task stands, where the coroutine's
    function begins, or who took the lock and how that task ended.
    """

    kind: str
    name: str
    made_at: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingCall:
    """A call that blocked the loop's own thread: what it was, on what, and from which line.

    ``what`` is the name of the audit event ("open", "sqlite3.connect", …), or "sqlite3.execute";
    ``count`` says how often that line made it, ``at_s`` when first.
    """

    what: str
    subject: str
    where: str
    at_s: float
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """A time in which a real loop took no turn: ``where`` is the line that ran when it was seen."""

    at_s: float
    lag_s: float
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that the scenario asked for, at the moment it took effect."""

    at_s: float
    point: str
    kind: str
    key: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One timing of a phase. Only a timing whose operations all succeeded counts.

    ``begin_s`` is when it began, in seconds since the run did, or None where that is not known.
    """

    phase: str
    round: int
    pacing: Pacing
    duration_s: float
    succeeded: int
    failed: int
    warm_up: bool = False
    begin_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRecord:
    """What was seen of one of the system's conditions in ``moments`` looks.

    ``reason`` is what it said when it first did not hold, ``end_reason`` what it said at the end;
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
class History:
    """All that a run did, in the order in which it began. Checks read nothing else.

    ``leaks`` is None if the system was never closed, ``blocking_calls`` if nobody looked for them.
    ``spawns_asked`` is how many of the ``actors`` began before the probe of a search with faults,
    which may start clients that the scenario never asked for; None if there was no probe.
    """

    node: NodeKind
    operations: tuple[Operation, ...] = ()
    actors: tuple[Actor, ...] = ()
    spawns_asked: int | None = None
    commands: tuple[Command, ...] = ()
    faults: tuple[Fault, ...] = ()
    lock_holds: tuple[LockHold, ...] = ()
    lock_waits: tuple[LockWait, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    conditions: tuple[ConditionRecord, ...] = ()
    deadlock: Diagnosis | None = None
    audit: tuple[str, ...] | None = None
    leaks: tuple[Leak, ...] | None = None
    blocking_calls: tuple[BlockingCall, ...] | None = None
    loop_lags: tuple[LoopLag, ...] = ()
    end_s: float = 0.0
