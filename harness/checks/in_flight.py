"""Own the claims about what was under way at once: commands of different users, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.parameters import Parameters

if TYPE_CHECKING:
    from harness.history import History
    from harness.verdict import CheckResult

__all__ = ["Overlap", "PeakInFlight", "overlap", "peak_in_flight"]

SPAWN = "spawn"


class Overlap(Parameters):
    """At some moment each of ``commands`` is under way for all its users at once."""

    commands: list[str] = Field(
        min_length=1, description='names of client commands; "spawn" for the spawn itself'
    )
    users: list[str] | None = Field(
        default=None, min_length=2, description="which users; default: all who have the command"
    )


class PeakInFlight(Parameters):
    """At some moment at least ``at_least`` commands (or operations of a step) are under way."""

    command: str | None = Field(default=None, description="a client command, or spawn")
    of: str | None = Field(default=None, description="the id of a step, instead of a command")
    at_least: int = Field(ge=1, description="how many at once")


def overlap(history: History, parameters: Overlap) -> CheckResult:
    """Fail on a command that was never under way for all users at once."""
    expected = f"{', '.join(parameters.commands)} of all users under way at once"
    told = []
    apart = []
    for command in parameters.commands:
        spans = [
            span
            for span in _spans(history, command)
            if parameters.users is None or span[0] in parameters.users
        ]
        users = {user for user, _, _ in spans}
        if len(users) < 2:
            return nothing_to_judge(
                "overlap", expected=expected, seen=f"{command} of {len(users)} users"
            )
        together = _peak_users(spans)
        told.append(f"{command}: {together} of {len(users)} users at once")
        if together < len(users):
            apart.append(told[-1])
    return judged(
        "overlap",
        not apart,
        expected=expected,
        seen="; ".join(told),
        involved=apart,
        why=longest_hold(history),
    )


def peak_in_flight(history: History, parameters: PeakInFlight) -> CheckResult:
    """Fail if the peak number under way stays under the bound."""
    what = parameters.command or parameters.of or "operations"
    expected = f"a peak of at least {parameters.at_least} {what} in flight"
    if parameters.command is not None:
        spans = [(begin_s, end_s) for _, begin_s, end_s in _spans(history, parameters.command)]
    else:
        spans = [
            (one.begin_s, history.end_s if one.end_s is None else one.end_s)
            for one in history.operations
            if parameters.of in (None, one.step)
        ]
    if not spans:
        return nothing_to_judge("peak_in_flight", expected=expected, seen=f"no {what}")
    peak = max(_counts(spans))
    return judged(
        "peak_in_flight",
        peak >= parameters.at_least,
        expected=expected,
        seen=f"a peak of {peak} of {len(spans)}",
        why=longest_hold(history),
    )


def _spans(history: History, command: str) -> list[tuple[str, float, float]]:
    if command == SPAWN:
        return [
            (one.key.get("user", "-"), one.begin_s, _or_end(one.ready_s, history))
            for one in history.actors
        ]
    return [
        (one.key.get("user", "-"), one.begin_s, _or_end(one.end_s, history))
        for one in history.commands
        if one.name == command
    ]


def _or_end(moment_s: float | None, history: History) -> float:
    return history.end_s if moment_s is None else moment_s


def _counts(spans: list[tuple[float, float]]) -> list[int]:
    """Count at every change; an end at the same moment as a begin comes first."""
    changes = sorted([(end_s, -1) for _, end_s in spans] + [(begin_s, 1) for begin_s, _ in spans])
    counts, count = [0], 0
    for _, change in changes:
        count += change
        counts.append(count)
    return counts


def _peak_users(spans: list[tuple[str, float, float]]) -> int:
    moments = [begin_s for _, begin_s, _ in spans]
    return max(
        len({user for user, begin_s, end_s in spans if begin_s <= moment < end_s})
        for moment in moments
    )
