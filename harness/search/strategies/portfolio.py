"""The portfolio, which takes turns with the other strategies, and each strategy by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.search.strategies.awaits import EachAwait
from harness.search.strategies.cancellations import Cancellations
from harness.search.strategies.default import DefaultOrder
from harness.search.strategies.delays import Delays
from harness.search.strategies.holders import HoldersLast
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.port import Strategy
from harness.search.strategies.pos import PartialOrderSampling
from harness.search.strategies.random import RandomWalk

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.choices.policies import OrderPolicy
    from harness.search.subjects.attempt import Attempt

__all__ = ["STRATEGIES", "Portfolio", "strategy_named"]

STRATEGIES = {
    "portfolio": "all of the sampling strategies in turn (the default)",
    "random": "every choice is drawn",
    "pct[:DEPTH]": "priorities with DEPTH - 1 changes, default 3; prints its bound",
    "pos": "a priority for each step, kept until it runs",
    "delays[:MOST]": "the default order but for up to MOST drawn delays, default 3",
    "awaits": "one task kept back as long as can be, at each await in turn",
    "holders": "whoever holds locks goes last: finds deadlocks",
    "exhaustive[:DELAYS]": "every order up to so many delays, or every order there is",
    "default": "what happens by default, once",
}


class Portfolio(Strategy):
    """Takes turns: no strategy finds everything, and each finds something that others do not.

    The default order comes first, then each await once, since both are few and tell much.
    """

    name = "portfolio"
    default_first = True

    def __init__(self, seed: int) -> None:
        self.default = DefaultOrder(seed)
        sampling, awaits = PartialOrderSampling(seed), EachAwait(seed)
        # Those that stand here twice take two turns in nine.
        self.parts: tuple[Strategy, ...] = (
            sampling,
            awaits,
            RandomWalk(seed + 1),
            PriorityChanges(seed + 2),
            awaits,
            Delays(seed + 3),
            sampling,
            PriorityChanges(seed + 4, depth=2),
            HoldersLast(seed + 5),
        )
        self._turn: Strategy = self.default
        self.counts: dict[str, int] = {}

    @property
    def current(self) -> Strategy:
        """The strategy whose turn it is."""
        return self._turn

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of the strategy whose turn it is."""
        if run == 0:
            self._turn = self.default
        else:
            live = [one for one in self.parts if not one.exhausted]
            self._turn = live[(run - 1) % len(live)]
        count = self.counts.get(self._turn.name, 0)
        self.counts[self._turn.name] = count + 1
        policy = self._turn.begin(count)
        self.locks, self.watcher = self._turn.locks, self._turn.watcher
        return policy

    def finish(self, found: Attempt) -> None:
        """Have the strategy whose turn it was learn how its run ended."""
        self._turn.finish(found)

    def learned(self) -> dict[str, Any]:
        """Return how many turns each has had, and what each knows."""
        of = {member.name: member.learned() for member in self._members()}
        return {"counts": dict(self.counts), "of": of}

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what ``learned`` returned."""
        self.counts.update(plain["counts"])
        for member in self._members():
            member.restore(plain["of"][member.name])

    def _members(self) -> tuple[Strategy, ...]:
        return (self.default, *dict.fromkeys(self.parts))


def strategy_named(
    text: str, *, seed: int, cancel: bool = False, share: tuple[int, int] = (0, 1)
) -> Strategy:
    """Make a strategy from its name; ``cancel`` has it cancel tasks, too.

    ``share`` (k, n): of n searches that share its places to cancel at this is number k, from 0.

    Raises:
        BadInput: There is none of this name, or the number behind it is out of bounds.
    """
    name, _, number = text.partition(":")
    if cancel and name != "exhaustive":
        return Cancellations(strategy_named(text, seed=seed), seed=seed, share=share)
    if name == "pct":
        return PriorityChanges(seed, depth=_depth_of(number, default=3, of="pct"))
    if name == "delays":
        return Delays(seed, most=_depth_of(number, default=3, of="delays"))
    if name == "exhaustive":
        from harness.search.exhaustive.search import Exhaustive  # noqa: PLC0415 - seldom asked for

        # A cancellation is no step, so which steps it is independent of is not known.
        bound = _depth_of(number, default=0, of="exhaustive", most=64) if number else None
        return Exhaustive(bound=bound, reduced=not cancel)
    plain: dict[str, Callable[[int], Strategy]] = {
        "portfolio": Portfolio,
        "random": RandomWalk,
        "pos": PartialOrderSampling,
        "awaits": EachAwait,
        "holders": HoldersLast,
        "default": DefaultOrder,
    }
    if name not in plain or number:
        known = ", ".join(STRATEGIES)
        raise BadInput(f'--strategy: there is no strategy "{text}"; known: {known}')
    return plain[name](seed)


def _depth_of(text: str, *, default: int, of: str, most: int = 12) -> int:
    """Read the number after the colon of a strategy's name.

    Raises:
        BadInput: It is no number from 1 to ``most``.
    """
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise BadInput(f'strategy {of}: the number after ":" must be 1 to {most}, got "{text}"')
    return int(text)
