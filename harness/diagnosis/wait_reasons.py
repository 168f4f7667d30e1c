"""The reason why a wait does not end: what it misses, and who could act, or that nobody can."""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, links_of
from harness.diagnosis.classification import is_asyncio, is_program
from harness.diagnosis.ended_holders import reason_in_permits
from harness.diagnosis.places import reaches
from harness.diagnosis.signals.missed_signals import reason_in_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.diagnosis.lock_ledger import LockLedger
    from harness.diagnosis.waits import Wait

    Task = asyncio.Task[Any]

__all__ = ["reason_of"]

_NAMED_MAX = 4
_ACTS = (
    (asyncio.Event, "wait", "set it"),
    (asyncio.Condition, "wait", "notify it"),
    (asyncio.Condition, "wait_for", "notify it"),
    (asyncio.Queue, "get", "put into it"),
    (asyncio.Queue, "put", "take from it"),
    (asyncio.Queue, "join", "call its task_done()"),
    (asyncio.Barrier, "wait", "come to it"),
    (asyncio.Lock, "acquire", "release it"),
    (asyncio.Semaphore, "acquire", "release it"),
    (asyncio.Future, "await", "resolve it"),
)


def reason_of(
    wait: Wait,
    waits: Mapping[Task, Wait],
    *,
    tasks: Sequence[Task],
    exact: bool,
    ledger: LockLedger | None,
) -> str | None:
    """Say why a wait does not end; None for a timer, and if its holders say all there is.

    ``waits`` are those of all ``tasks`` that wait; ``exact`` says that none of them will go on.
    """
    act = _act(wait)
    if act is None:
        return None
    permits = None if ledger is None else reason_in_permits(wait.thing, ledger)
    if wait.holders:
        return permits
    missed = None if ledger is None else reason_in_signals(wait, ledger.signals)
    who = _who(wait, waits, tasks=tasks, exact=exact, act=act)
    if who is None:
        can = (
            f"nobody left can {act}" if exact else f"no running task is known to hold it, to {act}"
        )
        who = f"nobody is left to {act}" if permits else can
    return "; ".join(filter(None, (permits or missed or _state(wait), who)))


def _act(wait: Wait) -> str | None:
    """Say what would end a wait."""
    return next(
        (act for kind, call, act in _ACTS if isinstance(wait.thing, kind) and call == wait.call),
        None,
    )


def _state(wait: Wait) -> str | None:
    """Say what can be seen of a queue or a barrier."""
    thing = wait.thing
    if isinstance(thing, asyncio.Queue):
        if wait.call == "join":
            unfinished, left = thing._unfinished_tasks, thing.qsize()  # type: ignore[attr-defined]
            taken = unfinished - left
            return (
                f"{taken} taken without a task_done()" if taken else "all that was taken is done"
            ) + f", {left} left in it"
        return "it is empty" if wait.call == "get" else f"it is full, with {thing.qsize()}"
    if isinstance(thing, asyncio.Barrier):
        return f"{thing.n_waiting} of {thing.parties} have come"
    return None


def _who(
    wait: Wait, waits: Mapping[Task, Wait], *, tasks: Sequence[Task], exact: bool, act: str
) -> str | None:
    """Say who is known to hold a reference and could act, and who of them is stuck itself."""
    # Not the task that asks.
    asks = asyncio.tasks.current_task() if asyncio._get_running_loop() else None
    idle = {asks, wait.task, *_dependents(wait.task, waits)}
    holding = [
        task
        for task in tasks
        if task not in idle
        and not _waits_as_well(waits.get(task), wait)
        and any(is_program(frame) and reaches(frame, wait.thing) for frame in frames_of(task))
    ]
    free = [] if exact else [one for one in holding if one not in waits or _by_timer(waits[one])]
    if free:
        return f"{_named(free)} could {act}"
    if holding:
        are = "are" if len(holding) > 1 else "is"
        return f"only {_named(holding)} could {act}, and {are} stuck as well"
    if isinstance(wait.thing, asyncio.Future) and _held_by_waiter_alone(wait.thing, wait):
        return f"nobody but its waiter holds it, so nobody can {act}"
    return None


def _dependents(task: Task, waits: Mapping[Task, Wait]) -> list[Task]:
    """List the tasks that wait for a task, or for one that does: they act after it, if ever."""
    found = [task]
    for one in found:
        found += [
            other
            for other, wait in waits.items()
            if other not in found and any(holder is one for holder, _ in wait.holders)
        ]
    return found[1:]


def _waits_as_well(other: Wait | None, wait: Wait) -> bool:
    return other is not None and other.thing is wait.thing and other.call == wait.call


def _by_timer(wait: Wait) -> bool:
    return wait.call == "sleep"


def _named(tasks: Sequence[Task]) -> str:
    names = [task.get_name() for task in tasks[:_NAMED_MAX]]
    more = len(tasks) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _held_by_waiter_alone(future: asyncio.Future[Any], wait: Wait) -> bool:
    """Ask the garbage collector who refers to a future, besides its waiter and this module."""
    own = {id(wait), id(wait.task), *map(id, links_of(wait.task))}
    for frame in frames_of(wait.task):
        # Up to CPython 3.12 a frame keeps the dictionary that it once gave of its variables.
        own |= {id(frame), id(frame.f_locals)}
    return all(
        id(one) in own
        or type(one).__name__ == "FutureIter"
        or (inspect.isframe(one) and not is_program(one) and _asks(one))
        for one in gc.get_referrers(future)
    )


def _asks(frame: Any) -> bool:
    """Return True for a frame of the harness that looks now, not of asyncio."""
    return not is_asyncio(frame)
