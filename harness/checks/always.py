"""The claim that conditions of the system hold at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.each_condition import judged_each, why_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history.records import ConditionRecord, History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Always", "always"]


class Always(Parameters):
    """Each condition holds at every moment at which it was evaluated."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")


def always(history: History, parameters: Always) -> CheckResult:
    """Fail on a condition that was ever false, or raised; UNKNOWN if none was evaluated."""
    return judged_each(
        "always",
        history,
        parameters.of,
        when="at every moment",
        known=lambda one: one.first_broken_s is not None or one.moments > 0,
        holds=lambda one: one.first_broken_s is None,
        broken=_first_broken,
    )


def _first_broken(one: ConditionRecord) -> str:
    return f"{one.name} did not at {one.first_broken_s:.3f} s{why_of(one.reason)}"


KIND = CheckKind(name="always", parameters=Always, check=always)
