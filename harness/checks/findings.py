"""The words in which checks describe operations, and the making of their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.ends import as_expected, ended
from harness.results.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history.records import History, LockHold, Operation

__all__ = [
    "doubtful",
    "judged",
    "longest_hold",
    "named",
    "nothing_to_judge",
    "operations_of",
    "some",
]

NAMED_MAX = 8


def operations_of(history: History, step: str | list[str] | None) -> list[Operation]:
    """Select the operations of a step, of several steps, or of all."""
    steps = [step] if isinstance(step, str) else step
    return [one for one in history.operations if steps is None or one.step in steps]


def doubtful(operations: Iterable[Operation]) -> list[Operation]:
    """Select the operations without their expected end: they prove nothing."""
    return [one for one in operations if not as_expected(one)]


def named(operation: Operation) -> str:
    """Name an operation by its step, user and task."""
    whose = f" of {operation.user}" if operation.user else ""
    return f"{operation.step}{whose} ({operation.task})"


def some(items: Iterable[str]) -> tuple[str, ...]:
    """Keep the first ``NAMED_MAX`` names, and say how many more there are."""
    every = list(items)
    more = len(every) - NAMED_MAX
    return tuple(every[:NAMED_MAX] + ([f"and {more} more"] if more > 0 else []))


def judged(
    name: str,
    holds: bool,
    *,
    expected: str,
    seen: str,
    involved: Sequence[str] = (),
    why: str | None = None,
    doubts: Sequence[Operation] = (),
) -> CheckResult:
    """Make a result: FAILED, PASSED, or UNKNOWN if it holds but ``doubts`` remain.

    The reason ``why`` is kept only with FAILED.
    """
    if holds and doubts:
        return CheckResult(
            name=name,
            verdict=Verdict.UNKNOWN,
            expected=expected,
            seen=f"{seen}; but {len(doubts)} did not end as their step expects",
            involved=some(f"{named(one)}: {ended(one)}" for one in doubts),
        )
    return CheckResult(
        name=name,
        verdict=Verdict.PASSED if holds else Verdict.FAILED,
        expected=expected,
        seen=seen,
        involved=some(involved),
        why=None if holds else why,
    )


def nothing_to_judge(
    name: str, *, expected: str, seen: str, involved: Sequence[str] = ()
) -> CheckResult:
    """Make an UNKNOWN: the history holds nothing that the check could judge."""
    return CheckResult(
        name=name, verdict=Verdict.UNKNOWN, expected=expected, seen=seen, involved=some(involved)
    )


def longest_hold(history: History, *, share: float = 0.1) -> str | None:
    """Name the lock that was held longest, if for at least ``share`` of the run.

    A lock that was never released counts as held until the end of the run.
    """
    if not history.lock_holds:
        return None

    def length_s(hold: LockHold) -> float:
        return (history.end_s if hold.end_s is None else hold.end_s) - hold.begin_s

    longest = max(history.lock_holds, key=length_s)
    if length_s(longest) <= 0 or length_s(longest) < share * history.end_s:
        return None
    across = f", across {longest.across}" if longest.across else ""
    return (
        f"{longest.lock} was held for {length_s(longest):.3f} s of {history.end_s:.3f} s by"
        f" {longest.task}, taken at {longest.where}{across}"
    )
