"""Own the comparison of how an operation ended with what its step expects."""

from __future__ import annotations

from harness.history.records import Operation, Outcome

__all__ = ["as_expected", "ended", "wanted"]


def as_expected(operation: Operation) -> bool:
    """Compare how an operation ended with what its step expects."""
    word = wanted(operation)
    if word == "any":
        return operation.outcome in (Outcome.RETURNED, Outcome.RAISED)
    if word == "success":
        return operation.outcome is Outcome.RETURNED
    if word == "cancelled":
        return operation.outcome is Outcome.CANCELLED
    error = operation.error
    return (
        operation.outcome is Outcome.RAISED
        and error is not None
        and word in (error.type, *error.bases)
    )


def wanted(operation: Operation) -> str:
    """Say what the step expects: "success", "any", "cancelled", or the class of an error."""
    return operation.expected_error or "success"


def ended(operation: Operation) -> str:
    """Say how an operation ended, with its error and the error's causes."""
    if operation.error is None:
        return operation.outcome.value
    chain = "".join(f" <- {cause}" for cause in operation.error.chain)
    return f"{operation.outcome.value} {operation.error.type}: {operation.error.message}{chain}"
