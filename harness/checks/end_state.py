"""The check that the system's own audit finds nothing wrong once all is quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Parameters

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "EndState", "end_state", "is_judgeable"]


class EndState(Parameters):
    """No parameters; a system without an ``audit`` is not judged."""


def end_state(history: History, parameters: EndState) -> CheckResult:  # noqa: ARG001
    """Fail on any finding of the audit."""
    expected = "an end-state audit without findings"
    if history.audit is None:
        return nothing_to_judge("end_state", expected=expected, seen="no audit was made")
    return judged(
        "end_state",
        not history.audit,
        expected=expected,
        seen=f"{len(history.audit)} findings" if history.audit else "no findings",
        involved=history.audit,
        why=history.audit[0] if history.audit else None,
    )


def is_judgeable(history: History) -> bool:
    """Return False for a system without an audit, unless the run ended before it."""
    return history.audit is not None or history.deadlock is not None


KIND = CheckKind(
    name="end_state",
    parameters=EndState,
    check=end_state,
    is_judgeable=is_judgeable,
)
