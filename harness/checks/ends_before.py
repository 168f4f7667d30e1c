"""The check that a fast operation ends while a slow one is parked or still under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from harness.checks.findings import (
    doubtful,
    judged,
    longest_hold,
    named,
    nothing_to_judge,
    operations_of,
)
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "EndsBefore", "ends_before"]


class EndsBefore(Parameters):
    """Every ``first`` begins and ends while every ``then`` is under way."""

    first: str = Field(description="the id of the fast step", json_schema_extra=STEP)
    then: str = Field(description="the id of the slow step", json_schema_extra=STEP)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.first == self.then:
            raise ValueError("first and then must name two steps")
        return self


def ends_before(history: History, parameters: EndsBefore) -> CheckResult:
    """Fail where the fast operation outlasted the slow one, or began before it.

    UNKNOWN without the expected ends: a listing that fails at once, or a creation that hangs for
    another reason, does not show who waits for whom.
    """
    expected = f"{parameters.first} to end while {parameters.then} is still under way"
    fast = operations_of(history, parameters.first)
    slow = operations_of(history, parameters.then)
    if not fast or not slow:
        return nothing_to_judge(
            "ends_before",
            expected=expected,
            seen=f"{len(fast)} fast and {len(slow)} slow operations",
        )
    findings = [
        finding for one in fast for other in slow if (finding := _blocked(one, other)) is not None
    ]
    return judged(
        "ends_before",
        not findings,
        expected=expected,
        seen=findings[0] if findings else _apart(fast, slow),
        involved=findings,
        why=longest_hold(history),
        doubts=doubtful([*fast, *slow]),
    )


def _blocked(fast: Operation, slow: Operation) -> str | None:
    if fast.end_s is None:
        return f"{named(fast)} did not end"
    if fast.begin_s < slow.begin_s:
        return f"{named(fast)} began before {named(slow)}: the two did not meet"
    if slow.end_s is None or fast.end_s < slow.end_s or _ended_while_parked(fast.end_s, slow):
        return None
    return f"{named(fast)} ended at {fast.end_s:.3f} s, {named(slow)} at {slow.end_s:.3f} s"


def _ended_while_parked(end_s: float, slow: Operation) -> bool:
    """Say whether the end came while ``slow`` was parked; it may have been released by that end."""
    return any(parked_s <= end_s <= released_s for parked_s, released_s in slow.parked)


def _apart(fast: list[Operation], slow: list[Operation]) -> str:
    last_s = max(one.end_s or 0.0 for one in fast)
    ends = [one.end_s for one in slow if one.end_s is not None]
    then = f"at {min(ends):.3f} s" if ends else "not at all"
    return f"{len(fast)} ended by {last_s:.3f} s, the slow ones {then}"


KIND = CheckKind(
    name="ends_before", parameters=EndsBefore, check=ends_before, timed=True, faultless=True
)
