"""The words of a check's result that the other results have not said already."""

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
    """Name the operations whose end a failed ``outcomes`` check already describes."""
    return frozenset(
        _name(one)
        for check in checks
        if check.name == outcomes.NAME and check.verdict is Verdict.FAILED
        for one in check.involved
    )


def involved(check: CheckResult, elsewhere: Collection[str] = ()) -> list[str]:
    """List who was involved, without names that ``seen`` ends with or that ``elsewhere`` holds.

    An operation is listed by its name alone, or with its end where that leaves a doubt.
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
    """List each reason once, with the names of its checks, without reasons that ``shown`` holds.

    A deadlock's first wait is left out too: the list of waits, which follows, begins with it.
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
