"""How the pieces of one scenario's search become one result."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.results.explorations import Exploration
from harness.results.health.varied import Decisions, Varied
from harness.runs.under_search import Search
from harness.search.strategies.confidence import sentences
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.portfolio import strategy_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.results.explorations import FoundFailure
    from harness.scenario.model import Scenario
    from harness.search.pieces.piece import PieceFound
    from harness.search.pieces.plan import SearchPlan
    from harness.search.terms import SearchTerms

__all__ = ["fewest_deviations", "merged"]

# Points of the merged curve are so many times further on than the one before.
CURVE_GROWTH = 1.15


def merged(
    plan: SearchPlan,
    scenario: Scenario,
    *,
    pieces: Iterable[PieceFound],
    failures: Iterable[FoundFailure] = (),
    lost: str | None = None,
) -> Exploration:
    """Unite the pieces of a scenario's search, in their order.

    Runs and seconds are added up, distinct orders counted once, failures of one cause kept once:
    the one with the fewest deviations.

    Args:
        plan: What was asked for.
        scenario: The scenario.
        pieces: What was found, of one scenario.
        failures: Failures found besides: in a piece that never ended, in a recorded regression.
        lost: Why some of the work was not done, if so; then a clean search proves nothing.
    """
    ordered = sorted(pieces, key=lambda one: one.index)
    searches = [one.exploration for one in ordered]
    runs = sum(one.runs for one in searches)
    kept = fewest_deviations([*_numbered(searches), *failures])
    curve = _curve(ordered)
    reason = lost or next((why for one in searches if (why := one.could_not_run) is not None), None)
    terms = plan.terms
    return Exploration(
        scenario=scenario.name,
        path=scenario.path,
        claim=scenario.claim,
        strategy=terms.strategy,
        seed=terms.seed,
        mode=terms.mode,
        runs=runs,
        distinct=curve[-1][1] if curve else 0,
        steps_total=sum(one.steps_total for one in searches),
        wall_s=sum(one.wall_s for one in searches),
        exhausted=bool(searches) and lost is None and all(one.exhausted for one in searches),
        bound=searches[0].bound if searches else None,
        bounds_text=_bounds(plan, ordered, runs=runs, failures=len(kept), unknown=bool(reason)),
        coverage=curve,
        awaits_interleaved=len({pair for one in ordered for pair in one.interleaved}),
        failures=kept,
        could_not_run=None if kept else reason,
        one_order=_one_order(searches),
        varied=_varied(searches),
        **_of_the_file(scenario, terms),
    )


def _of_the_file(scenario: Scenario, terms: SearchTerms) -> dict[str, Any]:
    """Say what of the file no run judges, and what it allows."""
    checks = scenario.checks["simulated"]
    judged = Search.of(scenario, faults=terms.chaos, cancel=terms.cancel)
    return {
        "chaos": terms.chaos,
        "cancel": terms.cancel,
        "allowed": tuple(dict.fromkeys((*terms.allow, *scenario.allow))),
        "not_judged": judged.leaves_out(checks),
        "nothing_judged": judged.judges_none_asked(checks),
    }


def _one_order(searches: Sequence[Exploration]) -> str | None:
    """Return the order of all runs, if it was but one; a piece without runs says nothing."""
    orders = {one.one_order for one in searches if one.runs}
    return orders.pop() if len(orders) == 1 else None


def _varied(searches: Sequence[Exploration]) -> Varied:
    """Unite what varied; what never did, did in none."""
    asked: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for one in searches:
        for kind in one.varied.decisions:
            asked[kind.what] += kind.asked
            changed[kind.what] += kind.changed
    ran = [one.varied for one in searches if one.runs]
    return Varied(
        runs=sum(one.runs for one in ran),
        decisions=tuple(
            Decisions(what=what, asked=asked[what], changed=changed[what]) for what in sorted(asked)
        ),
        never=_in_all([one.never for one in ran]),
        unreached=_in_all([one.unreached for one in ran]),
    )


def _in_all(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(one for one in lists[0] if all(one in each for each in lists)) if lists else ()


def fewest_deviations(failures: Iterable[FoundFailure]) -> tuple[FoundFailure, ...]:
    """Keep of each cause the failure that is told in the fewest deviations and operations."""
    best: dict[str, FoundFailure] = {}
    for one in failures:
        known = best.get(one.cause)
        size = (one.deviations, one.operations)
        if known is None or size < (known.deviations, known.operations):
            best[one.cause] = one
    return tuple(best.values())


def _numbered(searches: Sequence[Exploration]) -> Iterable[FoundFailure]:
    """Count the runs to a failure from the first piece on, as if they had run one by one."""
    before = 0
    for search in searches:
        for failure in search.failures:
            yield replace(failure, runs_to_find=before + failure.runs_to_find)
        before += search.runs


def _curve(pieces: Sequence[PieceFound]) -> tuple[tuple[int, int], ...]:
    seen: set[bytes] = set()
    points: list[tuple[int, int]] = []
    before, next_point = 0, 1.0
    for piece in pieces:
        for digest, run in zip(piece.digests(), piece.first_seen, strict=True):
            seen.add(digest)
            if before + run >= next_point:
                points.append((before + run, len(seen)))
                next_point = max(before + run + 1, (before + run) * CURVE_GROWTH)
        before += piece.exploration.runs
    last = [(before, len(seen))] if before else []
    return (*(point for point in points if point[0] != before), *last)


def _bounds(
    plan: SearchPlan, pieces: Sequence[PieceFound], *, runs: int, failures: int, unknown: bool
) -> tuple[str, ...]:
    """Say what the whole search guarantees, by what its pieces measured."""
    if runs == 0:
        return ()
    if len(pieces) == 1 and not unknown:
        return pieces[0].exploration.bounds_text
    terms = plan.terms
    strategy = strategy_named(terms.strategy, seed=terms.seed, cancel=terms.cancel)
    for part in dict.fromkeys((strategy, *strategy.parts)):
        if isinstance(part, PriorityChanges):
            own = [one for piece in pieces for one in piece.measured if one.strategy == part.name]
            part.lanes = max((one.lanes for one in own), default=0)
            part.horizon = max((one.decisions for one in own), default=0)
    return sentences(strategy, runs=runs, failures=failures, unknown=unknown)
