"""The ports within the loop: what its parts need of one another, so that none needs it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    import simpy

    from harness.choices.kinds import ChoiceKind
    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.choices.randomness import Randomness
    from harness.diagnosis.lock_ledger import LockLedger
    from harness.simulated.loop.pause import Pause
    from harness.simulated.loop.trace import Trace

__all__ = ["Awaited", "EventQueue", "ExecutorLoop", "ExploredLoop", "TimerQueue", "TurningLoop"]


class TimerQueue(Protocol):
    """Where a timer lies until it is due."""

    def timer_cancelled(self) -> None:
        """Count a timer that will never run."""
        ...


class Awaited(Protocol):
    """Counts the SimPy events that tasks wait for."""

    awaited_count: int


class EventQueue(TimerQueue, Protocol):
    """The queue of timers and SimPy events, as the core sees it; moments are in seconds."""

    queue: list[Any]
    background_numbers: set[int]
    cancelled_count: int
    _eid: Any
    _now: Any

    def process_event(self, event: simpy.Event) -> None:
        """Let a SimPy event happen."""
        ...

    def push_on(self) -> None:
        """Take note that something is due at this very moment."""
        ...


class TurningLoop(Protocol):
    """A loop, as far as its core needs it to run callbacks and to move the clock."""

    trace: Trace
    observer: Callable[[], None] | None
    ledger: LockLedger | None
    time_limit_s: float | None
    _moment_passes: int
    _pause: Pause
    _stopping: bool

    def _callback_failed(self, handle: Any, error: BaseException) -> None: ...

    def _moment_is_endless(self) -> None: ...

    def _advance_slowly(self, deliver: Callable[[float], None]) -> float: ...


class ExecutorLoop(Protocol):
    """A loop, as far as executors in virtual time need it."""

    @property
    def environment(self) -> simpy.Environment:
        """Where calls take their time."""
        ...

    @property
    def randomness(self) -> Randomness:
        """Where latencies are drawn from."""
        ...

    @property
    def outside_futures(self) -> Any:
        """Makes the futures of calls."""
        ...

    @property
    def is_interrupted(self) -> Callable[[BaseException], bool]:
        """Tells whether an error was raised by whoever interrupts the process."""
        ...

    def future_of(self, event: simpy.Event) -> asyncio.Future[Any]:
        """Make a SimPy event an awaitable."""
        ...

    def chosen_early(self, call: str) -> bool:
        """Say whether a call does its work before its time is over."""
        ...

    def begin_outside(self) -> None:
        """Begin at once what was just set going outside, not with the next pass."""
        ...


class ExploredLoop(Protocol):
    """A loop whose order of events a policy decides, as far as that order needs it."""

    trace: Trace
    ledger: LockLedger | None
    time_limit_s: float | None
    policy: OrderPolicy
    watcher: StepWatcher | None
    picks: list[int]
    adversarial: bool
    _stopping: bool

    @property
    def environment(self) -> Any:
        """The queue of timers and SimPy events."""
        ...

    def timer_met(self, lane: int, maker: int) -> None:
        """Name the lane of a timer by the task that set it."""
        ...

    @property
    def _ready(self) -> Any: ...

    def paused(self, pause: Pause) -> bool:
        """Note why the loop pauses; return False."""
        ...

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Ask the policy for one of ``count`` alternatives."""
        ...

    def now_ready(self, event: Any) -> None:
        """Take a timer that is due for ready."""
        ...
