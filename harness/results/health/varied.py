"""What varied between the runs of a search, what never did, and how many runs are worth it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NOTHING_SEEN", "Decisions", "Varied", "budget_text", "recommended_runs"]

# A search is long enough when fewer runs than this share show a new order.
NEW_SHARE = 0.01
# While nearly every run shows a new one, no end is in sight: so many times as many runs.
NEARLY_ALL = 0.95
TIMES = 10
RUNS_MAX = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """One kind of choice: how often it came up, and how often it was not left at its default."""

    what: str
    asked: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """What the runs of a search that were looked at could choose, and did.

    ``runs`` is how many were looked at, ``decisions`` are the kinds of choices that came up,
    ``never`` says what never varied, and why; ``unreached`` are the points, faults and parks that
    no run came to.
    """

    runs: int = 0
    decisions: tuple[Decisions, ...] = ()
    never: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say it in a few sentences."""
        if not self.runs:
            return ()
        looked = f"in {count(self.runs, 'run')} looked at"
        changed = [
            f"{one.what} ({one.changed:,} of {count(one.asked, 'time')})"
            for one in self.decisions
            if one.changed
        ]
        kept = [
            f"{one.what} ({count(one.asked, 'time')} at its default)"
            for one in self.decisions
            if not one.changed
        ]
        said = [f"varied, {looked}: {'; '.join(changed) if changed else 'nothing'}"]
        if never := [*kept, *self.never]:
            said.append(f"never varied: {'; '.join(never)}")
        if self.unreached:
            said.append(f"never reached: {', '.join(self.unreached)}")
        return tuple(said)


NOTHING_SEEN = Varied()


def recommended_runs(curve: Sequence[tuple[int, int]]) -> int:
    """Return how many runs are worth it, from pairs (runs so far, distinct orders so far).

    The curve's last half is taken for a power of the runs, as such curves are (Heaps' law): the
    budget is where fewer than ``NEW_SHARE`` of the runs would show a new order.
    """
    if not curve:
        return 1
    runs, orders = curve[-1]
    early = max((one for one in curve if one[0] <= runs / 2), default=curve[0])
    if orders <= early[1] or runs <= early[0]:
        # The last half showed nothing new.
        return next(at for at, seen in curve if seen == orders)
    power = log(orders / early[1]) / log(runs / early[0])
    if power >= NEARLY_ALL:
        return min(runs * TIMES, RUNS_MAX)
    wanted = runs * (NEW_SHARE * runs / (power * orders)) ** (1 / (power - 1))
    return int(min(max(wanted, 1), RUNS_MAX))


def budget_text(curve: Sequence[tuple[int, int]], budget: int) -> str | None:
    """Say how the curve of new orders goes, and what budget follows; None without a run."""
    if not curve:
        return None
    runs, orders = curve[-1]
    early = max((seen for at, seen in curve if at <= runs / 2), default=0)
    half = f"{orders - early:,} of them new in the last half"
    said = f"{count(orders, 'order')} in {count(runs, 'run')}, {half}"
    if budget > runs:
        return f"{said}: {budget:,} runs are recommended"
    return f"{said}: {count(budget, 'run')} would have shown as many"
