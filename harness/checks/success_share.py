"""The check that at least a share of a step's operations succeeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SuccessShare", "success_share"]


class SuccessShare(Parameters):
    """At least ``at_least`` (0 to 1) of the operations of the step ``of`` return."""

    of: str | None = Field(
        default=None, description="the id of a step; default: every step", json_schema_extra=STEP
    )
    at_least: float = Field(default=1.0, gt=0, le=1, description="share, over 0 and up to 1")


def success_share(history: History, parameters: SuccessShare) -> CheckResult:
    """Count the successes."""
    what = parameters.of or "all operations"
    expected = f"at least {parameters.at_least * 100:g} % of {what} to succeed"
    every = operations_of(history, parameters.of)
    if not every:
        return nothing_to_judge("success_share", expected=expected, seen="no operation")
    failed = [one for one in every if not one.succeeded]
    done = len(every) - len(failed)
    return judged(
        "success_share",
        # A written share and a quotient round alike; a product may not.
        done / len(every) >= parameters.at_least,
        expected=expected,
        seen=f"{done} of {len(every)}",
        involved=[
            f"{named(one)}: {one.error.type if one.error else one.outcome.value}" for one in failed
        ],
    )


KIND = CheckKind(name="success_share", parameters=SuccessShare, check=success_share, faultless=True)
