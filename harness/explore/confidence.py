"""Own how sure a search makes one: the bound of PCT, and what a clean campaign says."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.explore.strategies import Strategy

__all__ = ["pct_bound", "runs_for", "sentences", "share_below"]

CONFIDENCE = 0.95


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


def sentences(strategy: Strategy, *, runs: int, failures: int) -> tuple[str, ...]:
    """Say in words what the search guarantees."""
    said = list(_of_its_own(strategy))
    for part in dict.fromkeys((strategy, *getattr(strategy, "parts", ()))):
        lanes, decisions = getattr(part, "lanes", 0), getattr(part, "horizon", 0)
        depth = getattr(part, "depth", None)
        if depth is not None and lanes and decisions:
            bound = pct_bound(lanes=lanes, decisions=decisions, depth=depth)
            said.append(
                f"{part.name}: n = {lanes} lanes, k = {decisions} decisions, d = {depth}: a run"
                f" finds a bug of depth {depth} with probability {bound:.3g} or better;"
                f" {runs_for(bound):,} runs find it with 95 %"
            )
    if failures == 0 and runs and not getattr(strategy, "bound", None) and not _said_proof(said):
        said.append(
            f"{runs:,} runs without a failure: with 95 % confidence fewer than"
            f" {share_below(runs):.2%} of the runs that this search draws fail"
        )
    return tuple(said)


def _said_proof(said: list[str]) -> bool:
    """Return True if one of the sentences says that every order was run."""
    return any("all " in one and "distinct orders" in one for one in said)


def _of_its_own(strategy: Strategy) -> tuple[str, ...]:
    own = getattr(strategy, "sentences", None)
    return tuple(own()) if callable(own) else ()
