"""The list of what happened in a run, in order of time, for a person who replays it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.ends import against_expected
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.records import ClientRecord, History, LockHold, Operation

__all__ = ["event_lines"]


def event_lines(history: History) -> list[str]:
    """List all events of a history in order of time."""
    events = [
        event
        for group in (
            *(_of_operation(one) for one in history.operations),
            *(_of_client(one) for one in history.clients),
            *(_of_hold(one) for one in history.lock_holds),
        )
        for event in group
    ]
    events += [(one.at_s, 1, f"fault {one.kind} at {one.point}") for one in history.faults]
    if history.deadlock is not None:
        stuck = count(len(history.deadlock.blocked), "task")
        events.append((history.deadlock.at_s, 4, f"stuck {stuck} blocked"))
    return [f"{at_s:12.6f} s  {text}" for at_s, _, text in sorted(events, key=lambda one: one[:2])]


def _of_operation(one: Operation) -> Iterator[tuple[float, int, str]]:
    whose = f"{one.step} of {one.user}" if one.user else one.step
    yield one.begin_s, 0, f"begin {whose} ({one.task})"
    for begin_s, end_s in one.parked:
        yield begin_s, 1, f"park  {whose}"
        yield end_s, 1, f"go on {whose}"
    if one.end_s is not None:
        how = one.error.type if one.error else one.outcome.value
        yield one.end_s, 3, f"end   {whose}: {how}{against_expected(one)}"


def _of_client(one: ClientRecord) -> Iterator[tuple[float, int, str]]:
    whose = f"client {one.number} of {', '.join(one.key.values())}"
    yield one.begin_s, 1, f"spawn {whose}"
    if one.ready_s is not None:
        yield one.ready_s, 2, f"ready {whose}"
    if one.exit_s is not None:
        yield one.exit_s, 2, f"exit  {whose}"


def _of_hold(one: LockHold) -> Iterator[tuple[float, int, str]]:
    yield one.begin_s, 1, f"lock  {one.lock} by {one.task} at {one.where}"
    if one.end_s is not None:
        yield one.end_s, 2, f"free  {one.lock} after {one.end_s - one.begin_s:.6f} s"
