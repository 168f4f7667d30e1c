"""The strategy that runs every order there is, and none twice."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind
from harness.results.wording import count
from harness.search.exhaustive.bytecode.instructions import refuse_unknown_bytecode
from harness.search.exhaustive.decision_path import Decision, alternatives_of
from harness.search.exhaustive.memory import (
    ORDER_BYTES,
    ExhaustiveMemory,
    memory_from_plain,
    memory_to_plain,
    path_kept,
    path_restored,
)
from harness.search.exhaustive.races import races_of
from harness.search.exhaustive.trail import Trail
from harness.search.strategies.port import Strategy
from harness.search.subjects.attempt import Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane, OrderPolicy
    from harness.search.exhaustive.footprint import Footprint, Touch
    from harness.simulated.repeated_runs import SearchRun

__all__ = ["Exhaustive"]

# With fewer steps observed than this share, observing costs more than it saves.
OBSERVED_SHARE_MIN = 0.5


class Exhaustive(Strategy):
    """Runs all orders of a program up to a bound, depth first, from the start each time.

    Without a bound, orders that no program can tell apart are run once: source-DPOR with sleep sets
    on the footprints of steps (Abdulla et al., POPL 2014). With a bound every order within it is
    run: an equivalent one may need more delays than the bound allows, so none may stand for
    another. The cost of an order is the number of lanes overtaken at each decision; every other
    choice that is not the default costs one.

    Args:
        bound: Delays in all; None for any number.
        kinds: What is enumerated; all else is as it is by default.
        reduced: False runs equivalent orders, too.

    Raises:
        BadInput: The reduction reads bytecode, and this Python has some that it does not know.
    """

    # Runs of different seeds are different programs: all runs have one.
    same_seed = True

    def __init__(
        self,
        *,
        bound: int | None = None,
        kinds: frozenset[ChoiceKind] = frozenset(ChoiceKind),
        reduced: bool = True,
    ) -> None:
        self.name = "exhaustive" if bound is None else f"exhaustive:{bound}"
        self.bound = bound
        self.kinds = kinds
        self.watcher: Trail | None = None
        self.runs = 0
        self.redundant = 0
        self.failures = 0
        self.unsteady: str | None = None
        self.given_up: str | None = None
        self._reduced = reduced and bound is None and ChoiceKind.ORDER in kinds
        if self._reduced:
            refuse_unknown_bytecode()
        self._path: list[Decision] = []
        self._walk: _Walk | None = None
        self._changed = -1
        self._afresh = False
        # The same few come again and again.
        self._footprints: dict[frozenset[Touch], Footprint] = {}
        self._orders: set[bytes] = set()

    @property
    def complete(self) -> bool:
        """True if every order was run, and every run was decided by its choices."""
        return self.exhausted and self.unsteady is None

    @property
    def distinct(self) -> int:
        """Distinct orders so far, the other choices included."""
        return len(self._orders)

    @property
    def reduced(self) -> bool:
        """True if equivalent orders are run once."""
        return self._reduced and self.given_up is None

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of the next run, which follows the path and goes on from its end."""
        del run
        passed = self._events_passed()
        # None are known from a search that was cut short: they are observed once more.
        known = self.watcher.events[:passed] if self.watcher is not None else ()
        self.watcher = (
            Trail(known=known, passed=passed, footprints=self._footprints) if self.reduced else None
        )
        self._walk = _Walk(self._path, self.kinds, self.watcher)
        return self._walk

    def _events_passed(self) -> int:
        """Return how many events come before the decision that goes otherwise in the next run."""
        if self._changed < 0:
            return 0
        changed = self._path[self._changed]
        # A choice has no event of its own; what comes before it may be unlike what it was. Nor has
        # what came from outside before the next decision.
        return max(changed.event, 0) if changed.lanes is not None else 0

    def finish(self, found: SearchRun | Attempt) -> None:
        """Learn which steps raced, and find the next order that is still to be run."""
        walk = self._walk
        if walk is None:
            return
        self.runs += 1
        self.failures += _failed(found)
        self._orders.add(_identity(found, walk))
        walk.check_end()
        self.unsteady = self.unsteady or walk.unsteady or _unknown(found)
        if walk.trail is not None:
            walk.trail.settle()
            self.redundant += walk.trail.redundant
            self._judge(walk.trail)
            self._learn(walk.trail)
        self._move_on(walk.trail)

    def _judge(self, trail: Trail) -> None:
        """Go on without observing if it does not tell enough of the first run, or does harm."""
        if trail.lifetime:
            self.given_up = f"it matters when things are freed: {trail.lifetime}"
        elif self.runs > 1:
            return
        elif trail.idle:
            self.given_up = "in asyncio's own order the order of all steps matters"
        elif trail.observed_share() < OBSERVED_SHARE_MIN:
            most = max(trail.whys, key=lambda why: trail.whys[why], default="no step was seen")
            self.given_up = f"most steps may do anything: {most}"

    def _learn(self, trail: Trail) -> None:
        for decision, lanes in races_of(trail.events, begin=trail.known):
            picks = [pick for pick, lane in enumerate(decision.lanes or ()) if lane in lanes]
            if not picks:
                decision.wanted = set(range(decision.count))
            elif decision.wanted.isdisjoint(picks):
                decision.wanted.add(picks[0])
        if self.given_up is None and not trail.barred:
            return
        if self.given_up is not None and not trail.idle:
            # From the start, unobserved: then the first run, too, is one of those that count.
            self._path.clear()
            self._afresh = True
            return
        # Races with what no step did are not told, so every alternative has to be tried.
        for decision in self._path:
            decision.wanted = set(range(decision.count))

    def _move_on(self, trail: Trail | None) -> None:
        path = self._path
        if self._afresh:
            self._afresh = False
            return
        while path:
            decision = path[-1]
            if trail is not None and decision.lanes is not None:
                lane = decision.lanes[decision.pick]
                event = trail.event_at(decision.event)
                # What came from outside has no event, so that nothing is known of what it touched.
                if event is not None and event.lane == lane:
                    decision.taken[lane] = event.footprint.generalised(decision.names)
            if decision.move_on(self.bound):
                self._changed = len(path) - 1
                return
            path.pop()
        self.exhausted = True

    def learned(self) -> dict[str, Any]:
        """Return in plain form, between two runs, what it needs to go on."""
        return memory_to_plain(
            ExhaustiveMemory(
                runs=self.runs,
                redundant=self.redundant,
                failures=self.failures,
                unsteady=self.unsteady,
                given_up=self.given_up,
                changed=self._changed,
                orders=base64.b64encode(b"".join(sorted(self._orders))).decode(),
                **path_kept(self._path),
            )
        )

    def remember(self, plain: Any, *, where: str) -> None:
        """Go on, before the first run, from what ``learned`` returned of another like it.

        Raises:
            BadInput: It is damaged; the message begins with ``where``.
        """
        memory = memory_from_plain(plain, where=f"{where}: learned")
        self.runs, self.redundant, self.failures = memory.runs, memory.redundant, memory.failures
        self.unsteady, self.given_up = memory.unsteady, memory.given_up
        self._changed = memory.changed
        self._orders = set(memory.digests())
        self._path = path_restored(memory)

    def sentences(self) -> tuple[str, ...]:
        """Say what has been run, and what that proves."""
        orders = count(self.distinct, "distinct order")
        cut = f", {self.redundant:,} of them cut off as redundant" if self.redundant else ""
        runs = f"{count(self.runs, 'run')}{cut}"
        if not self.exhausted:
            return (f"{orders} in {runs}: not all, so this proves nothing",)
        upto = "" if self.bound is None else f" up to bound {self.bound}"
        if self.unsteady is not None:
            return (f"{orders}{upto} in {runs}, which proves nothing: {self.unsteady}",)
        if self.failures:
            return (f"{self.failures:,} of {runs} failed; all orders{upto} were run",)
        proof = ": a proof for this program under these conditions" if self.bound is None else ""
        message = (
            "the only distinct order{} passes" if self.distinct == 1 else f"all {orders}{{}} pass"
        )
        return (f"{message.format(upto)}{proof} ({runs})", self._basis())

    def _basis(self) -> str:
        """Say what the proof rests on."""
        if self.reduced:
            return (
                "it rests on the observed footprints of steps: orders that differ only in the order"
                " of steps that touch nothing in common were run once"
            )
        plain = "every order was run, none stands for another"
        return plain if self.given_up is None else f"{plain} ({self.given_up})"


