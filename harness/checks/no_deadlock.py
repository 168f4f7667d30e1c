"""The claim that every operation ends: no task waits in a cycle or for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Parameters
from harness.history.records import Outcome
from harness.history.wait_words import describe

if TYPE_CHECKING:
    from harness.history.records import Diagnosis, History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "NAME", "NoDeadlock", "no_deadlock", "under_faults"]
NAME = "no_deadlock"


class NoDeadlock(Parameters):
    """Every operation ends within ``within_s`` seconds (virtual when simulated)."""

    within_s: float = Field(default=30, gt=0, le=86_400, description="seconds for an operation")


def no_deadlock(history: History, parameters: NoDeadlock) -> CheckResult:
    """Fail on a deadlock, and on an operation that outlasts its deadline."""
    expected = f"every operation to end within {parameters.within_s:g} s"
    if not history.operations:
        return nothing_to_judge(NAME, expected=expected, seen="no operation at all")
    late = [
        one
        for one in history.operations
        if one.outcome is Outcome.UNFINISHED or (one.duration_s or 0.0) > parameters.within_s
    ]
    stuck = history.deadlock is not None
    return judged(
        NAME,
        not late and not stuck,
        expected=expected,
        seen=f"{len(late)} of {len(history.operations)} unfinished or late"
        + (f", {_stop(history.deadlock)}" if history.deadlock else ""),
        involved=[named(one) for one in late],
        why=describe(history.deadlock) if history.deadlock else None,
    )


def _stop(diagnosis: Diagnosis) -> str:
    """Call it a deadlock only if nothing will end it; else time was up, and it may only be slow."""
    what = "a deadlock" if diagnosis.exact or diagnosis.cycle else "given up"
    return f"{what} at {diagnosis.at_s:.3f} s"


def under_faults(parameters: NoDeadlock, within_s: float) -> NoDeadlock:
    """Allow operations more time: only the service's deadlines, which may be long, end a hang."""
    return parameters.model_copy(update={"within_s": within_s})


KIND = CheckKind(
    name=NAME,
    parameters=NoDeadlock,
    check=no_deadlock,
    under_faults=under_faults,
)
