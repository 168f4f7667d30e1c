"""The live backend: the real clock, and a real partner for services that need one."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from harness.backends.port import Ran
from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.task_origins import origin_of
from harness.diagnosis.wait_graph import diagnose
from harness.errors import BadInput, CouldNotRun, Unsupported
from harness.history.records import Diagnosis, LockHold, LockWait, NodeKind
from harness.live.loop_lag import LoopLagWatch
from harness.live.machine import Machine
from harness.live.stall_watchdog import Stalled, StallWatchdog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from harness.backends.partner import LivePartner, Partner
    from harness.backends.port import Main, Observer, Orders
    from harness.choices.cancels import Cancels
    from harness.choices.chaos import Chaos
    from harness.live.fault_proxy import FaultProxy

__all__ = ["LiveBackend"]

# Wall seconds in which no operation, spawn or command begins or ends.
STALL_S = 150.0
STALL_SETTING = "HARNESS_STALL_S"
LOG_LINES = 100
LOG_LINES_DIED = 10
SAMPLE_EVERY_S = 0.02
# In real time every hold lasts a little; shorter holds mean nothing.
HOLD_MIN_S = 0.001
_Spanned = TypeVar("_Spanned", LockHold, LockWait)


class LiveBackend:
    """Runs in real time, with the same partner for all runs, or none if the service needs none."""

    kind = NodeKind.LIVE
    profile = None

    def __init__(self, partner: Partner | None, *, progress: Callable[[str], None]) -> None:
        self._stack = ExitStack()
        self._stall_s = _stall_s()
        self._progress = progress
        self._partner = (
            None if partner is None else self._stack.enter_context(partner.start(progress))
        )

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the partner's parts."""
        return {} if self._partner is None else self._partner.versions

    def prepare(
        self,
        *,
        seed: int,
        orders: Orders | None = None,
        keep_trace: bool = False,
        steps_max: int | None = None,
    ) -> _LiveRun:
        """Prepare a run; the seed decides nothing, since real time draws its own latencies."""
        del seed, keep_trace, steps_max
        if orders is not None:
            msg = "the order of events is for simulated runs: explore without --node live"
            raise Unsupported(msg)
        return _LiveRun(self._partner, stall_s=self._stall_s, progress=self._progress)

    def close(self) -> None:
        """Release the partner; its last user removes the container."""
        self._stack.close()


class _LiveRun:
    """A run on the real clock."""

    def __init__(
        self, partner: LivePartner | None, *, stall_s: float, progress: Callable[[str], None]
    ) -> None:
        self._partner = partner
        self._stall_s = stall_s
        self.stage = _LiveStage(partner, progress=progress)

    def carry_out(self, main: Main, *, observer: Observer | None = None) -> Ran:
        """Run on a new loop; a run that stalls is ended with a diagnosis."""
        del observer  # Real time has no passes to look at.
        stage = self.stage
        ledger = LockLedger(hold_min_s=HOLD_MIN_S)
        unhandled: list[str] = []
        began: list[float] = []
        watchdog = StallWatchdog(stall_s=self._stall_s, diagnose=stage.diagnose)
        stage.watchdog = watchdog
        lag = LoopLagWatch()

        async def watched() -> None:
            loop = asyncio.get_running_loop()
            began.append(loop.time())
            loop.set_exception_handler(lambda _loop, context: unhandled.append(_described(context)))
            _sample(loop, ledger)
            watchdog.attach()
            stage.begin()
            lag.attach()
            await main()

        error: BaseException | None = None
        with ledger:
            try:
                with watchdog, lag:
                    asyncio.run(watched())
            except Stalled as stalled:
                error = stalled
            except asyncio.CancelledError as cancelled:
                error = cancelled
            except Exception as raised:  # noqa: BLE001 - it becomes the run's verdict
                error = raised
            # A task that was dropped reports its unhandled error when it is collected.
            gc.collect()
        node_died = self._node_died()
        if node_died is not None:
            return Ran(error=node_died, digest=None, virtual_s=None, diagnosis=None, lock_holds=())
        return Ran(
            error=error if watchdog.diagnosis is None else None,
            digest=None,
            virtual_s=None,
            diagnosis=watchdog.diagnosis,
            lock_holds=_since(began[0] if began else 0.0, ledger.holds),
            lock_waits=_since(began[0] if began else 0.0, ledger.waits),
            unhandled=tuple(unhandled),
            loop_lags=tuple(lag.lags),
        )

    def _node_died(self) -> CouldNotRun | None:
        """Return an error if the node did not outlive the run, which then proves nothing."""
        if self._partner is None:
            return None
        try:
            self._partner.check_alive()
        except CouldNotRun as reason:
            return CouldNotRun(
                f"the node died while the scenario ran: {reason}; the end of its log:\n"
                f"{self._partner.logs(LOG_LINES_DIED)}"
            )
        return None


