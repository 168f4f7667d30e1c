"""Own the simulated backend: a virtual loop for a run, a chain of its own for each world."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from harness.backends.port import Ran
from harness.choices.chaos import Chaos
from harness.choices.randomness import Randomness
from harness.diagnosis.wait_graph import diagnose
from harness.errors import HarnessBug
from harness.history.records import Diagnosis, NodeKind
from harness.miden.simulated.client import SimulatedClientFactory
from harness.miden.simulated.node import SimulatedNode
from harness.simulated.guards.turn_watchdog import TurnWatchdog
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.trace import Trace
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.simulation import simulate
from harness.simulated.world.latency_model import LatencyModel, Profile, read_profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from harness.backends.port import Main, Observer

__all__ = ["SimulatedBackend"]

TIME_LIMIT_S = 30 * 24 * 3_600.0


class SimulatedBackend:
    """Runs on virtual time; one seed decides everything."""

    kind = NodeKind.SIMULATED

    def __init__(self, profile: Profile | None = None) -> None:
        self._profile = profile or read_profile()
        # Set by whoever explores: makes the loop of the next run, and has its trace kept.
        self.make_loop: Callable[..., VirtualLoop] | None = None
        self.trace = Trace()

    @property
    def versions(self) -> dict[str, str]:
        """Nothing real takes part."""
        return {}

    def run(self, main: Main, *, seed: int, observer: Observer | None = None) -> Ran:
        """Simulate a run to its end, or to where nothing can go on."""
        exploring = self.make_loop is not None
        self.trace = trace = Trace(keep=exploring)

        def make_loop(**options: Any) -> VirtualLoop:
            loop = (self.make_loop or VirtualLoop)(**options)
            loop.observer = observer
            return loop

        with TurnWatchdog(lambda: trace.step_count + len(trace.steps)):
            ran = simulate(
                lambda: main(_SimulatedStage(self._profile, seed=seed)),
                seed=seed,
                time_limit_s=TIME_LIMIT_S,
                trace=trace,
                watch_rings=True,
                make_loop=make_loop,
            )
        return Ran(
            error=ran.error,
            digest=ran.digest,
            virtual_s=ran.virtual_s,
            diagnosis=ran.diagnosis,
            lock_holds=ran.lock_holds,
            lock_waits=ran.lock_waits,
            unhandled=ran.unhandled,
        )

    def close(self) -> None:
        """Nothing is held."""


class _SimulatedStage:
    """What a simulated run finds around it."""

    def __init__(self, profile: Profile, *, seed: int) -> None:
        self._profile = profile
        self._seed = seed

    def clock(self) -> float:
        """Virtual seconds since the run began."""
        return _loop().time()

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        _loop().note(line)

    def diagnose(self) -> Diagnosis:
        """Say who waits for what at this moment."""
        return diagnose(_loop())

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Need no patience: virtual time does not wait."""
        del for_s
        return nullcontext()

    def begin_chaos(self, seed: int) -> Chaos:
        """Let faults and cancellations be choices of the loop's policy."""
        loop = _loop()
        if not isinstance(loop, ExploringLoop):
            msg = "faults as choices need a search: nobody decides the choices of a plain run"
            raise HarnessBug(msg)
        chaos = Chaos(loop.choose, seed=seed, clock=self.clock)
        loop.suspended = chaos.suspended
        return chaos

    @asynccontextmanager
    async def open_world(
        self, label: str, *, needs_node: bool, paired: bool = False, faults: bool = False
    ) -> AsyncIterator[_SimulatedWorld]:
        """Open a world; its draws depend on the seed, and on its label unless it is paired."""
        del needs_node, faults
        model = LatencyModel(
            self._profile,
            randomness=Randomness(self._seed),
            paired=paired,
        )
        yield _SimulatedWorld(SimulatedNode(_loop().environment, model, label=label))


class _SimulatedWorld:
    """A simulated node with a factory of clients."""

    def __init__(self, node: SimulatedNode) -> None:
        self._node = node
        self.clients = SimulatedClientFactory(node, _loop())

    async def set_node(self, state: str) -> None:
        """Cut the node off, freeze it, or heal it; or restart it, or have it or the disk slow."""
        self._node.become("heal" if state == "slow_disk" else state)
        _loop().executors.slow = state == "slow_disk"


def _loop() -> VirtualLoop:
    from harness.simulated.loop.virtual_loop import running_virtual_loop  # noqa: PLC0415

    return running_virtual_loop()
