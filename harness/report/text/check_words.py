"""What is worth saying of a check's result beside the other results: nothing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.checks import outcomes
from harness.history.wait_words import describe
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harness.history.records import Diagnosis
    from harness.results.verdict import CheckResult

__all__ = ["involved", "named_by_outcomes", "reasons"]

_REST = re.compile(r"and \d+ more")


def named_by_outcomes(checks: Iterable[CheckResult]) -> frozenset[str]:
    """Name the operations of which a failed ``outcomes`` says how they ended."""
    return frozenset(
        _name(one)
        for check in checks
        if check.name == outcomes.NAME and check.verdict is Verdict.FAILED
        for one in check.involved
    )


def involved(check: CheckResult, elsewhere: Collection[str] = ()) -> list[str]:
    """List who was involved, without the name that ``seen`` ends with and ``elsewhere`` named ones.

    An operation is listed by its name alone, or with how it ended where that leaves a doubt.
    """
    if all(one in check.seen for one in check.involved):
        return []
    left = list(check.involved[check.seen.endswith(check.involved[0]) :])
    if check.name != outcomes.NAME:
        unknown = check.verdict is Verdict.UNKNOWN
        left = [
            one for one in left if not (_name(one) in elsewhere and (unknown or one == _name(one)))
        ]
    return [] if all(_REST.fullmatch(one) for one in left) else left


def reasons(
    checks: Iterable[CheckResult], shown: str, deadlock: Diagnosis | None
) -> list[tuple[str, str]]:
    """List each reason once, with the names of its checks; without those that ``shown`` has in it.

    The list of who is blocked follows, and begins with the wait that a deadlock's reason is.
    """
    if deadlock is not None and not deadlock.cycle:
        shown = f"{shown}\n{describe(deadlock)}"
    names: dict[str, list[str]] = {}
    for check in checks:
        if check.why is not None and check.why not in shown:
            names.setdefault(check.why, []).append(check.name)
    return [(", ".join(dict.fromkeys(of)), why) for why, of in names.items()]


def _name(one: str) -> str:
    return one.partition(": ")[0]
