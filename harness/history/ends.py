"""The end of an operation, compared with its step's expected end."""

from __future__ import annotations

from harness.history.records import Operation, Outcome

__all__ = ["against_expected", "as_expected", "ended", "raised_as_expected", "wanted"]

# Ends that are mistakes of the code, so not even "any" expects them; by their own class, since
# FrozenInstanceError is an AttributeError that a service may well mean.
MISTAKES = frozenset({"NameError", "UnboundLocalError", "AttributeError", "NotAwaited"})


def as_expected(operation: Operation) -> bool:
    """Return True if an operation had its expected end."""
    word = wanted(operation)
    if word == "any":
        mistaken = operation.error is not None and operation.error.type in MISTAKES
        return operation.outcome in (Outcome.RETURNED, Outcome.RAISED) and not mistaken
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
    """Return the expected end: "success", "any", "cancelled", or the class of an error."""
    return operation.expected_error or "success"


def raised_as_expected(operation: Operation) -> bool:
    """Return True if an operation raised, as its step expects."""
    return operation.outcome is Outcome.RAISED and as_expected(operation)


def against_expected(operation: Operation) -> str:
    """Return the words after an end: `` as expected``, ``, expected NodeUnreachable``, or nothing.

    Nothing follows where success was expected, or where an expected error is still to come.
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
