"""The claim that conditions of the system hold at some moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.each_condition import judged_each, why_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Sometimes", "sometimes"]


class Sometimes(Parameters):
    """Each condition holds at one moment at least of those at which it was evaluated."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")


def sometimes(history: History, parameters: Sometimes) -> CheckResult:
    """Fail on a condition that never held in a run that ended; UNKNOWN if the run did not."""
    return judged_each(
        "sometimes",
        history,
        parameters.of,
        when="at one moment at least",
        known=lambda one: one.first_held_s is not None or one.held_at_end is not None,
        holds=lambda one: one.first_held_s is not None,
        broken=lambda one: f"{one.name} never held in {one.moments} moments{why_of(one.reason)}",
    )


# A fault or another order in a search may keep a condition from ever holding.
KIND = CheckKind(
    name="sometimes", parameters=Sometimes, check=sometimes, timed=True, faultless=True
)
