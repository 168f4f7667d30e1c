"""The claim that conditions of the system hold at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.each_condition import judged_each, why_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Eventually", "eventually"]


class Eventually(Parameters):
    """Each condition holds at the end, when all phases are over and all is quiet."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")
    within_s: float = Field(
        default=0.0, ge=0, description="seconds that it has for that after the last phase"
    )


def eventually(history: History, parameters: Eventually) -> CheckResult:
    """Fail on a condition that does not hold at the end; UNKNOWN if the run never ended."""
    return judged_each(
        "eventually",
        history,
        parameters.of,
        when="at the end",
        known=lambda one: one.held_at_end is not None,
        holds=lambda one: one.held_at_end is True,
        broken=lambda one: f"{one.name} does not at {history.end_s:.3f} s{why_of(one.end_reason)}",
    )


KIND = CheckKind(name="eventually", parameters=Eventually, check=eventually)
