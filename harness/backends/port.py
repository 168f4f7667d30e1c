"""Own what the runner needs of a backend, simulated or live, and the opening of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import BadInput
from harness.history.records import Diagnosis, LockHold, LockWait, LoopLag, NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from harness.choices.chaos import Chaos

    Main = Callable[["Stage"], Coroutine[Any, Any, None]]
    Observer = Callable[[], None]

__all__ = ["Backend", "Ran", "Stage", "World", "open_backend"]


class World(Protocol):
    """A chain of its own for one run: who starts clients, and how the node is doing."""

    @property
    def clients(self) -> Any:
        """A factory of clients of the node."""
        ...

    async def set_node(self, state: str) -> None:
        """Cut the node off ("cut"), let it never answer ("freeze"), or make it well ("heal")."""
        ...


class Stage(Protocol):
    """What a run finds around it, inside the loop."""

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
class Ran:
    """How a backend's run ended.

    ``digest`` is None and ``virtual_s`` is None where time is real. ``diagnosis`` is set if the run
    could not go on.
    """

    error: BaseException | None
    digest: str | None
    virtual_s: float | None
    diagnosis: Diagnosis | None
    lock_holds: tuple[LockHold, ...]
    unhandled: tuple[str, ...] = ()
    lock_waits: tuple[LockWait, ...] = ()
    loop_lags: tuple[LoopLag, ...] = ()


class Backend(Protocol):
    """Runs a coroutine on a stage of its own."""

    @property
    def kind(self) -> NodeKind:
        """Simulated or live."""
        ...

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the node and the client, where they are real."""
        ...

    def run(self, main: Main, *, seed: int, observer: Observer | None = None) -> Ran:
        """Run to the end, or to where nothing can go on.

        ``observer`` is called between the passes of a simulated loop; on the real clock it is not.
        """
        ...

    def close(self) -> None:
        """Give back what the backend holds; idempotent."""
        ...


def open_backend(
    node: str, *, needs_node: bool, progress: Callable[[str], None] | None = None
) -> Backend:
    """Open the backend that was asked for; only then are its packages imported.

    Raises:
        BadInput: No such backend.
        CouldNotRun: Something it needs is missing.
    """
    if node == NodeKind.SIMULATED:
        from harness.simulated.backend import SimulatedBackend  # noqa: PLC0415

        return SimulatedBackend()
    if node == NodeKind.LIVE:
        from harness.live.backend import LiveBackend  # noqa: PLC0415

        return LiveBackend(needs_node=needs_node, progress=progress or (lambda _line: None))
    msg = f'node: must be "simulated" or "live", got "{node}"'
    raise BadInput(msg)
