"""Own the claims about what was under way at once: commands of different users, side by side."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.parameters import USER, Parameters
from harness.history.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.records import History
    from harness.results.verdict import CheckResult

    Span = tuple[str, float, float]

__all__ = ["Overlap", "PeakInFlight", "overlap", "peak", "peak_in_flight"]

SPAWN = "spawn"


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


class PeakInFlight(Parameters):
    """At some moment at least ``at_least`` of a client command are under way.

    Only commands count: the calls of a step are always under way together, whatever the service
    does with them.
    """

    command: str = Field(description='a client command, or "spawn"')
    at_least: int = Field(ge=2, le=100_000, description="how many at once")


def overlap(history: History, parameters: Overlap) -> CheckResult:
    """Fail on a command that was never under way for all users at once.

    Only what succeeded and took time counts; UNKNOWN where a user has none of that.
    """
    expected = f"{', '.join(parameters.commands)} of all users under way at once"
    told, apart, missing = [], [], []
    for command in parameters.commands:
        spans = _spans(history, command)
        users = {user for user, _, _ in _asked(history, command)}
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
        told.append(f"{command}: {together} of {len(users)} users at once")
        if together < len(users):
            apart.append(told[-1])
    if missing and not apart:
        return nothing_to_judge(
            "overlap", expected=expected, seen="; ".join(told + missing), involved=missing
        )
    return judged(
        "overlap",
        not apart,
        expected=expected,
        seen="; ".join(told + missing),
        involved=apart,
        why=longest_hold(history),
    )


def peak_in_flight(history: History, parameters: PeakInFlight) -> CheckResult:
    """Fail if the peak number under way stays under the bound; what failed does not count."""
    command = parameters.command
    expected = f"a peak of at least {parameters.at_least} {command} in flight"
    spans = _spans(history, command)
    if not spans:
        asked = len(_asked(history, command))
        seen = f"none of {asked} {command} succeeded" if asked else f"no {command}"
        return nothing_to_judge("peak_in_flight", expected=expected, seen=seen)
    found = peak(spans)
    return judged(
        "peak_in_flight",
        found >= parameters.at_least,
        expected=expected,
        seen=f"a peak of {found} of {len(spans)}",
        why=longest_hold(history),
    )


def peak(spans: Iterable[Span], *, distinct: bool = False) -> int:
    """Count the spans (user, begin, end) that share a moment at most, or the ``distinct`` users.

    A span holds its begin and not its end: one that ends as another begins does not meet it.
    """
    changes = sorted(
        change
        for user, begin_s, end_s in spans
        for change in ((begin_s, 1, user), (end_s, -1, user))
    )
    under_way: Counter[str] = Counter()
    count = most = 0
    for _, change, user in changes:
        before = under_way[user]
        under_way[user] = before + change
        if not distinct or 0 in (before, under_way[user]):
            count += change
        most = max(most, count)
    return most


def _spans(history: History, command: str) -> list[Span]:
    """List what succeeded and took time."""
    return [
        (user, begin_s, end_s)
        for user, begin_s, end_s in _asked(history, command)
        if end_s is not None and end_s > begin_s
    ]


def _asked(history: History, command: str) -> list[tuple[str, float, float | None]]:
    """List every spawn or command of the name, with its end where it succeeded."""
    if command == SPAWN:
        return [(one.key.get("user", "-"), one.begin_s, one.ready_s) for one in history.actors]
    return [
        (
            one.key.get("user", "-"),
            one.begin_s,
            one.end_s if one.outcome is Outcome.RETURNED else None,
        )
        for one in history.commands
        if one.name == command
    ]
