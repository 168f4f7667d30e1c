"""Runs in virtual time compared: every figure exactly, since a seed decides them all."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from harness.report.comparing.figures import Named, figures_of
from harness.results.comparisons import Simulated, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.report.comparing.stored import StoredRun

    Pair = tuple[StoredRun, StoredRun]
    Values = tuple[int, float | None, float | None]

__all__ = ["simulated_differences"]

# Sums of the same numbers in another order part in the last digits.
RELATIVE, ABSOLUTE_S = 1e-9, 1e-12


def simulated_differences(pairs: Iterable[Pair]) -> Iterator[Simulated]:
    """Compare runs of the same scenario and seed; a difference for each figure that changed.

    Largest first within a scenario, and each figure once for all seeds.
    """
    by_scenario: defaultdict[str, dict[Named, list[Values]]] = defaultdict(dict)
    for old, new in pairs:
        before, now = figures_of(old), figures_of(new)
        for name in before | now:
            values = by_scenario[old.scenario].setdefault(name, [])
            values.append((old.seed, before.get(name), now.get(name)))
    for scenario, figures in by_scenario.items():
        found = (_difference(scenario, name, values) for name, values in figures.items())
        yield from sorted(filter(None, found), key=_size, reverse=True)


def _difference(scenario: str, name: Named, values: list[Values]) -> Simulated | None:
    changed = [one for one in values if not _equal(one[1], one[2])]
    if not changed:
        return None
    both = [(old, new) for _, old, new in changed if old is not None and new is not None]
    more, less = sum(new > old for old, new in both), sum(new < old for old, new in both)
    seed, old, new = max(changed, key=lambda one: _ratio_size(one[1], one[2]))
    return Simulated(
        scenario=scenario,
        what=str(name),
        way=_way(name, more=more, less=less),
        unit=name.unit,
        old=old,
        new=new,
        seed=seed,
        seeds=len(values),
        more=more,
        less=less,
    )


def _equal(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return math.isclose(old, new, rel_tol=RELATIVE, abs_tol=ABSOLUTE_S)


def _way(name: Named, *, more: int, less: int) -> Way:
    """Say what a change means: of a time that is longer with one seed, that it got slower."""
    if name.unit != "s" or not (more or less):
        # A speed-up also falls when what is compared with gets faster: its two times tell.
        return Way.CHANGED
    return Way.SLOWER if more else Way.FASTER


def _ratio_size(old: float | None, new: float | None) -> float:
    """Return how far apart two values are, in logarithms; most of all if one is not there."""
    if not old or not new:
        return math.inf
    # Rounded, so that of changes of one size the first is the first.
    return round(abs(math.log(abs(new) / abs(old))), 6)


def _size(one: Simulated) -> tuple[bool, float]:
    return one.way is not Way.CHANGED, _ratio_size(one.old, one.new)
