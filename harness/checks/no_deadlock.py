"""Own the claim that every operation ends: nothing waits in a ring, or for what never comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.history.records import Outcome

if TYPE_CHECKING:
    from harness.history.records import Blocked, Diagnosis, History
    from harness.results.verdict import CheckResult

__all__ = ["NoDeadlock", "describe", "in_order", "no_deadlock", "waiting"]

# So many holders are named: where there are more, they wait themselves, and are told of as well.
_HOLDERS_MAX = 4
_CHAIN_MAX = 6
# Where the harness itself waits for what it has begun; its adapters are a part of the system.
_HARNESS = re.compile(r"harness/(?!systems/|miden/adapter/)")
# A reason that tells of what is missing, not only who could act.
_MISSED = re.compile(r"lost wake-up|it was |\d+ of its \d+ permits ")


class NoDeadlock(Parameters):
    """Every operation ends within ``within_s`` seconds (virtual when simulated)."""

    within_s: float = Field(default=30, gt=0, le=86_400, description="seconds for an operation")


def no_deadlock(history: History, parameters: NoDeadlock) -> CheckResult:
    """Fail on a deadlock, and on an operation that outlasts its deadline."""
    expected = f"every operation to end within {parameters.within_s:g} s"
    if not history.operations:
        return nothing_to_judge("no_deadlock", expected=expected, seen="no operation at all")
    late = [
        one
        for one in history.operations
        if one.outcome is Outcome.UNFINISHED or (one.duration_s or 0.0) > parameters.within_s
    ]
    stuck = history.deadlock is not None
    return judged(
        "no_deadlock",
        not late and not stuck,
        expected=expected,
        seen=f"{len(late)} of {len(history.operations)} unfinished or late"
        + (f", a deadlock at {history.deadlock.at_s:.3f} s" if history.deadlock else ""),
        involved=[named(one) for one in late],
        why=describe(history.deadlock) if history.deadlock else None,
    )


def describe(diagnosis: Diagnosis, *, of: str | None = None) -> str:
    """Say in one sentence who waits for whom; the whole list is the report's to tell.

    Begins with the task ``of`` this name if it is given, and waits; then with whom it waits for.
    """
    if of is not None:
        chain = _chain(diagnosis, of)
        return "; ".join(map(waiting, chain)) if chain else f"{of} waits for nothing that is known"
    if diagnosis.cycle:
        return f"in a ring: {' -> '.join((*diagnosis.cycle, diagnosis.cycle[0]))}"
    if not diagnosis.blocked:
        return "nobody waits for anything that is known"
    first = in_order(diagnosis)[0]
    more = len(diagnosis.blocked) - 1
    join = "; " if first.reason else ", and "
    return waiting(first) + (f"{join}{more} more wait" if more else "")


def waiting(blocked: Blocked, *, named: str | None = None) -> str:
    """Say in one sentence what a task waits for, where, who holds it, and why that does not end.

    ``named`` is how the sentence begins where several wait alike.
    """
    holders = ", ".join(blocked.holders[:_HOLDERS_MAX])
    more = len(blocked.holders) - _HOLDERS_MAX
    held = f", held by {holders}" if holders else ""
    held += f" and {more} more" if more > 0 else ""
    why = f"; {blocked.reason}" if blocked.reason else ""
    begin = named or f"{blocked.task} waits for"
    return f"{begin} {blocked.waits_for} at {blocked.where}{held}{why}"


def _chain(diagnosis: Diagnosis, first: str) -> list[Blocked]:
    """Follow the first holder of what each waits for, to one who waits for nobody, or a ring."""
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
    """Put the wait that tells most first, unless a ring tells all: others are often its effect."""
    blocked = diagnosis.blocked
    missed = [one for one in blocked if _MISSED.match(one.reason or "")]
    unheld = [one for one in blocked if one.reason and not _HARNESS.match(one.where)]
    if diagnosis.cycle or not (missed or unheld):
        return blocked
    first = (missed or unheld)[0]
    return (first, *(one for one in blocked if one is not first))
