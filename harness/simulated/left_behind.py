"""What a program leaves behind when it has ended: tasks, asynchronous generators, locks.

asyncio says nothing of these: ``asyncio.run`` cancels such tasks and closes such generators. In a
service nobody does, and what they hold is never given back.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from dataclasses import dataclass
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import part_of_code
from harness.diagnosis.ended_holders import is_orphan, permits_left
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.task_origins import origin_of
from harness.diagnosis.wait_graph import wait_of
from harness.history.parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import AsyncGeneratorType

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["GENERATORS", "KINDS", "LOCKS", "TASKS", "Left", "left_behind"]

TASKS, GENERATORS, LOCKS = "leaked_tasks", "leaked_generators", "held_locks"
KINDS = frozenset({TASKS, GENERATORS, LOCKS})
# Passes of the loop in which what is about to end may do so.
TURNS = 3


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that was left behind: its kind, what it is whatever the order, and all of it."""

    kind: str
    what: str
    text: str


def left_behind(loop: VirtualLoop, kinds: frozenset[str]) -> tuple[Left, ...]:
    """Find what was left behind by a program that has returned; its loop still serves.

    Time stands still meanwhile. Left out are tasks that are being cancelled, or that others of them
    await, and what the harness or asyncio made for itself.
    """
    found: list[Left] = []
    if kinds & {TASKS, GENERATORS} and ("_asyncgens" in loop.__dict__ or _pending(loop)):
        _settle(loop)
        tasks = _left_tasks(loop)
        # What a task that has not ended holds is no second thing.
        if not tasks and _left_generators(loop):
            # One that only garbage refers to is as good as closed.
            gc.collect()
            _settle(loop)
        generators = [] if tasks else _left_generators(loop)
        found += [_told_task(one) for one in tasks] if TASKS in kinds else []
        found += [_told_generator(one) for one in generators] if GENERATORS in kinds else []
    if LOCKS in kinds:
        found += _left_locks()
    return tuple(found)


def _settle(loop: VirtualLoop) -> None:
    # What is left may end the interpreter; the program has returned before that.
    with suppress(SystemExit):
        loop.drive(_settled(loop))


async def _settled(loop: VirtualLoop) -> None:
    for _ in range(TURNS):
        if len(_pending(loop)) <= 1:
            return
        await asyncio.sleep(0)


def _pending(loop: VirtualLoop) -> list[asyncio.Task[Any]]:
    made: list[asyncio.Task[Any]] | None = getattr(loop, "made_tasks", None)
    tasks = asyncio.all_tasks(loop) if made is None else made
    return [one for one in tasks if not one.done()]


def _left_tasks(loop: VirtualLoop) -> list[asyncio.Task[Any]]:
    left = [one for one in _pending(loop) if not one.cancelling() and _is_the_programs(one)]
    waits = [wait for one in left if (wait := wait_of(one)) is not None]
    awaited = {holder for wait in waits if wait.on_tasks for holder, _ in wait.holders}
    # Of tasks that await each other in a cycle, none would be told.
    outer = [one for one in left if one not in awaited] or left
    return sorted(outer, key=lambda one: getattr(one, "serial", 0))


def _is_the_programs(task: asyncio.Task[Any]) -> bool:
    # What wait_for makes up to CPython 3.11 has a caller; the end of a generator is no coroutine.
    coroutine = task.get_coro()
    return (
        isinstance(coroutine, CoroutineType)
        and getattr(task, "caller", None) is None
        and part_of_code(coroutine.cr_code) not in {Part.HARNESS, Part.LOOP}
    )


def _told_task(task: asyncio.Task[Any]) -> Left:
    code = task.get_coro().cr_code  # type: ignore[union-attr]
    # A ledger has functions of its own by the same name, which only the code's name hides.
    of = code.co_qualname if part_of_code(code) is not Part.LEDGER else code.co_name
    made_at = origin_of(task)
    made = f", made at {made_at}," if made_at else ""
    where = place_in(frames_of(task))
    return Left(
        TASKS, code.co_name, f"task {task.get_name()} of {of}{made} has not ended: it is at {where}"
    )


def _left_generators(loop: VirtualLoop) -> list[AsyncGeneratorType[Any, Any]]:
    known: Any = loop.__dict__.get("_asyncgens", {})
    return [one for one in known.values() if one.ag_frame is not None and not one.ag_running]


def _told_generator(generator: AsyncGeneratorType[Any, Any]) -> Left:
    of, frame = generator.__qualname__, generator.ag_frame
    where = place_in([] if frame is None else [frame])
    return Left(GENERATORS, of, f"generator {of} was neither ended nor closed: it is at {where}")


def _left_locks() -> Iterator[Left]:
    ledger = active_ledger()
    held = [] if ledger is None else [one for one in ledger.all_held() if is_orphan(one)]
    for one in permits_left(ledger, held):
        what = "lock" if one.kind == "lock" else "permit of"
        yield Left(
            LOCKS,
            one.made_at,
            f"{what} {one.name} was taken at {one.made_at} by {one.where}, and never given back",
        )
