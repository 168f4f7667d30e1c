"""Own the words in which checks speak of operations, and the reason that lock holds give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history import History, Operation

__all__ = ["judged", "longest_hold", "named", "nothing_to_judge", "operations_of", "some"]

NAMED_MAX = 8


def operations_of(history: History, step: str | list[str] | None) -> list[Operation]:
    """Select the operations of a step, of several, or all."""
    steps = [step] if isinstance(step, str) else step
    return [one for one in history.operations if steps is None or one.step in steps]


def named(operation: Operation) -> str:
    """Name an operation for a person: step, user, task."""
    whose = f" of {operation.user}" if operation.user else ""
    return f"{operation.step}{whose} ({operation.task})"


def some(items: Iterable[str]) -> tuple[str, ...]:
    """Keep the first few names, and say how many more there are."""
    every = list(items)
    more = len(every) - NAMED_MAX
    return tuple(every[:NAMED_MAX] + ([f"and {more} more"] if more > 0 else []))


def judged(
    name: str,
    holds: bool,  # noqa: FBT001 - reads as "judged, holds or not"
    *,
    expected: str,
    seen: str,
    involved: Sequence[str] = (),
    why: str | None = None,
) -> CheckResult:
    """Make a PASSED or a FAILED; a reason is kept only with a FAILED."""
    return CheckResult(
        name=name,
        verdict=Verdict.PASSED if holds else Verdict.FAILED,
        expected=expected,
        seen=seen,
        involved=some(involved),
        why=None if holds else why,
    )


def nothing_to_judge(name: str, *, expected: str, seen: str) -> CheckResult:
    """Make an UNKNOWN: the history holds nothing that the check could look at."""
    return CheckResult(name=name, verdict=Verdict.UNKNOWN, expected=expected, seen=seen)


def longest_hold(history: History, *, share: float = 0.1) -> str | None:
    """Name the lock that was held longest, if for at least ``share`` of the run."""
    held = [one for one in history.lock_holds if one.end_s is not None]
    if not held:
        return None
    longest = max(held, key=lambda one: (one.end_s or 0.0) - one.begin_s)
    length_s = (longest.end_s or 0.0) - longest.begin_s
    if length_s < share * history.end_s:
        return None
    across = f", across {longest.across}" if longest.across else ""
    return (
        f"{longest.lock} was held for {length_s:.3f} s of {history.end_s:.3f} s by"
        f" {longest.task}, taken at {longest.where}{across}"
    )
