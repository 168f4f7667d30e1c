"""Own the claim that every operation ends: nothing waits in a ring, or for what never comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.history import Outcome

if TYPE_CHECKING:
    from harness.history import Diagnosis, History
    from harness.verdict import CheckResult

__all__ = ["NoDeadlock", "describe", "no_deadlock"]


class NoDeadlock(Parameters):
    """Every operation ends within ``within_s`` seconds (virtual when simulated)."""

    within_s: float = Field(default=30, gt=0, le=86_400, description="seconds for an operation")


def no_deadlock(history: History, parameters: NoDeadlock) -> CheckResult:
    """Fail on a deadlock, and on an operation that outlasts its deadline."""
    expected = f"every operation to end within {parameters.within_s:g} s"
    if not history.operations:
        return nothing_to_judge("no_deadlock", expected=expected, seen="no operation at all")
    late = [
        one
        for one in history.operations
        if one.outcome is Outcome.UNFINISHED or (one.duration_s or 0.0) > parameters.within_s
    ]
    stuck = history.deadlock is not None
    return judged(
        "no_deadlock",
        not late and not stuck,
        expected=expected,
        seen=f"{len(late)} of {len(history.operations)} unfinished or late"
        + (f", a deadlock at {history.deadlock.at_s:.3f} s" if history.deadlock else ""),
        involved=[named(one) for one in late],
        why=describe(history.deadlock) if history.deadlock else None,
    )


def describe(diagnosis: Diagnosis) -> str:
    """Say in one sentence who waits for whom; the whole list is the report's to tell."""
    if diagnosis.cycle:
        return f"in a ring: {' -> '.join((*diagnosis.cycle, diagnosis.cycle[0]))}"
    if not diagnosis.blocked:
        return "nobody waits for anything that is known"
    # A wake-up that was lost is the cause; that others wait, too, often its effect.
    lost = [one for one in diagnosis.blocked if (one.reason or "").startswith("lost wake-up")]
    first = (lost or diagnosis.blocked)[0]
    held = f", held by {', '.join(first.holders)}" if first.holders else ""
    more = len(diagnosis.blocked) - 1
    why = f"; {first.reason}" if first.reason else ""
    return f"{first.task} waits for {first.waits_for} at {first.where}{held}{why}" + (
        f"; {more} more wait" if more and why else f", and {more} more wait" if more else ""
    )
