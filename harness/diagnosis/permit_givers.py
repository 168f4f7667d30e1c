"""Who will give back a lock or a permit that another task took: by a callback, or in its own code.

A loop that takes a permit for each job, and has the job's end give it back, holds none of them.
"""

from __future__ import annotations

import dis
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of
from harness.diagnosis.classification import is_machinery
from harness.diagnosis.places import reaches

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType

    from harness.diagnosis.lock_ledger import Hold

    Task = asyncio.Task[Any]

__all__ = ["true_holders"]

ACQUIRE, RELEASE = "acquire", "release"


def true_holders(
    lock: object, holds: Sequence[Hold], tasks: Iterable[Task]
) -> list[tuple[Hold, Task | None]]:
    """Pair each hold with the task that will give it back, None for its taker.

    Only a hold whose taker does not give it back itself belongs to another: one whose end has a
    callback that does, or whose code does.
    """
    taken = [hold for hold in holds if not hold.scoped and not _gives_in_code(hold.task, lock)]
    if not taken:
        return [(hold, None) for hold in holds]
    takers = [hold.task for hold in holds]
    others = [task for task in tasks if task not in takers and not task.done()]
    # Who waits for it will give back what it gets itself.
    others = [task for task in others if not _waits_for(task, lock)]
    by_callback = [task for task in others if _gives_at_end(task, lock)]
    in_code = [one for one in others if one not in by_callback and _gives_in_code(one, lock)]
    givers = iter([*by_callback, *in_code])
    return [(hold, next(givers, None) if hold in taken else None) for hold in holds]


def _waits_for(task: Task, lock: object) -> bool:
    return any(
        frame.f_code.co_name == ACQUIRE and frame.f_locals.get("self") is lock
        for frame in frames_of(task)
    )


def _gives_at_end(task: Task, lock: object) -> bool:
    callbacks: Iterable[tuple[Any, Any]] = getattr(task, "_callbacks", None) or ()
    return any(_gives(callback, lock) for callback, _ in callbacks)


def _gives(callback: Any, lock: object) -> bool:
    """Return True for a callback that has the lock at hand, and calls its ``release``."""
    at_hand: list[object] = []
    while isinstance(callback, partial):
        at_hand += [*callback.args, *callback.keywords.values()]
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    if owner is lock:
        return getattr(callback, "__name__", "") == RELEASE
    code = getattr(callback, "__code__", None)
    if code is None or RELEASE not in code.co_names:
        return False
    at_hand += [owner, *(_content(cell) for cell in callback.__closure__ or ())]
    at_hand += [callback.__globals__.get(name) for name in code.co_names]
    return any(one is lock for thing in at_hand for one in _with_attributes(thing))


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty still
        return None


def _with_attributes(thing: object) -> Iterator[object]:
    yield thing
    yield from list(getattr(thing, "__dict__", {}).values())


def _gives_in_code(task: Task | None, lock: object) -> bool:
    """Return True if a task has yet to come to a ``release``, and has the lock at hand."""
    return any(
        RELEASE in frame.f_code.co_names
        and not is_machinery(frame)
        and _last_release(frame.f_code) > frame.f_lasti
        and reaches(frame, lock)
        for frame in frames_of(task)
    )


@lru_cache(maxsize=1024)
def _last_release(code: CodeType) -> int:
    found = (one.offset for one in dis.get_instructions(code) if one.argval == RELEASE)
    return max(found, default=-1)
