"""The variety of a search: which kinds of choices its runs had, counted in a few of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind
from harness.results.health.varied import Decisions, Varied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane, OrderPolicy
    from harness.results.explorations import Exploration
    from harness.search.terms import SearchTerms

__all__ = ["ARRIVALS", "READY", "Variety"]

# Every run is looked at up to this one, then each that is so many times further on.
FIRST = 8
GROWTH = 1.5

ARRIVALS = "which of several arrivals comes next"
READY = "which ready task runs next"
OF_KIND = {
    ChoiceKind.LATENCY: "latencies and delays",
    ChoiceKind.FAULT: "faults",
    ChoiceKind.CANCEL: "cancellations",
}


class Variety:
    """Looks at some runs, and says what varied in them and what never did.

    ``begun`` is what the search came to until it was cut short.
    """

    def __init__(self, terms: SearchTerms, begun: Exploration | None = None) -> None:
        self._terms = terms
        self._asked: Counter[str] = Counter()
        self._changed: Counter[str] = Counter()
        self._runs = 0
        self._next = 1
        self._unreached: set[str] | None = None
        if begun is not None and begun.runs:
            for one in begun.varied.decisions:
                self._asked[one.what] = one.asked
                self._changed[one.what] = one.changed
            self._unreached = set(begun.varied.unreached)
            while self._next <= begun.runs:
                self._looked_at(self._next)

    def looking(self, policy: OrderPolicy, run: int) -> OrderPolicy:
        """Return the policy itself, or one that counts what it is asked; ``run`` is from 1."""
        if run < self._next:
            return policy
        self._looked_at(run)
        counting: OrderPolicy = _Counting(policy, self._asked, self._changed)
        return counting

    def _looked_at(self, run: int) -> None:
        self._runs += 1
        self._next = run + 1 if run < FIRST else int(run * GROWTH)

    def add(self, unreached: frozenset[str] | None) -> None:
        """Add the points, faults and parks that a run did not come to."""
        if unreached is not None:
            known = self._unreached
            self._unreached = set(unreached) if known is None else known & unreached

    def varied(self) -> Varied:
        """Say what varied and what never did."""
        return Varied(
            runs=self._runs,
            decisions=tuple(
                Decisions(what=what, asked=asked, changed=self._changed[what])
                for what, asked in sorted(self._asked.items())
            ),
            never=tuple(self._never()),
            unreached=tuple(sorted(self._unreached or ())),
        )

    def _never(self) -> list[str]:
        terms = self._terms
        said = []
        if not self._asked[ARRIVALS]:
            said.append("arrivals (no two were on their way at once: waits end at fixed moments)")
        if not terms.adversarial:
            said.append("the order of ready tasks (asyncio keeps it; adversarial permutes them)")
        if not terms.cancel:
            said.append("cancellations (nobody was cancelled by choice; cancel does)")
        if terms.chaos and not self._asked[OF_KIND[ChoiceKind.FAULT]]:
            said.append("faults (no point was reached at which one could strike)")
        return said


class _Counting:
    """Another policy, whose choices are counted; all else that is asked of it goes there."""

    def __init__(self, inner: OrderPolicy, asked: Counter[str], changed: Counter[str]) -> None:
        self._inner = inner
        self._counts = asked, changed

    def order(self, options: Sequence[Lane]) -> int:
        """Choose what the other policy does."""
        chosen = self._inner.order(options)
        self._count(ARRIVALS if hasattr(options[0], "entry") else READY, chosen)
        return chosen

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose what the other policy does."""
        chosen = self._inner.choose(kind, count, label)
        subject = "something " if label.startswith("comes ") else ""
        self._count(OF_KIND.get(kind, f"whether {subject}{label}"), chosen)
        return chosen

    def _count(self, what: str, chosen: int) -> None:
        asked, changed = self._counts
        asked[what] += 1
        changed[what] += chosen > 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
