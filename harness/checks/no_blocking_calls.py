"""The check that nothing blocks the loop's thread: no file, SQLite, process, or long work."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from harness.history.records import BlockingCall, History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "NoBlockingCalls", "no_blocking_calls"]


class NoBlockingCalls(Parameters):
    """No call on the loop's thread blocks, such as one that opens a file or asks SQLite.

    When live, no turn of the loop takes longer than ``lag_ms`` either, whatever it does.
    """

    allow: Names = Field(
        default_factory=list,
        description="calls (sqlite3.connect), files opened, or places (serve/store/storage_lock.py)"
        " that may; * stands for anything",
    )
    lag_ms: float = Field(
        default=250, gt=0, le=86_400_000, description="the longest turn of a real loop"
    )


def no_blocking_calls(history: History, parameters: NoBlockingCalls) -> CheckResult:
    """Fail on a call that blocks the loop, and on a real loop that lagged for too long."""
    expected = "no blocking call on the loop's thread"
    if history.blocking_calls is None or not any(one.succeeded for one in history.operations):
        seen = "nothing: nobody looked, or no operation succeeded"
        return nothing_to_judge("no_blocking_calls", expected=expected, seen=seen)
    calls = [one for one in history.blocking_calls if not _allowed(one, parameters.allow)]
    lags = [one for one in history.loop_lags if one.lag_s * 1e3 > parameters.lag_ms]
    found = [_described(one) for one in calls] + [
        f"no turn of the loop for {one.lag_s * 1e3:.0f} ms at {one.at_s:.3f} s, at {one.where}"
        for one in sorted(lags, key=lambda one: -one.lag_s)
    ]
    return judged(
        "no_blocking_calls",
        not found,
        expected=expected,
        seen=f"{len(calls)} lines that block and {len(lags)} long turns: {found[0]}"
        if found
        else "none",
        involved=found,
    )


def _allowed(call: BlockingCall, allow: list[str]) -> bool:
    path = call.where.partition(":")[0]
    names = (call.what, call.subject, path, call.where.rpartition(" in ")[2])
    return any(fnmatchcase(name, pattern) for pattern in allow for name in names)


def _described(call: BlockingCall) -> str:
    times = f", {call.count} times" if call.count > 1 else ""
    return f"{call.what}({call.subject!r}) at {call.where}, {call.at_s:.3f} s{times}"


KIND = CheckKind(name="no_blocking_calls", parameters=NoBlockingCalls, check=no_blocking_calls)
