"""Own the portfolio of strategies, and how a strategy is asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import BadInput
from harness.search.strategies.awaits import EachAwait
from harness.search.strategies.strategies import (
    DefaultOrder,
    Delays,
    HoldersLast,
    PartialOrderSampling,
    PriorityChanges,
    RandomWalk,
    Strategy,
    depth_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.choices.policies import OrderPolicy, StepWatcher
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


class Portfolio:
    """Takes turns: no strategy finds everything, and each finds something that others do not.

    The default order comes first, then each await once, since both are few and tell much.
    """

    name = "portfolio"
    exhausted = False

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
        self.current: Strategy = self.default
        self.counts: dict[str, int] = {}

    @property
    def locks(self) -> bool:
        """Whether the strategy whose turn it is needs locks to be watched."""
        return self.current.locks

    @property
    def watcher(self) -> StepWatcher | None:
        """Who looks on for the strategy whose turn it is."""
        return self.current.watcher

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of the strategy whose turn it is."""
        if run == 0:
            self.current = self.default
        else:
            live = [one for one in self.parts if not one.exhausted]
            self.current = live[(run - 1) % len(live)]
        count = self.counts.get(self.current.name, 0)
        self.counts[self.current.name] = count + 1
        return self.current.begin(count)

    def finish(self, found: Attempt) -> None:
        """Tell it to the strategy whose turn it was."""
        self.current.finish(found)


def strategy_named(text: str, *, seed: int) -> Strategy:
    """Make a strategy from its name.

    Raises:
        BadInput: There is none of this name, or the number behind it is out of bounds.
    """
    name, _, number = text.partition(":")
    if name == "pct":
        return PriorityChanges(seed, depth=depth_of(number, default=3, of="pct"))
    if name == "delays":
        return Delays(seed, most=depth_of(number, default=3, of="delays"))
    if name == "exhaustive":
        from harness.search.exhaustive.exhaustive import Exhaustive  # noqa: PLC0415 - seldom asked for

        if not number:
            return Exhaustive()
        return Exhaustive(bound=depth_of(number, default=0, of="exhaustive", most=64))
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
        msg = f'--strategy: there is no strategy "{text}"; known: {known}'
        raise BadInput(msg)
    return plain[name](seed)