class _Walk:
    """The policy of one run: follows the path of decisions, then goes on by first alternatives."""

    def __init__(
        self,
        path: list[Decision],
        kinds: frozenset[ChoiceKind],
        trail: Trail | None,
    ) -> None:
        self._path = path
        self._known = len(path)
        self._kinds = kinds
        self._depth = 0
        self._cost = 0
        self.trail = trail
        self.choices: list[int] = []
        self.unsteady: str | None = None

    def order(self, options: Sequence[Lane]) -> int:
        """Go as the path says; beyond it with the first lane that does not sleep."""
        if ChoiceKind.ORDER not in self._kinds or self._over():
            return 0
        first = alternatives_of(options)
        lanes = tuple(first)
        decision = self._known_decision(len(lanes), lanes)
        if decision is None and self.unsteady is None:
            decision = self._new_order(lanes, observed=hasattr(options[0], "call"))
        if decision is None:
            return first[lanes[0]]
        self._pass(decision)
        return first[lanes[decision.pick]]

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose as the path says; beyond it the default."""
        del label
        if kind not in self._kinds or count < 2 or self._over():
            return 0
        decision = self._known_decision(count, None)
        if decision is None and self.unsteady is None:
            decision = Decision(count=count, cost=self._cost)
            self._path.append(decision)
        if decision is None:
            return 0
        self._pass(decision)
        self.choices.append(decision.pick)
        if self.trail is not None:
            self.trail.enumerated(decision.pick)
        return decision.pick

    def check_end(self) -> None:
        """See whether the run came as far as the path did."""
        if self._depth < self._known and self.unsteady is None:
            self._differs()

    def _differs(self) -> None:
        self.unsteady = (
            f"decision {self._depth + 1} was another one in a repeated run:"
            " the program is not decided by its choices"
        )
        # What lies beyond cannot be told from here.
        del self._path[self._depth :]

    def _over(self) -> bool:
        """Return True if what is decided from here on was decided before in another run."""
        if self.trail is None or self.unsteady is not None:
            return self.unsteady is not None
        self.trail.settle()
        return self.trail.redundant

    def _known_decision(self, count: int, lanes: tuple[int, ...] | None) -> Decision | None:
        if self._depth >= self._known:
            return None
        decision = self._path[self._depth]
        if decision.count != count or decision.lanes != lanes:
            self._differs()
            return None
        return decision

    def _new_order(self, lanes: tuple[int, ...], *, observed: bool) -> Decision | None:
        decision = Decision(count=len(lanes), cost=self._cost, lanes=lanes)
        trail = self.trail
        if trail is not None and not trail.idle:
            decision.names = trail.names
            decision.asleep = trail.asleep
            free = [pick for pick, lane in enumerate(lanes) if lane not in trail.asleep]
            if not free:
                trail.redundant = True
                return None
            decision.pick = free[0]
            if observed:
                decision.wanted = {free[0]}
            else:
                trail.bar(forget=True)
        self._path.append(decision)
        return decision

    def _pass(self, decision: Decision) -> None:
        self._depth += 1
        self._cost = decision.cost + decision.cost_of(decision.pick)
        trail = self.trail
        if trail is None or decision.lanes is None or trail.idle:
            return
        if decision.names != trail.names:
            # Things have other numbers than when the footprints of the sleeping were taken, perhaps
            # in another process: who does not sleep is run once more, and nothing is left out.
            for one in self._path[self._depth - 1 :]:
                one.asleep, one.taken = {}, {}
            decision.names = trail.names
        trail.decided(decision, {**decision.asleep, **decision.taken})


def _failed(found: SearchRun | Attempt) -> bool:
    return found.failure is not None if isinstance(found, Attempt) else found.failed


def _unknown(found: SearchRun | Attempt) -> str | None:
    return found.unknown if isinstance(found, Attempt) else None


def _identity(found: SearchRun | Attempt, walk: _Walk) -> bytes:
    digest = hashlib.blake2b(found.order, digest_size=ORDER_BYTES)
    digest.update(repr(walk.choices).encode())
    return digest.digest()
