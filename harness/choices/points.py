"""The points at which a scenario parks an operation, cancels its caller, or lets it fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.choices.cancels import Cancels
    from harness.choices.chaos import Chaos
    from harness.history.recorder import Recorder
    from harness.scenario.model import Fault

__all__ = ["OPERATION", "ClientDies", "Interception", "RunningOperation", "plain_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOperation:
    """The operation in whose context code runs."""

    number: int
    step: str
    user: str | None


# The kinds of chaos that have a special error.
_CHAOS_ERRORS = {"full": "ClientBusy"}

OPERATION: ContextVar[RunningOperation | None] = ContextVar("harness_operation", default=None)


class ClientDies(BaseException):
    """A fault of kind "die": the client at this point must end without a word."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Gate:
    """Parks the calls of a step at a point until it is opened."""

    point: str
    step: str
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True, eq=False)
class _Trip:
    """Calls ``strike``, once, when a step reaches a point."""

    point: str
    step: str
    strike: Callable[[], None]


@dataclass(slots=True, kw_only=True)
class _Armed:
    """A fault of the scenario, and how often its point was reached.

    Where the fault names several users, each is counted alone.
    """

    fault: Fault
    arrivals: Counter[str | None] = field(default_factory=Counter)

    @property
    def has_struck(self) -> bool:
        """True if it struck anybody so far."""
        return any(count > self.fault.skip for count in self.arrivals.values())

    def strikes(self, user: str | None) -> bool:
        """Count an arrival of a user, and say whether the fault strikes."""
        fault = self.fault
        named = [fault.user] if isinstance(fault.user, str) else fault.user
        if named is None:
            user = None
        elif named == ["each"]:
            # "-" is whoever the scenario does not know.
            if user in (None, "-"):
                return False
        elif user not in named:
            return False
        self.arrivals[user] += 1
        return fault.skip < self.arrivals[user] <= fault.skip + fault.times


