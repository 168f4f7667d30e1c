"""Own the claim that a closed system leaves nothing behind: no task, and no coroutine unawaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history import History, Leak
    from harness.verdict import CheckResult

__all__ = ["NoLeaks", "no_leaks"]


class NoLeaks(Parameters):
    """What the system started has ended, or is being cancelled, once it is closed."""

    excepted: Names = Field(
        default_factory=list,
        alias="except",
        description="names of tasks, and of functions of coroutines, that may stay",
    )


def no_leaks(history: History, parameters: NoLeaks) -> CheckResult:
    """Fail on a task that outlives its system, and on a coroutine that nobody awaited."""
    expected = "no task left when the system has been closed, and every coroutine awaited"
    if history.leaks is None:
        return nothing_to_judge("no_leaks", expected=expected, seen="a system that never closed")
    left = [one for one in history.leaks if one.name not in parameters.excepted]
    tasks = sum(one.kind == "task" for one in left)
    return judged(
        "no_leaks",
        not left,
        expected=expected,
        seen=f"{tasks} left and {len(left) - tasks} never awaited: {_told(left[0])}"
        if left
        else "nothing left",
        involved=[_told(one) for one in left],
    )


def _told(leak: Leak) -> str:
    if leak.kind == "task":
        return f"task {leak.name}, made at {leak.made_at}, stands at {leak.where}"
    return f"coroutine {leak.name} ({leak.where}) was never awaited at {leak.made_at}"
