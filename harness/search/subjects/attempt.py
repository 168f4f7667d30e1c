"""What the search keeps of one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.history.records import Diagnosis
    from harness.results.runs import RunResult

__all__ = ["Attempt", "Failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a run failed. Failures with one ``cause`` are the same failure, found in other orders."""

    cause: str
    headline: str
    lines: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One run of a search.

    ``picks`` repeat it exactly, as long as all else is as it was. ``order`` identifies its order:
    equal orders are the same schedule. ``partial`` identifies its order up to what nobody can tell
    apart, and ``interleaved`` are the pairs of source lines of which one task stood at the first
    while another went on at the second; both are only known where runs are looked at so closely.
    ``unknown`` says why the run proves nothing, if it does not; ``limited`` that it was ended at a
    limit, ``out_of_time`` that the time of the whole search was over. ``unreached`` are the points,
    faults and parks that it did not come to, None where there are none. ``alone``: at no time were
    two things on their way from outside, so what comes next is not a question of their latencies.
    ``system_order`` is the order without the steps of the harness, where it takes some itself.
    """

    seed: int
    picks: list[int]
    order: bytes
    steps: int
    virtual_s: float
    failure: Failure | None
    partial: bytes | None = None
    interleaved: frozenset[tuple[str, str]] = frozenset()
    unknown: str | None = None
    limited: bool = False
    out_of_time: bool = False
    result: RunResult | None = None
    new_order: bool = field(default=True)
    unreached: frozenset[str] | None = None
    alone: bool = False
    system_order: bytes | None = None

    @property
    def has_no_other(self) -> bool:
        """True if nothing was to be chosen, and no other latency would change that."""
        return self.alone and not self.picks
