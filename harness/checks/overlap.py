"""The check that commands of different users were under way at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import USER, Parameters
from harness.checks.spans import asked_of, peak, spans_of

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Overlap", "overlap"]


class Overlap(Parameters):
    """At some moment each of ``commands`` is under way for all its users at once."""

    commands: list[str] = Field(
        min_length=1, description='names of client commands; "spawn" for the spawn itself'
    )
    users: list[str] | None = Field(
        default=None,
        min_length=2,
        description="which users; default: all who have the command",
        json_schema_extra=USER,
    )


def overlap(history: History, parameters: Overlap) -> CheckResult:
    """Fail on a command that was never under way for all users at once.

    Only what succeeded and took time counts; UNKNOWN where a user has none of that.
    """
    expected = f"{', '.join(parameters.commands)} of all users under way at once"
    counts, apart, missing = [], [], []
    for command in parameters.commands:
        spans = spans_of(history, command)
        users = {user for user, _, _ in asked_of(history, command)}
        if parameters.users is not None:
            users = set(parameters.users)
            spans = [span for span in spans if span[0] in users]
        without = sorted(users - {user for user, _, _ in spans})
        if len(users) < 2 or without:
            missing.append(
                f"no {command} of {', '.join(without)} that succeeded and took time"
                if without
                else f"{command} of {len(users)} users"
            )
            continue
        together = peak(spans, distinct=True)
        counts.append(f"{command}: {together} of {len(users)} users at once")
        if together < len(users):
            apart.append(counts[-1])
    if missing and not apart:
        return nothing_to_judge(
            "overlap", expected=expected, seen="; ".join(counts + missing), involved=missing
        )
    return judged(
        "overlap",
        not apart,
        expected=expected,
        seen="; ".join(counts + missing),
        involved=apart,
        why=longest_hold(history),
    )


KIND = CheckKind(name="overlap", parameters=Overlap, check=overlap, timed=True, faultless=True)
