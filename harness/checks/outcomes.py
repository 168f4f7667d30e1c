"""The check that every operation had its step's expected end, which is success by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Parameters
from harness.history.ends import as_expected, ended, wanted
from harness.history.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "NAME", "Outcomes", "outcomes"]

NAME = "outcomes"


class Outcomes(Parameters):
    """No parameters: each step's ``expect`` names its expected end."""


def outcomes(history: History, parameters: Outcomes) -> CheckResult:  # noqa: ARG001
    """Fail on an operation that did not have its step's expected end."""
    expected = "every operation to end as its step expects"
    if not history.operations:
        return nothing_to_judge("outcomes", expected=expected, seen="no operation at all")
    if _tells_nothing(history.operations):
        told = f'none of {len(history.operations)} returned, which "any" allows'
        return nothing_to_judge("outcomes", expected=expected, seen=f"{told}: nothing worked")
    wrong = [one for one in history.operations if not as_expected(one)]
    return judged(
        "outcomes",
        not wrong,
        expected=expected,
        seen=f"{len(history.operations) - len(wrong)} of {len(history.operations)} did",
        involved=[f"{named(one)}: expected {wanted(one)}, {ended(one)}" for one in wrong],
        why=ended(wrong[0]) if wrong else None,
    )


def _tells_nothing(operations: Sequence[Operation]) -> bool:
    """Whether all raised, and "any" allows it of one: then nobody knows whether anything works."""
    return (
        all(one.outcome is Outcome.RAISED for one in operations)
        and all(map(as_expected, operations))
        and any(wanted(one) == "any" for one in operations)
    )


KIND = CheckKind(name=NAME, parameters=Outcomes, check=outcomes, faultless=True)
