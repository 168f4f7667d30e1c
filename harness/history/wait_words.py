"""The words for who waits for whom: a sentence for each wait, the best explanation first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import Blocked, Diagnosis

__all__ = ["around", "describe", "in_order", "waiting"]

# Of more holders the others are only counted: they wait too, so a sentence follows for each.
_HOLDERS_MAX = 4
_CHAIN_MAX = 6
# A reason that says what is missing, not only who could act.
_MISSED = re.compile(r"lost wake-up|it was |\d+ of its \d+ permits ")


def describe(diagnosis: Diagnosis, *, of: str | None = None) -> str:
    """Say in a sentence who waits for whom; reports print the whole list.

    With ``of``, the sentence begins with the task of that name and goes on with whom it waits for.
    """
    if of is not None:
        chain = _chain(diagnosis, of)
        return "; ".join(map(waiting, chain)) if chain else f"{of} waits for nothing that is known"
    if diagnosis.cycle:
        return f"in a cycle: {' -> '.join(around(diagnosis.cycle))}"
    if not diagnosis.blocked:
        return "nobody waits for anything that is known"
    first = in_order(diagnosis)[0]
    more = len(diagnosis.blocked) - 1
    join = "; " if first.reason else ", and "
    return waiting(first) + (f"{join}{more} more wait" if more else "")


def around(cycle: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a cycle with the first one again at the end; none for none.

    Two of its tasks may have the same name, also the first and the last.
    """
    return (*cycle, *cycle[:1])


def waiting(blocked: Blocked, *, named: str | None = None) -> str:
    """Say in a sentence what a task waits for, where, who holds it, and why the wait does not end.

    ``named`` begins the sentence where several tasks wait alike.
    """
    holders = ", ".join(blocked.holders[:_HOLDERS_MAX])
    more = len(blocked.holders) - _HOLDERS_MAX
    held = f", held by {holders}" if holders else ""
    held += f" and {more} more" if more > 0 else ""
    why = f"; {blocked.reason}" if blocked.reason else ""
    begin = named or f"{blocked.task} waits for"
    return f"{begin} {blocked.waits_for} at {blocked.where}{held}{why}"


def _chain(diagnosis: Diagnosis, first: str) -> list[Blocked]:
    """Follow the first holder of each wait, up to a task that waits for nobody, or a cycle."""
    by_name = {blocked.task: blocked for blocked in diagnosis.blocked}
    chain: list[Blocked] = []
    following = by_name.get(first)
    while following is not None and following not in chain and len(chain) < _CHAIN_MAX:
        chain.append(following)
        holders = following.holders[:1]
        following = next(
            (one for one in diagnosis.blocked for at in holders if at.startswith(f"{one.task} at")),
            None,
        )
    return chain


def in_order(diagnosis: Diagnosis) -> tuple[Blocked, ...]:
    """Put the wait that explains most first, since others are often its effect; a cycle stays."""
    blocked = diagnosis.blocked
    missed = [one for one in blocked if _MISSED.match(one.reason or "")]
    unheld = [one for one in blocked if one.reason and not one.in_harness]
    if diagnosis.cycle or not (missed or unheld):
        return blocked
    first = (missed or unheld)[0]
    return (first, *(one for one in blocked if one is not first))