class Interception:
    """The parks, cancellations and faults of a run, which take effect in ``reach`` at each point.

    ``error_named`` makes the error of a fault. The adapter of the system under test sets it, since
    only the adapter knows the system's classes.
    """

    def __init__(self, recorder: Recorder, faults: list[Fault]) -> None:
        self.phase: str | None = None
        self.error_named: Callable[[str | None, str], Exception] = _no_errors
        # Set while faults are choices of a search.
        self.chaos: Chaos | None = None
        # Set while cancellations are.
        self.cancels: Cancels | None = None
        # The points that the system names, and those that somebody came to.
        self.named: tuple[str, ...] = ()
        self._reached: set[str] = set()
        self._recorder = recorder
        self._armed = [_Armed(fault=one) for one in faults]
        self._gates: list[_Gate] = []
        self._trips: list[_Trip] = []
        # Gates of phases that are over, at which nobody arrived.
        self._unreached: list[_Gate] = []

    def add_gate(self, point: str, *, step: str) -> _Gate:
        """Park the step's calls at a point until the returned gate is opened."""
        gate = _Gate(point=plain_name(point), step=step)
        self._gates.append(gate)
        return gate

    def add_trip(self, point: str, *, step: str, strike: Callable[[], None]) -> None:
        """Call ``strike`` once, when the step reaches the point."""
        self._trips.append(_Trip(point=plain_name(point), step=step, strike=strike))

    def clear(self) -> None:
        """Open all gates, and remove gates and trips, at the end of a phase."""
        for gate in self._gates:
            gate.opened.set()
            if not gate.reached.is_set():
                self._unreached.append(gate)
        self._gates.clear()
        self._trips.clear()

    def watches(self, point: str) -> bool:
        """Say whether anything may happen at a point to the running operation."""
        running = OPERATION.get()
        held: list[_Gate | _Trip] = [*self._gates, *self._trips]
        return any(one.point == point and _is(running, one.step) for one in held) or any(
            plain_name(one.fault.at) == point for one in self._armed
        )

    def untried(self) -> tuple[str, ...]:
        """Say which faults never struck so far, and at which parks nobody arrived."""
        faults = [
            f"fault[{number}] ({one.fault.kind} at {one.fault.at}) never struck"
            for number, one in enumerate(self._armed)
            if not one.has_struck
        ]
        parks = [
            f"{gate.step} was never parked: it did not come to {gate.point}"
            for gate in self._unreached
        ]
        return (*faults, *parks)

    def unreached(self) -> tuple[str, ...]:
        """Say to which of the points that the system names nobody came."""
        return tuple(f"point {one}" for one in self.named if one not in self._reached)

    async def reach(
        self,
        point: str,
        key: dict[str, str],
        *,
        error: str | None = None,
        kinds: tuple[str, ...] = (),
    ) -> None:
        """Arrive at a point, and be parked, cancelled, failed or held for ever as the run decides.

        ``error`` names the class to raise where a fault names none. ``kinds`` are the faults that
        chaos may let strike here.

        Raises:
            ClientDies: A fault of kind "die" strikes.
            Exception: A fault of kind "fail" strikes, with the class it names.
        """
        self._reached.add(point)
        running = OPERATION.get()
        for trip in [one for one in self._trips if one.point == point and _is(running, one.step)]:
            if trip not in self._trips:
                continue
            self._trips.remove(trip)
            trip.strike()
            # The cancelled caller must learn of it here, before anything else happens.
            await asyncio.sleep(0)
        for gate in [one for one in self._gates if one.point == point and _is(running, one.step)]:
            gate.reached.set()
            if not gate.opened.is_set():
                await self._parked(gate, running)
        for armed in self._armed:
            if self._strikes(armed, point, key):
                fault = armed.fault
                await self._strike(
                    point, fault.kind, fault.error or error, key, delay_ms=fault.delay_ms
                )
        if self.chaos is not None and kinds:
            kind = self.chaos.at(point, key.get("user", "-"), possible=kinds)
            if kind is not None:
                await self._strike(point, kind, _CHAOS_ERRORS.get(kind, error), key)

    def failure_at(
        self, point: str, key: dict[str, str], *, otherwise: Exception
    ) -> Exception | None:
        """Arrive at a point where no task can be held: return the error to raise there, or None.

        It is ``otherwise`` unless a fault names another class. Chaos may let it be "busy" here.
        """
        for armed in self._armed:
            if armed.fault.kind == "fail" and self._strikes(armed, point, key):
                self._recorder.fault(point, "fail", key)
                name, text = armed.fault.error, f"the scenario lets {point} fail"
                return otherwise if name is None else self.error_named(name, text)
        if self.chaos is not None and self.chaos.at(
            point, key.get("user", "-"), possible=("busy",)
        ):
            self._recorder.fault(point, "busy", key)
            return otherwise
        return None

    async def _parked(self, gate: _Gate, running: RunningOperation | None) -> None:
        """Wait at a gate, and record the wait even if the caller is cancelled there."""
        begin_s = self._recorder.clock()
        try:
            # No deadline here: the parked operation has a deadline.
            await gate.opened.wait()
        finally:
            if running is not None:
                self._recorder.parked(running.number, begin_s=begin_s)

    def _strikes(self, armed: _Armed, point: str, key: dict[str, str]) -> bool:
        fault = armed.fault
        if (
            (self.chaos is not None and self.chaos.stopped)
            or plain_name(fault.at) != point
            or fault.phase not in (None, self.phase)
        ):
            return False
        return armed.strikes(key.get("user"))

    async def _strike(
        self,
        point: str,
        kind: str,
        error: str | None,
        key: dict[str, str],
        *,
        delay_ms: float | None = None,
    ) -> None:
        self._recorder.fault(point, kind, key)
        if delay_ms is not None:
            await asyncio.sleep(delay_ms / 1e3)
            return
        if kind == "die":
            raise ClientDies
        if kind in ("fail", "full"):
            raise self.error_named(error, f"the scenario lets {point} fail")
        # No deadline here: a scenario with a hang proves that the caller has one.
        await asyncio.get_running_loop().create_future()


def plain_name(point: str) -> str:
    """Return the short name of a point: ``cmd.sync.after_remote`` is ``sync.after``."""
    if not point.startswith("cmd."):
        return point
    command, _, moment = point.removeprefix("cmd.").rpartition(".")
    return f"{command}.{'after' if moment == 'after_remote' else moment}"


def _is(running: RunningOperation | None, step: str) -> bool:
    return running is not None and running.step == step


def _no_errors(name: str | None, message: str) -> Exception:
    msg = f"fault.error: the system under test names no errors, none is raised: {name}, {message}"
    return BadInput(msg)
