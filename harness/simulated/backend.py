"""The simulated backend: each run on a virtual loop, what it talks to simulated beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from harness.backends.port import Ran
from harness.choices.chaos import Chaos
from harness.diagnosis.wait_graph import diagnose
from harness.errors import HarnessBug
from harness.history.records import Diagnosis, NodeKind
from harness.results.profile_used import NOMINAL
from harness.simulated.guards.turn_watchdog import TurnWatchdog
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.trace import Trace
from harness.simulated.loop.virtual_loop import VirtualLoop, running_virtual_loop
from harness.simulated.simulation import simulate
from harness.simulated.world.latency_model import executor_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from harness.backends.partner import Partner
    from harness.backends.port import Main, Observer, Orders, World
    from harness.results.profile_used import ProfileUsed
    from harness.simulated.world.profile import NamedProfile, Profile

__all__ = ["SimulatedBackend"]

TIME_LIMIT_S = 30 * 24 * 3_600.0


class SimulatedBackend:
    """Runs in virtual time: one seed decides everything."""

    kind = NodeKind.SIMULATED

    def __init__(
        self, load_partner: Callable[[], Partner], profile: NamedProfile | None = None
    ) -> None:
        self._load_partner = load_partner
        self._profile = profile

    @property
    def profile(self) -> ProfileUsed:
        """The latency profile that its runs draw from."""
        return NOMINAL if self._profile is None else self._profile.used

    @property
    def versions(self) -> dict[str, str]:
        """Nothing real takes part."""
        return {}

    def prepare(
        self, *, seed: int, orders: Orders | None = None, keep_trace: bool = False
    ) -> _SimulatedRun:
        """Prepare a run; its trace is kept if that is asked for, or if it has orders."""
        figures = None if self._profile is None else self._profile.figures
        return _SimulatedRun(
            self._load_partner, figures, seed=seed, orders=orders, keep_trace=keep_trace
        )

    def close(self) -> None:
        """Nothing is held."""


class _SimulatedRun:
    """One simulated run: its seed, its stage, and who decides its order of events."""

    def __init__(
        self,
        load_partner: Callable[[], Partner],
        figures: Profile | None,
        *,
        seed: int,
        orders: Orders | None,
        keep_trace: bool,
    ) -> None:
        self._figures = figures
        self._seed, self._orders = seed, orders
        self._keep_trace = keep_trace or orders is not None
        self.stage = _SimulatedStage(load_partner, figures, seed=seed)

    def carry_out(self, main: Main, *, observer: Observer | None = None) -> Ran:
        """Simulate the run to its end, or to where nothing can go on."""
        trace = Trace(keep=self._keep_trace)
        explored: list[ExploringLoop] = []

        def make_loop(**options: Any) -> VirtualLoop:
            loop: VirtualLoop
            if self._orders is None:
                loop = VirtualLoop(**options)
            else:
                loop = exploring = ExploringLoop(
                    policy=self._orders.policy,
                    adversarial=self._orders.adversarial,
                    watcher=self._orders.watcher,
                    **options,
                )
                explored.append(exploring)
            loop.observer = observer
            return loop

        with TurnWatchdog(lambda: trace.step_count + len(trace.steps)):
            ran = simulate(
                main,
                seed=self._seed,
                time_limit_s=TIME_LIMIT_S,
                trace=trace,
                watch_cycles=True,
                make_loop=make_loop,
                **executor_options(self._figures),
            )
        return Ran(
            error=ran.error,
            digest=ran.digest,
            virtual_s=ran.virtual_s,
            diagnosis=ran.diagnosis,
            lock_holds=ran.lock_holds,
            lock_waits=ran.lock_waits,
            unhandled=ran.unhandled,
            trace=trace if self._keep_trace else None,
            picks=explored[0].decided if explored else [],
        )


class _SimulatedStage:
    """What a simulated run finds around it."""

    def __init__(
        self, load_partner: Callable[[], Partner], figures: Profile | None, *, seed: int
    ) -> None:
        self._load_partner = load_partner
        self._figures = figures
        self._seed = seed

    machine = None

    def tell(self, line: str) -> None:
        """Say nothing: nobody waits for virtual time."""

    def clock(self) -> float:
        """Virtual seconds since the run began."""
        return running_virtual_loop().time()

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        running_virtual_loop().note(line)

    def diagnose(self) -> Diagnosis:
        """Say who waits for what at this moment."""
        return diagnose(running_virtual_loop())

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Need no patience: virtual time does not wait."""
        del for_s
        return nullcontext()

    def begin_chaos(self, seed: int) -> Chaos:
        """Let faults and cancellations be choices of the loop's policy."""
        loop = running_virtual_loop()
        if not isinstance(loop, ExploringLoop):
            msg = "faults as choices need a search: nobody decides the choices of a plain run"
            raise HarnessBug(msg)
        chaos = Chaos(loop.choose, seed=seed, clock=self.clock)
        loop.suspended = chaos.suspended
        return chaos

    @asynccontextmanager
    async def open_world(
        self, label: str, *, needs_node: bool, paired: bool = False, faults: bool = False
    ) -> AsyncIterator[World]:
        """Open a world; its draws depend on the seed, and on its label unless it is paired.

        Only for a service that needs it is the partner loaded: it may not be installed.
        """
        del faults
        if needs_node:
            yield self._load_partner().simulate(
                label, seed=self._seed, paired=paired, profile=self._figures
            )
        else:
            yield _EmptyWorld()


class _EmptyWorld:
    """The world of a service that talks to nobody; its disk can still be slow."""

    clients = None

    async def set_node(self, state: str) -> None:
        """Make the disk slow, or well again; there is no node."""
        running_virtual_loop().executors.slow = state == "slow_disk"
