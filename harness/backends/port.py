"""The ports of a backend: what a run needs of it, simulated or live, and how a run on it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from harness.choices.chaos import Chaos
    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.history.machine_load import MachineReading
    from harness.history.records import Diagnosis, LockHold, LockWait, LoopLag, NodeKind
    from harness.results.profile_used import ProfileUsed

    Main = Callable[[], Coroutine[Any, Any, None]]
    Observer = Callable[[], None]

__all__ = ["Backend", "KeptTrace", "Machine", "Orders", "PreparedRun", "Ran", "Stage", "World"]


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

    def begin_chaos(self, seed: int) -> Chaos:
        """Let faults and cancellations be choices of whoever decides this run.

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
class Orders:
    """Who decides the order of events in a simulated run, and who looks on.

    ``adversarial`` also permutes the tasks that are ready, which asyncio itself never does.
    """

    policy: OrderPolicy
    adversarial: bool = False
    watcher: StepWatcher | None = None


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
    could not go on. ``trace`` is None unless it was asked for or somebody decided the run's orders;
    ``picks`` are then the decisions, as indices.
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
        self, *, seed: int, orders: Orders | None = None, keep_trace: bool = False
    ) -> PreparedRun:
        """Prepare a run; ``orders`` says who decides it, by default nobody.

        Raises:
            Unsupported: Time is real, and ``orders`` were given.
        """
        ...

    def close(self) -> None:
        """Give back what the backend holds; idempotent."""
        ...
