"""The simulated backend: each run on a virtual loop, what it talks to simulated beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.backends.port import CancelledRun, Limit, Limits, Ran
from harness.choices.chaos import Chaos
from harness.diagnosis.classification import part_of_code
from harness.diagnosis.wait_graph import diagnose
from harness.errors import HarnessBug
from harness.history.parts import Part
from harness.history.records import Diagnosis, NodeKind
from harness.results.profile_used import NOMINAL
from harness.simulated.cancelling.aftermath import swallowed
from harness.simulated.cancelling.cancelling_loop import CancellingLoop
from harness.simulated.guards.cycle_watch import nothing_comes
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.trace import Trace
from harness.simulated.loop.virtual_loop import VirtualLoop, running_virtual_loop
from harness.simulated.simulation import Simulated, simulate
from harness.simulated.world.latency_model import executor_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from harness.backends.partner import Partner
    from harness.backends.port import Main, Observer, Orders, World
    from harness.choices.cancels import Cancels
    from harness.results.profile_used import ProfileUsed
    from harness.simulated.cancelling.canceller import Canceller, Strike
    from harness.simulated.world.profile import NamedProfile, Profile

__all__ = ["SimulatedBackend"]

DAY_S = 24 * 3_600.0
TIME_LIMIT_S = 30 * DAY_S
NO_LIMITS = Limits()
# Tasks that are told where a run is ended by its time.
BLOCKED_MAX = 3


class SimulatedBackend:
    """Runs in virtual time: one seed decides everything."""

    kind = NodeKind.SIMULATED

    def __init__(
        self,
        load_partner: Callable[[], Partner],
        profile: NamedProfile | None = None,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._load_partner = load_partner
        self._profile = profile
        self._limits = limits

    @property
    def profile(self) -> ProfileUsed:
        """The latency profile that its runs draw from."""
        return NOMINAL if self._profile is None else self._profile.used

    @property
    def versions(self) -> dict[str, str]:
        """Nothing real takes part."""
        return {}

    def prepare(
        self,
        *,
        seed: int,
        orders: Orders | None = None,
        keep_trace: bool = False,
        steps_max: int | None = None,
    ) -> _SimulatedRun:
        """Prepare a run; its trace is kept if that is asked for, or if it has orders."""
        limits = self._limits
        if limits.steps_max is None:
            limits = replace(limits, steps_max=steps_max)
        figures = None if self._profile is None else self._profile.figures
        return _SimulatedRun(
            self._load_partner,
            figures,
            seed=seed,
            orders=orders,
            keep_trace=keep_trace,
            limits=limits,
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
        limits: Limits,
    ) -> None:
        self._figures = figures
        self._limits = limits
        self._seed, self._orders = seed, orders
        self._keep_trace = keep_trace or orders is not None
        self.stage = _SimulatedStage(load_partner, figures, seed=seed)

    def carry_out(self, main: Main, *, observer: Observer | None = None) -> Ran:
        """Simulate the run to its end, or to where nothing can go on."""
        trace = Trace(keep=self._keep_trace)
        explored: list[ExploringLoop] = []
        cancellers: list[Canceller] = []

        def make_loop(**options: Any) -> VirtualLoop:
            loop: VirtualLoop
            if self._orders is None:
                loop = VirtualLoop(**options)
            else:
                loop = exploring = _exploring(self._orders, options)
                explored.append(exploring)
                if isinstance(exploring, CancellingLoop) and exploring.canceller is not None:
                    # Nobody, until the system is open.
                    exploring.canceller.only(_is_nobody, told=lambda _name: None)
                    cancellers.append(exploring.canceller)
            loop.observer = observer
            return loop

        ran = simulate(
            main,
            seed=self._seed,
            time_limit_s=TIME_LIMIT_S,
            steps_max=self._limits.steps_max,
            watchdog=self._limits.watchdog,
            until_s=None if self._orders is None else self._orders.until_s,
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
            alone=bool(explored) and explored[0].alone,
            refused=ran.refused,
            cancelled=_cancelled(cancellers[0].strikes) if cancellers else None,
            limit=_limit(ran, self.stage.under_way),
        )


def _exploring(orders: Orders, options: dict[str, Any]) -> ExploringLoop:
    kind = CancellingLoop if orders.cancel else ExploringLoop
    return kind(
        policy=orders.policy,
        adversarial=orders.adversarial,
        watcher=orders.watcher,
        late_ms=orders.late_ms,
        **options,
    )


def _cancelled(strikes: Sequence[Strike]) -> CancelledRun:
    return CancelledRun(
        lanes=tuple(one.lane for one in strikes),
        words=tuple(one.words for one in strikes),
        swallowed=tuple(swallowed(strikes)),
    )


def _is_nobody(_task: object) -> bool:
    return False


def _is_the_programs(task: Any) -> bool:
    """Return True for a task that the system under test has made for itself."""
    maker = task.maker
    return maker is not None and part_of_code(maker[0]) is Part.PROGRAM


def _limit(ran: Simulated, under_way: str | None) -> Limit | None:
    if ran.cut is not None:
        return Limit(text=ran.cut.text, shown=ran.cut.shown, budget=ran.cut.budget)
    if ran.pause is Pause.TIME_LIMIT:
        what = under_way or f"ended after {TIME_LIMIT_S / DAY_S:g} days of virtual time"
        return Limit(text=f"{what}: {_standing(ran)}")
    return None


def _standing(ran: Simulated) -> str:
    """Say where the tasks stand that are left."""
    blocked = () if ran.diagnosis is None else ran.diagnosis.blocked[:BLOCKED_MAX]
    return ", ".join(f"{one.task} at {one.where}" for one in blocked) or ran.stands


class _SimulatedStage:
    """What a simulated run finds around it."""

    def __init__(
        self, load_partner: Callable[[], Partner], figures: Profile | None, *, seed: int
    ) -> None:
        self._load_partner = load_partner
        self._figures = figures
        self._seed = seed
        # What was under way as the run was ended, and that it took too long.
        self.under_way: str | None = None

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
        loop = running_virtual_loop()
        return diagnose(loop, exact=nothing_comes(loop))

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Need no patience: virtual time does not wait."""
        del for_s
        return nullcontext()

    @contextmanager
    def limited(self, what: str, for_s: float) -> Iterator[None]:
        """Let virtual time go on no further. No timer does it: it would keep a stuck run alive."""
        if self.under_way is not None:
            # It was ended there: this is the clean-up, which has a limit of its own.
            yield
            return
        loop = running_virtual_loop()
        before = loop.time_limit_s
        loop.time_limit_s = until_s = loop.time() + for_s
        self.under_way = f"{what} did not end within {for_s:g} s of virtual time"
        try:
            yield
        finally:
            # Else the run is over, and what is cleaned up has a limit of its own.
            if loop.time_limit_s == until_s:
                loop.time_limit_s, self.under_way = before, None

    def begin_chaos(self, seed: int) -> Chaos:
        """Let faults and cancellations be choices of the loop's policy."""
        loop = running_virtual_loop()
        if not isinstance(loop, ExploringLoop):
            msg = "faults as choices need a search: nobody decides the choices of a plain run"
            raise HarnessBug(msg)
        chaos = Chaos(loop.choose, seed=seed, clock=self.clock)
        loop.suspended = chaos.suspended
        return chaos

    def begin_cancelling(self, told: Callable[[str], None]) -> Cancels:
        """Let operations and the system's own tasks be cancelled as the loop's policy chooses."""
        loop = running_virtual_loop()
        if not isinstance(loop, CancellingLoop) or loop.canceller is None:
            msg = "cancellations as choices need a search: nobody decides those of a plain run"
            raise HarnessBug(msg)
        loop.canceller.only(_is_the_programs, told=told)
        return loop.canceller

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
