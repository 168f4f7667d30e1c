"""How an operation ended, beside the end that its step expects."""

from __future__ import annotations

from harness.history.records import Operation, Outcome

__all__ = ["against_expected", "as_expected", "ended", "raised_as_expected", "wanted"]


def as_expected(operation: Operation) -> bool:
    """Return True if an operation ended as its step expects."""
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


def raised_as_expected(operation: Operation) -> bool:
    """Return True if an operation raised, and its step asks for that error or takes any end."""
    return operation.outcome is Outcome.RAISED and as_expected(operation)


def against_expected(operation: Operation) -> str:
    """Say what follows the word of an end: `` as expected``, ``, expected NodeUnreachable``.

    Nothing follows where an operation that should return did, or has yet to, or failed to.
    """
    if as_expected(operation):
        return "" if operation.outcome is Outcome.RETURNED else " as expected"
    if wanted(operation) == "success" or operation.outcome is Outcome.UNFINISHED:
        return ""
    return f", expected {wanted(operation)}"


def ended(operation: Operation) -> str:
    """Say how an operation ended, with its error and the error's causes."""
    if operation.error is None:
        return operation.outcome.value
    chain = "".join(f" <- {cause}" for cause in operation.error.chain)
    return f"{operation.outcome.value} {operation.error.type}: {operation.error.message}{chain}"
