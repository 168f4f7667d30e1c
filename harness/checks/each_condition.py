"""The verdict over the records of several conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import judged, nothing_to_judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.history.records import ConditionRecord, History
    from harness.results.verdict import CheckResult

__all__ = ["judged_each", "why_of"]


def judged_each(
    name: str,
    history: History,
    wanted: list[str],
    *,
    when: str,
    known: Callable[[ConditionRecord], bool],
    holds: Callable[[ConditionRecord], bool],
    broken: Callable[[ConditionRecord], str],
) -> CheckResult:
    """Judge each named condition by its record: failed before unknown, unknown before passed.

    ``known`` says whether a record can be judged, ``holds`` whether the claim is true of it, and
    ``broken`` says in words why it is not.
    """
    expected = f"{', '.join(wanted)} to hold {when}"
    records = {one.name: one for one in history.conditions}
    mine = [records[one] for one in wanted if one in records]
    findings = [f"{one.name} raised {one.error}" for one in mine if one.error is not None]
    findings += [broken(one) for one in mine if not one.error and known(one) and not holds(one)]
    if findings:
        return judged(name, False, expected=expected, seen=findings[0], involved=findings)
    unknown = [one for one in wanted if one not in records or not known(records[one])]
    if unknown:
        seen = f"too little of {', '.join(unknown)}: the run ended before"
        return nothing_to_judge(name, expected=expected, seen=seen)
    moments = max(one.moments for one in mine)
    return judged(name, True, expected=expected, seen=f"so in {moments} moments looked at")


def why_of(reason: str | None) -> str:
    """Return a colon and the reason that a condition gave."""
    return f": {reason}" if reason else ""
