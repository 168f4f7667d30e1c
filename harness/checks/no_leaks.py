"""The check that a closed system leaves no task, no unawaited coroutine and no held lock."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history.records import History, Leak
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "NoLeaks", "is_judgeable", "no_leaks"]


class NoLeaks(Parameters):
    """Once the system is closed, all that it started has ended or is being cancelled."""

    excepted: Names = Field(
        default_factory=list,
        alias="except",
        description="names of tasks, of functions of coroutines, and of locks, that may stay",
    )


def no_leaks(history: History, parameters: NoLeaks) -> CheckResult:
    """Fail on a task that outlives its system, an unawaited coroutine, or a lock still held."""
    expected = (
        "no task left when the system has been closed, every coroutine awaited,"
        " and every lock given back"
    )
    if history.leaks is None:
        return nothing_to_judge("no_leaks", expected=expected, seen="a system that never closed")
    left = [one for one in history.leaks if one.name not in parameters.excepted]
    return judged(
        "no_leaks",
        not left,
        expected=expected,
        seen=f"{_counted(left)}: {_described(left[0])}" if left else "nothing left",
        involved=[_described(one) for one in left],
    )


def _counted(left: list[Leak]) -> str:
    counts = Counter(one.kind for one in left)
    tasks, coroutines = counts["task"], counts["coroutine"]
    held = len(left) - tasks - coroutines
    message = f"{tasks} left and {coroutines} never awaited" if tasks or coroutines else ""
    return ", ".join(filter(None, (message, f"{held} never given back" if held else "")))


def _described(leak: Leak) -> str:
    if leak.kind == "task":
        return f"task {leak.name}, made at {leak.made_at}, stands at {leak.where}"
    if leak.kind == "coroutine":
        return f"coroutine {leak.name} ({leak.where}) was never awaited at {leak.made_at}"
    what = "lock" if leak.kind == "lock" else "permit of"
    return f"{what} {leak.name} was taken at {leak.made_at} by {leak.where} and never gave it back"


def is_judgeable(history: History) -> bool:
    """Return False for a system that was never closed: the check ``run`` fails on that."""
    return history.leaks is not None


KIND = CheckKind(
    name="no_leaks",
    parameters=NoLeaks,
    check=no_leaks,
    is_judgeable=is_judgeable,
)
