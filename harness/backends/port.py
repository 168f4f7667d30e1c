"""The ports of a backend: what a run needs of it, simulated or live, and how a run on it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.choices.lateness import LATE_MS_DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from harness.choices.cancels import Cancels
    from harness.choices.chaos import Chaos
    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.history.machine_load import MachineReading
    from harness.history.records import Diagnosis, LockHold, LockWait, LoopLag, NodeKind
    from harness.results.profile_used import ProfileUsed

    Main = Callable[[], Coroutine[Any, Any, None]]
    Observer = Callable[[], None]

__all__ = [
    "Backend",
    "CancelledRun",
    "KeptTrace",
    "Limit",
    "Limits",
    "Machine",
    "Orders",
    "PreparedRun",
    "Ran",
    "Stage",
    "World",
]


class World(Protocol):
    """What a service talks to during one run: who starts clients, and how the node is doing."""

    @property
    def clients(self) -> Any:
        """A factory of clients of the node."""
        ...

    async def set_node(self, state: str) -> None:
        """Cut the node off ("cut"), let it never answer ("freeze"), or make it well ("heal")."""
        ...


class Machine(Protocol):
    """The machine that a live run is on."""

    def read(self) -> MachineReading:
        """Read its counters of CPU time."""
        ...

    async def room(self, threads: int, *, for_s: float) -> float:
        """Try for some seconds how many times the work of one thread so many do at once."""
        ...


class Stage(Protocol):
    """What a run finds around it, inside the loop; nothing here is called before the run begins."""

    @property
    def machine(self) -> Machine | None:
        """The machine that it is on; None where time is virtual, and no machine counts."""
        ...

    def tell(self, line: str) -> None:
        """Tell whoever waits in real time how far it is."""
        ...

    def clock(self) -> float:
        """Seconds since the run began."""
        ...

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        ...

    def diagnose(self) -> Diagnosis:
        """Say who waits for what at this moment."""
        ...

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Inside, nothing need happen for so many seconds: that is no stall."""
        ...

    def limited(self, what: str, for_s: float) -> AbstractContextManager[None]:
        """Inside, ``what`` is under way, which is no operation: it may take so many seconds.

        A run that takes longer is ended there, with the line at which it stands.
        """
        ...

    def begin_chaos(self, seed: int) -> Chaos:
        """Let faults and cancellations be choices of whoever decides this run.

        Raises:
            Unsupported: Nobody does: time is real.
        """
        ...

    def begin_cancelling(self, told: Callable[[str], None]) -> Cancels:
        """Let operations and the system's own tasks be cancelled by whoever decides this run.

        ``told`` is called with the name of each such task that is.

        Raises:
            Unsupported: Nobody does: time is real.
        """
        ...

    def open_world(
        self, label: str, *, needs_node: bool, paired: bool = False, faults: bool = False
    ) -> AbstractAsyncContextManager[World]:
        """Open a world; ``paired`` worlds give all users the same latencies when simulated.

        ``faults`` says whether ``set_node`` will be called.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ends a simulated run that does not end by itself.

    ``steps_max`` are the callbacks that it may take, None for what its scenario or its loop says.
    ``watchdog`` ends a step that does not return.
    """

    steps_max: int | None = None
    watchdog: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Who decides the order of events in a simulated run, and who looks on.

    ``adversarial`` also permutes the tasks that are ready, which asyncio itself never does.
    ``cancel`` makes each await of each task a place to cancel it. ``late_ms`` is how late the loop
    may be. ``until_s`` is the moment of the real clock at which the time of all runs is over.
    """

    policy: OrderPolicy
    adversarial: bool = False
    cancel: bool = False
    late_ms: float = LATE_MS_DEFAULT
    watcher: StepWatcher | None = None
    until_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The limit at which a run was ended, or the step that was shown never to return.

    ``shown``: it is such a step, and no limit. ``text`` is all there is to say of it in one line.
    ``budget``: what ended was the time of all runs of a search.
    """

    text: str
    shown: bool = False
    budget: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledRun:
    """Who was cancelled by choice in a run.

    ``lanes`` are the tasks by their ancestry, ``words`` say of each who was cancelled, where and
    when. ``swallowed`` tells who went on after that.
    """

    lanes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    swallowed: tuple[str, ...] = ()


class KeptTrace(Protocol):
    """The whole trace of a simulated run."""

    @property
    def keep(self) -> bool:
        """Whether its entries were kept: True."""
        ...

    @property
    def digest(self) -> str:
        """Sha256 of all that came from outside and of the notes, in hexadecimal."""
        ...

    @property
    def schedule_digest(self) -> str:
        """Sha256 of the tasks of all callbacks, in hexadecimal."""
        ...

    def order(self) -> bytes:
        """Return the task of every callback in order, 4 bytes each."""
        ...

    def entries(self) -> list[str]:
        """Return what ``digest`` covers, readable, one line an entry."""
        ...

    def step_entries(self) -> list[str]:
        """Return what ``schedule_digest`` covers, readable, one line a callback."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a backend's run ended.

    ``digest`` is None and ``virtual_s`` is None where time is real. ``diagnosis`` is set if the run
    could not go on, ``limit`` if it was ended from outside. ``trace`` is None unless it was asked
    for or somebody decided the run's orders; ``picks`` are then the decisions, as indices, and
    ``alone`` says that never were two things on their way from outside.
    ``refused`` is what the system asked for that a simulation has not, ``cancelled`` who was
    cancelled by choice, and what came of it.
    """

    error: BaseException | None
    digest: str | None
    virtual_s: float | None
    diagnosis: Diagnosis | None
    lock_holds: tuple[LockHold, ...]
    unhandled: tuple[str, ...] = ()
    lock_waits: tuple[LockWait, ...] = ()
    loop_lags: tuple[LoopLag, ...] = ()
    trace: KeptTrace | None = None
    picks: list[int] = field(default_factory=list)
    alone: bool = False
    refused: tuple[str, ...] = ()
    cancelled: CancelledRun | None = None
    limit: Limit | None = None


class PreparedRun(Protocol):
    """A run that is about to begin: its stage is there, its loop is not."""

    @property
    def stage(self) -> Stage:
        """What the run will find around it."""
        ...

    def carry_out(self, main: Main, *, observer: Observer | None = None) -> Ran:
        """Run ``main()`` to its end, or to where nothing can go on.

        ``observer`` is called between the passes of a simulated loop; on the real clock it is not.
        """
        ...


class Backend(Protocol):
    """Where runs are carried out: in virtual time, or in real time on a real node."""

    @property
    def kind(self) -> NodeKind:
        """Simulated or live."""
        ...

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the node and the client, where they are real."""
        ...

    @property
    def profile(self) -> ProfileUsed | None:
        """The latency profile that its runs draw from; None where time is real."""
        ...

    def prepare(
        self,
        *,
        seed: int,
        orders: Orders | None = None,
        keep_trace: bool = False,
        steps_max: int | None = None,
    ) -> PreparedRun:
        """Prepare a run; ``orders`` says who decides it, by default nobody.

        ``steps_max`` are the steps that its scenario allows it, where time is virtual.

        Raises:
            Unsupported: Time is real, and ``orders`` were given.
        """
        ...

    def close(self) -> None:
        """Give back what the backend holds; idempotent."""
        ...
