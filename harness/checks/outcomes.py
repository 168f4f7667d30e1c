"""Own the claim that every operation ended as its step says: success unless it says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.history import Operation, Outcome

if TYPE_CHECKING:
    from harness.history import History
    from harness.verdict import CheckResult

__all__ = ["Outcomes", "as_expected", "outcomes"]


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
        involved=[f"{named(one)}: expected {_wanted(one)}, {_ended(one)}" for one in wrong],
        why=_ended(wrong[0]) if wrong else None,
    )


def as_expected(operation: Operation) -> bool:
    """Compare how an operation ended with what its step expects."""
    wanted = _wanted(operation)
    if wanted == "any":
        return operation.outcome in (Outcome.RETURNED, Outcome.RAISED)
    if wanted == "success":
        return operation.outcome is Outcome.RETURNED
    if wanted == "cancelled":
        return operation.outcome is Outcome.CANCELLED
    error = operation.error
    return (
        operation.outcome is Outcome.RAISED
        and error is not None
        and wanted in (error.type, *error.bases)
    )


def _wanted(operation: Operation) -> str:
    return operation.expected_error or "success"


def _ended(operation: Operation) -> str:
    if operation.error is None:
        return operation.outcome.value
    chain = "".join(f" <- {cause}" for cause in operation.error.chain)
    return f"{operation.outcome.value} {operation.error.type}: {operation.error.message}{chain}"
