"""How sure a search makes one: the bound of PCT, and what a clean search says."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.search.strategies.port import Strategy

__all__ = ["pct_bound", "runs_for", "sentences", "share_below"]

CONFIDENCE = 0.95
# Of strategies that draw nothing: what their runs mean.
FIXED = {
    "default": "the order that happens by default, once: it says nothing of any other order",
    "awaits": "a fixed plan, one task kept back at each await in turn: its runs are not drawn, so"
    " they do not say what share of runs may fail",
}


def pct_bound(*, lanes: int, decisions: int, depth: int) -> float:
    """Return the least probability with which one run of PCT finds a bug of a depth.

    1 / (n k^(d-1)) for n lanes, k decisions and depth d (Burckhardt et al., ASPLOS 2010).
    """
    return float(1 / (max(lanes, 1) * max(decisions, 1) ** (depth - 1)))


def runs_for(probability: float, *, confidence: float = CONFIDENCE) -> int:
    """Return how many runs find, with a confidence, what one run finds with a probability."""
    if probability >= 1:
        return 1
    return int(-(-log(1 - confidence) // log(1 - probability)))


def share_below(runs: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the share of failing runs that ``runs`` clean ones rule out, with a confidence.

    1 - (1 - confidence)^(1/runs), about 3 / runs at 95 %.
    """
    return float(1 - (1 - confidence) ** (1 / max(runs, 1)))


def sentences(
    strategy: Strategy, *, runs: int, failures: int, unknown: bool = False
) -> tuple[str, ...]:
    """Say in words what the search guarantees; ``unknown`` if not all its runs could be made."""
    if unknown and failures == 0:
        return ("not all of its runs could be carried out, so they do not make one sure",)
    own = strategy.sentences()
    said = [*own, *_bounds(strategy)]
    clean = failures == 0 and runs > 0
    if clean and strategy.name in FIXED:
        said.append(FIXED[strategy.name])
    elif clean and not own:
        said.append(
            f"{count(runs, 'run')} without a failure: with 95 % confidence fewer than"
            f" {share_below(runs):.2%} of the runs that this search draws fail"
        )
    return tuple(said)


def _bounds(strategy: Strategy) -> Iterator[str]:
    for part in dict.fromkeys((strategy, *strategy.parts)):
        lanes, decisions, depth = part.lanes, part.horizon, part.depth
        if depth is None or not lanes or not decisions:
            continue
        bound = pct_bound(lanes=lanes, decisions=decisions, depth=depth)
        needed = runs_for(bound)
        yield (
            f"{part.name}: n = {count(lanes, 'lane')}, k = {count(decisions, 'decision')},"
            f" d = {depth}: a run finds a bug of depth {depth} with probability {bound:.3g} or"
            f" better; {count(needed, 'run')} {'finds' if needed == 1 else 'find'} it with 95 %"
        )
