"""The check that every operation ended as its step says: success unless it says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.history.ends import as_expected, ended, wanted

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["NAME", "Outcomes", "outcomes"]

NAME = "outcomes"


class Outcomes(Parameters):
    """Takes no parameters: each step's ``expect`` says what is right."""


def outcomes(history: History, parameters: Outcomes) -> CheckResult:  # noqa: ARG001
    """Fail on an operation that succeeded, failed or was cancelled against its step's word."""
    expected = "every operation to end as its step expects"
    if not history.operations:
        return nothing_to_judge("outcomes", expected=expected, seen="no operation at all")
    wrong = [one for one in history.operations if not as_expected(one)]
    return judged(
        "outcomes",
        not wrong,
        expected=expected,
        seen=f"{len(history.operations) - len(wrong)} of {len(history.operations)} did",
        involved=[f"{named(one)}: expected {wanted(one)}, {ended(one)}" for one in wrong],
        why=ended(wrong[0]) if wrong else None,
    )
