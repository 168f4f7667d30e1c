"""The spans of time in which commands and spawns of users were under way, and their peak."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.history.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.records import History

    Span = tuple[str, float, float]

__all__ = ["asked_of", "peak", "spans_of"]

SPAWN = "spawn"


def peak(spans: Iterable[Span], *, distinct: bool = False) -> int:
    """Return the largest number of spans (user, begin, end), or ``distinct`` users, at a moment.

    A span holds its begin and not its end: a span that ends as another begins does not meet it.
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


def spans_of(history: History, command: str) -> list[Span]:
    """List the spans of spawns or commands that succeeded and took time."""
    return [
        (user, begin_s, end_s)
        for user, begin_s, end_s in asked_of(history, command)
        if end_s is not None and end_s > begin_s
    ]


def asked_of(history: History, command: str) -> list[tuple[str, float, float | None]]:
    """List every spawn or command of that name, with its end where it succeeded."""
    if command == SPAWN:
        return [(one.key.get("user", "-"), one.begin_s, one.ready_s) for one in history.clients]
    return [
        (
            one.key.get("user", "-"),
            one.begin_s,
            one.end_s if one.outcome is Outcome.RETURNED else None,
        )
        for one in history.commands
        if one.name == command
    ]
