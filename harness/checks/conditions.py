"""Own the claims about conditions of the system: at every moment, at the end, or at some moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.parameters import Names, Parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.history.records import ConditionRecord, History
    from harness.results.verdict import CheckResult

__all__ = ["Always", "Eventually", "Sometimes", "always", "eventually", "sometimes"]


class Always(Parameters):
    """Each condition holds at every moment at which it was looked at."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")


class Eventually(Parameters):
    """Each condition holds at the end, when all phases are over and all is quiet."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")
    within_s: float = Field(
        default=0.0, ge=0, description="seconds that it has for that after the last phase"
    )


class Sometimes(Parameters):
    """Each condition holds at one moment at least at which it was looked at."""

    of: Names = Field(min_length=1, description="names of conditions that the system offers")


def always(history: History, parameters: Always) -> CheckResult:
    """Fail on a condition that did not hold once, or that raised; UNKNOWN if none was looked at."""
    return _of_each(
        "always",
        history,
        parameters.of,
        when="at every moment",
        known=lambda one: one.first_broken_s is not None or one.moments > 0,
        holds=lambda one: one.first_broken_s is None,
        broken=_first_broken,
    )


def eventually(history: History, parameters: Eventually) -> CheckResult:
    """Fail on a condition that does not hold at the end; UNKNOWN if the run came to none."""
    return _of_each(
        "eventually",
        history,
        parameters.of,
        when="at the end",
        known=lambda one: one.held_at_end is not None,
        holds=lambda one: one.held_at_end is True,
        broken=lambda one: f"{one.name} does not at {history.end_s:.3f} s{_why(one.end_reason)}",
    )


def sometimes(history: History, parameters: Sometimes) -> CheckResult:
    """Fail on a condition that never held in a run that came to its end; else UNKNOWN."""
    return _of_each(
        "sometimes",
        history,
        parameters.of,
        when="at one moment at least",
        known=lambda one: one.first_held_s is not None or one.held_at_end is not None,
        holds=lambda one: one.first_held_s is not None,
        broken=lambda one: f"{one.name} never held in {one.moments} moments{_why(one.reason)}",
    )


def _of_each(
    name: str,
    history: History,
    wanted: list[str],
    *,
    when: str,
    known: Callable[[ConditionRecord], bool],
    holds: Callable[[ConditionRecord], bool],
    broken: Callable[[ConditionRecord], str],
) -> CheckResult:
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


def _first_broken(one: ConditionRecord) -> str:
    return f"{one.name} did not at {one.first_broken_s:.3f} s{_why(one.reason)}"


def _why(reason: str | None) -> str:
    return f": {reason}" if reason else ""
