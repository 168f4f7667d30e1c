"""Own the live backend: the real clock, a real node in a container, real clients."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from harness.backends.port import Ran
from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.task_origins import origin_of
from harness.diagnosis.wait_graph import diagnose
from harness.errors import BadInput, CouldNotRun, Unsupported
from harness.history.records import Diagnosis, LockHold, LockWait, NodeKind
from harness.live.loop_lag import LoopLagWatch
from harness.live.stall_watchdog import Stalled, StallWatchdog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from harness.backends.port import Main, Observer
    from harness.choices.chaos import Chaos
    from harness.live.fault_proxy import FaultProxy
    from harness.miden.node.shared_node import SharedNode

__all__ = ["LiveBackend"]

# Wall seconds without any operation, spawn or command beginning or ending.
STALL_S = 150.0
STALL_SETTING = "HARNESS_STALL_S"
LOG_LINES = 100
LOG_LINES_DIED = 10
SAMPLE_EVERY_S = 0.02
# In real time every hold lasts a little; shorter ones say nothing.
HOLD_MIN_S = 0.001
CLIENT_ADVICE = (
    "the real client is not installed: pip install ./serve/miden/native (needs cargo), or run"
    " tox -e integration, which does it"
)

_Spanned = TypeVar("_Spanned", LockHold, LockWait)


class LiveBackend:
    """Runs on real time over one node for all runs, in a container that is removed at the end."""

    kind = NodeKind.LIVE

    def __init__(self, *, needs_node: bool, progress: Callable[[str], None]) -> None:
        self._stack = ExitStack()
        self._node: SharedNode | None = None
        self._stall_s = _stall_s()
        self.versions: dict[str, str] = {}
        if needs_node:
            self.versions["mosaic-miden-client"] = _client_version()
            from harness.miden.node.shared_node import shared_node  # noqa: PLC0415 - needs Docker's packages

            self._node = self._stack.enter_context(shared_node(progress=progress))
            self.versions["miden-node"] = self._node.version

    def run(self, main: Main, *, seed: int, observer: Observer | None = None) -> Ran:
        """Run on a loop of its own; a run that stalls is ended with a diagnosis."""
        del seed, observer  # Real time draws its own latencies, and has no passes to look at.
        ledger = LockLedger(hold_min_s=HOLD_MIN_S)
        unhandled: list[str] = []
        began: list[float] = []
        stage = _LiveStage(self._node)
        watchdog = StallWatchdog(stall_s=self._stall_s, diagnose=stage.diagnose)
        stage.watchdog = watchdog
        lag = LoopLagWatch()

        async def watched() -> None:
            loop = asyncio.get_running_loop()
            began.append(loop.time())
            loop.set_exception_handler(lambda _loop, context: unhandled.append(_told(context)))
            _sample(loop, ledger)
            watchdog.attach()
            stage.begin()
            lag.attach()
            await main(stage)

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
            # What a lost task never told is told when it is collected.
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
        """Ask whether the node outlived the run: what a run without its node did proves nothing."""
        if self._node is None:
            return None
        from harness.miden.node.status import ask_status  # noqa: PLC0415 - needs the live packages

        try:
            ask_status(self._node.endpoint)
        except CouldNotRun as reason:
            return CouldNotRun(
                f"the node died while the scenario ran: {reason}; the end of its log:\n"
                f"{self._node.logs(LOG_LINES_DIED)}"
            )
        return None

    def close(self) -> None:
        """Give the node back; the last one out removes the container."""
        self._stack.close()


class _LiveStage:
    """What a live run finds around it."""

    def __init__(self, node: SharedNode | None) -> None:
        self._node = node
        self.watchdog: StallWatchdog | None = None
        self._begin_s = time.perf_counter()

    def begin(self) -> None:
        """Start the clock."""
        self._begin_s = time.perf_counter()

    def clock(self) -> float:
        """Wall seconds since the run began."""
        return time.perf_counter() - self._begin_s

    def note(self, line: str) -> None:
        """Take a line as a sign of life; real runs have no trace."""
        del line
        if self.watchdog is not None:
            self.watchdog.sign_of_life()

    def begin_chaos(self, seed: int) -> Chaos:
        """Refuse: on the real clock nobody decides what happens next."""
        del seed
        msg = "faults as choices are for simulated runs: explore without --node live"
        raise Unsupported(msg)

    def patient(self, for_s: float) -> AbstractContextManager[None]:
        """Have the watchdog wait for so long: an operation's deadline or a delay is under way."""
        return nullcontext() if self.watchdog is None else self.watchdog.patient(for_s)

    def diagnose(self) -> Diagnosis:
        """Say who waits for what at this moment, with the node's log."""
        logs = () if self._node is None else (("log of the node", self._node.logs(LOG_LINES)),)
        return replace(diagnose(attachments=logs), at_s=self.clock())

    @asynccontextmanager
    async def open_world(
        self, label: str, *, needs_node: bool, paired: bool = False, faults: bool = False
    ) -> AsyncIterator[_LiveWorld]:
        """Open a world on the shared node, behind a proxy where it must be cut off."""
        del label, paired
        if not needs_node or self._node is None:
            yield _LiveWorld(clients=None, proxy=None)
            return
        from harness.live.fault_proxy import FaultProxy  # noqa: PLC0415 - only where it is used
        from harness.miden.live_clients import client_factory  # noqa: PLC0415 - needs the extension

        async with AsyncExitStack() as stack:
            endpoint, proxy = self._node.endpoint, None
            if faults:
                at = urlsplit(endpoint)
                proxy = await stack.enter_async_context(
                    FaultProxy(at.hostname or "127.0.0.1", at.port or 80)
                )
                endpoint = proxy.endpoint
            yield _LiveWorld(clients=client_factory(endpoint), proxy=proxy)


class _LiveWorld:
    """A factory of real clients, and the proxy that stands for the node's failures."""

    def __init__(self, *, clients: Any, proxy: FaultProxy | None) -> None:
        self.clients = clients
        self._proxy = proxy

    async def set_node(self, state: str) -> None:
        """Cut the node off, freeze it, or heal it."""
        if self._proxy is None:
            msg = "phase.node: the system under test uses no node"
            raise BadInput(msg)
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
    """Look at the holders of locks now and then, to learn across which lines they are held."""
    ledger.sample(loop.time())
    loop.call_later(SAMPLE_EVERY_S, _sample, loop, ledger)


def _client_version() -> str:
    try:
        return version("mosaic-miden-client")
    except PackageNotFoundError as error:
        raise CouldNotRun(CLIENT_ADVICE) from error


def _stall_s() -> float:
    text = os.environ.get(STALL_SETTING, str(STALL_S))
    try:
        stall_s = float(text)
    except ValueError:
        stall_s = 0.0
    if not stall_s > 0:
        msg = f'{STALL_SETTING}: must be a number of seconds over 0, got "{text}"'
        raise BadInput(msg)
    return stall_s


def _told(context: dict[str, Any]) -> str:
    error = context.get("exception")
    text = str(context["message"])
    task = context.get("task") or context.get("future")
    if isinstance(task, asyncio.Task):
        made_at = origin_of(task)
        text += f" ({task.get_name()}{f', made at {made_at}' if made_at else ''})"
    return f"{text}: {error!r}" if error is not None else text