class _LiveStage:
    """The stage of a live run: its clock, notes, diagnosis and world."""

    def __init__(self, partner: LivePartner | None, *, progress: Callable[[str], None]) -> None:
        self._partner = partner
        self.machine = Machine() if partner is None else Machine(partner_s=partner.cpu_s)
        self.tell = progress
        self.watchdog: StallWatchdog | None = None
        self._begin_s = time.perf_counter()

    def begin(self) -> None:
        """Start the clock."""
        self._begin_s = time.perf_counter()

    def clock(self) -> float:
        """Wall seconds since the run began."""
        return time.perf_counter() - self._begin_s

    def note(self, line: str) -> None:
        """Take a line as a sign of life; live runs have no trace."""
        del line
        if self.watchdog is not None:
            self.watchdog.sign_of_life()

    def begin_chaos(self, seed: int) -> Chaos:
        """Raise ``Unsupported``: on the real clock nobody decides what happens next."""
        del seed
        raise Unsupported("faults as choices are for simulated runs: explore without --node live")

    def begin_cancelling(self, told: Callable[[str], None]) -> Cancels:
        """Raise ``Unsupported``: on the real clock nobody decides who is cancelled."""
        del told
        raise Unsupported("cancellations as choices are for simulated runs: explore without --node")

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Let the watchdog wait for so many seconds: a deadline or a delay is under way."""
        return nullcontext() if self.watchdog is None else self.watchdog.patient(for_s)

    def limited(self, what: str, for_s: float) -> AbstractContextManager[None]:
        """Set no limit: a run that shows no sign of life is ended by the watchdog."""
        del what, for_s
        return nullcontext()

    def diagnose(self) -> Diagnosis:
        """Return who waits for what at this moment, with the node's log."""
        partner = self._partner
        logs = () if partner is None else (("log of the node", partner.logs(LOG_LINES)),)
        return replace(diagnose(attachments=logs), at_s=self.clock())

    @asynccontextmanager
    async def open_world(
        self, label: str, *, needs_node: bool, paired: bool = False, faults: bool = False
    ) -> AsyncIterator[_LiveWorld]:
        """Open a world with the partner, behind a proxy if it must be cut off."""
        del label, paired
        if not needs_node or self._partner is None:
            yield _LiveWorld(clients=None, proxy=None)
            return
        from harness.live.fault_proxy import FaultProxy  # noqa: PLC0415 - only where it is used

        async with AsyncExitStack() as stack:
            endpoint, proxy = self._partner.endpoint, None
            if faults:
                at = urlsplit(endpoint)
                proxy = await stack.enter_async_context(
                    FaultProxy(at.hostname or "127.0.0.1", at.port or 80)
                )
                endpoint = proxy.endpoint
            yield _LiveWorld(clients=self._partner.clients(endpoint), proxy=proxy)


class _LiveWorld:
    """A factory of real clients, and the proxy that makes the node fail."""

    def __init__(self, *, clients: Any, proxy: FaultProxy | None) -> None:
        self.clients = clients
        self._proxy = proxy

    async def set_node(self, state: str) -> None:
        """Cut the node off, freeze it, or heal it."""
        if self._proxy is None:
            raise BadInput("phase.node: the system under test uses no node")
        await {"cut": self._proxy.cut, "freeze": self._proxy.freeze, "heal": self._proxy.heal}[
            state
        ]()


def _since(begin_s: float, holds: list[_Spanned]) -> tuple[_Spanned, ...]:
    """Move holds and waits from the loop's clock to the run's."""
    return tuple(
        replace(
            one,
            begin_s=one.begin_s - begin_s,
            end_s=None if one.end_s is None else one.end_s - begin_s,
        )
        for one in holds
    )


def _sample(loop: asyncio.AbstractEventLoop, ledger: LockLedger) -> None:
    """Sample the holders of locks now and then, to learn across which lines they are held."""
    ledger.sample(loop.time())
    loop.call_later(SAMPLE_EVERY_S, _sample, loop, ledger)


def _stall_s() -> float:
    text = os.environ.get(STALL_SETTING, str(STALL_S))
    try:
        stall_s = float(text)
    except ValueError:
        stall_s = 0.0
    if not stall_s > 0:
        raise BadInput(f'{STALL_SETTING}: must be a number of seconds over 0, got "{text}"')
    return stall_s


def _described(context: dict[str, Any]) -> str:
    error = context.get("exception")
    text = str(context["message"])
    task = context.get("task") or context.get("future")
    if isinstance(task, asyncio.Task):
        made_at = origin_of(task)
        text += f" ({task.get_name()}{f', made at {made_at}' if made_at else ''})"
    return f"{text}: {error!r}" if error is not None else text
