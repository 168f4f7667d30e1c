"""The graph of who waits for whom: what each task awaits, who must act, and the cycles."""

from __future__ import annotations

import asyncio
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import is_asyncio, is_machinery, is_program
from harness.diagnosis.ended_holders import has_ended
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.permit_givers import true_holders
from harness.diagnosis.places import name_of
from harness.diagnosis.wait_reasons import reason_of
from harness.diagnosis.waits import Wait
from harness.history.records import Blocked, Diagnosis
from harness.history.wait_words import around

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import CodeType, FrameType

    from harness.diagnosis.lock_ledger import Hold, LockLedger

    Task = asyncio.Task[Any]

__all__ = ["cycles", "diagnose", "lasting_cycles", "render", "wait_of"]


# What asyncio.wait() waits in; a barrier has a method of the same name.
_WAIT: CodeType = asyncio.tasks._wait.__code__  # type: ignore[attr-defined]


def wait_of(task: Task) -> Wait | None:
    """Say what a task waits for; None if it is done, runs, or is about to."""
    future = getattr(task, "_fut_waiter", None)
    if task.done() or future is None or future.done():
        return None
    frames = frames_of(task)
    where = place_in(frames)
    known = _lock_wait(task, frames, where) or _group_wait(task, frames, where)
    if known is not None:
        return known
    primitive = _primitive(task, frames, where)
    return primitive or _future_wait(task, future, frames, where)


def cycles(tasks: Iterable[Task]) -> tuple[tuple[Task, ...], ...]:
    """Find the sets of tasks that wait for each other in a cycle and can never go on by themselves.

    Callable at any time, also while other tasks run. A task with a timeout of its own around the
    wait is counted in: that it will give up does not make the order of its locks right. Each cycle
    begins with the task that was given first.
    """
    return _cycles_in(_waits(tasks))


def lasting_cycles(
    tasks: Iterable[Task], timed: Iterable[asyncio.Future[Any]]
) -> tuple[tuple[Task, ...], ...]:
    """Find the cycles that nothing will end: an accusation, where ``cycles`` is an observation.

    ``timed`` are the tasks that a timer will cancel, and the futures that one will complete: a wait
    with a timeout of its own ends by itself, and whatever is awaited in it may be cancelled then.
    So may a task that a task outside of the cycle has in a variable. Of locks only those count that
    their holders alone give back.
    """
    tasks = sorted(tasks, key=_order)
    waits = {task: wait for task, wait in _waits(tasks).items() if wait.firm}
    timed = set(timed)
    spared = [task for task in tasks if task in timed or _waiter(task) in timed]
    for task in tasks:
        if task not in waits or not waits[task].holders:
            spared.extend(_tasks_in_variables(task))
    while spared:
        wait = waits.pop(spared.pop(), None)
        if wait is not None and wait.on_tasks:
            spared.extend(task for task, _ in wait.holders)
    return _cycles_in(waits)


def diagnose(
    loop: asyncio.AbstractEventLoop | None = None,
    *,
    exact: bool = False,
    tasks: Iterable[Task] | None = None,
    attachments: tuple[tuple[str, str], ...] = (),
    cycle: Sequence[Task] = (),
) -> Diagnosis:
    """Say who waits for what on a loop at this moment, and who waits in a cycle.

    ``exact`` says that nothing can happen any more: then these waits will never end. The loop is
    the running one by default, its tasks are all that are not done, without the one that asks.
    ``cycle`` is the cycle to report, if it is known already.
    """
    loop = asyncio.get_running_loop() if loop is None else loop
    if tasks is None:
        tasks = asyncio.all_tasks(loop)
    tasks = sorted(tasks, key=_order)
    waits = _waits(tasks)
    # While things go on, only those waits will never end that nobody else can end.
    sure = waits if exact else {task: wait for task, wait in waits.items() if wait.firm}
    found = (tuple(cycle),) if cycle else _cycles_in(sure)
    return Diagnosis(
        at_s=loop.time(),
        blocked=tuple(
            Blocked(
                task=wait.task.get_name(),
                waits_for=wait.waits_for,
                where=wait.where,
                holders=tuple(f"{task.get_name()} at {at}" for task, at in wait.holders),
                reason=reason_of(wait, waits, tasks=tasks, exact=exact, ledger=active_ledger()),
            )
            for wait in waits.values()
        ),
        cycle=tuple(task.get_name() for task in found[0]) if found else (),
        exact=exact,
        attachments=attachments,
    )


def render(diagnosis: Diagnosis) -> str:
    """Write a diagnosis for people: a line for each blocked task, its holders, and the cycle."""
    lines = [f"{len(diagnosis.blocked)} blocked at {diagnosis.at_s:.6f} s:"]
    for blocked in diagnosis.blocked:
        lines.append(f"  {blocked.task} waits for {blocked.waits_for} at {blocked.where}")
        lines.extend(f"    held by {holder}" for holder in blocked.holders)
        if blocked.reason is not None:
            lines.append(f"    {blocked.reason}")
    if diagnosis.cycle:
        lines.append("  cycle: " + " -> ".join(around(diagnosis.cycle)))
    lines.extend(f"{title}:\n{text}" for title, text in diagnosis.attachments)
    return "\n".join(lines)


def _order(task: Task) -> tuple[int, str]:
    """Order tasks by their making: the virtual loop numbers them, asyncio numbers their names."""
    serial = getattr(task, "serial", None)
    if serial is None:
        digits = re.search(r"(\d+)$", task.get_name())
        serial = int(digits.group()) if digits else 0
    return serial, task.get_name()


def _waits(tasks: Iterable[Task]) -> dict[Task, Wait]:
    waits = (wait_of(task) for task in tasks)
    return {wait.task: wait for wait in waits if wait is not None}


def _cycles_in(waits: dict[Task, Wait]) -> tuple[tuple[Task, ...], ...]:
    """Follow, from each stuck task, its first stuck holder until a task comes round again."""
    stuck = _stuck(waits)
    found: list[tuple[Task, ...]] = []
    seen: set[Task] = set()
    for start in waits:
        path: list[Task] = []
        task: Task | None = start
        while task is not None and task in stuck and task not in seen:
            seen.add(task)
            path.append(task)
            task = next((one for one, _ in waits[task].holders if one in stuck), None)
        if task in path:
            cycle = path[path.index(task) :]
            first = cycle.index(min(cycle, key=list(waits).index))
            found.append((*cycle[first:], *cycle[:first]))
    return tuple(found)


def _stuck(waits: dict[Task, Wait]) -> set[Task]:
    """Keep the tasks whose holders keep them for ever: the greatest set that supports itself."""
    stuck = {task for task, wait in waits.items() if wait.holders}
    while True:
        freed = {
            task
            for task in stuck
            if not (all if waits[task].any_suffices else any)(
                holder in stuck for holder, _ in waits[task].holders
            )
        }
        if not freed:
            return stuck
        stuck -= freed


def _asyncio_frames(frames: Sequence[FrameType]) -> list[FrameType]:
    """Return the frames below the program's own: those of the primitive it waits in."""
    return list(takewhile(lambda frame: not is_program(frame), frames))


def _lock_wait(task: Task, frames: list[FrameType], where: str) -> Wait | None:
    """Recognize a wait for a lock or a semaphore, and ask the ledger who holds it."""
    for frame in _asyncio_frames(frames):
        lock = frame.f_locals.get("self")
        if isinstance(lock, (asyncio.Lock, asyncio.Semaphore)):
            ledger = active_ledger()
            holds = () if ledger is None else ledger.holders_of(lock)
            held = true_holders(lock, holds, _tasks_beside(task)) if holds else []
            return Wait(
                task=task,
                waits_for=f"{type(lock).__name__} {_name(lock, frames, ledger)}",
                where=where,
                holders=tuple(_holders(held)),
                any_suffices=isinstance(lock, asyncio.Semaphore),
                thing=lock,
                call="acquire",
                firm=ledger is not None
                and _is_firm(lock, holds, ledger)
                and all(giver is None for _, giver in held),
            )
    return None


def _tasks_beside(task: Task) -> list[Task]:
    return sorted(asyncio.all_tasks(task.get_loop()), key=_order)


def _holders(held: Iterable[tuple[Hold, Task | None]]) -> Iterator[tuple[Task, str]]:
    for hold, giver in held:
        if giver is not None:
            yield giver, place_in(frames_of(giver))
        elif hold.task is not None and not has_ended(hold):
            yield hold.task, hold.where


def _is_firm(lock: object, holds: Sequence[Hold], ledger: LockLedger) -> bool:
    """Say whether only its holders will give a lock back; a semaphore may be a signal instead."""
    scoped = all(hold.scoped for hold in holds) or not isinstance(lock, asyncio.Semaphore)
    return scoped and not ledger.is_handed_on(lock)


def _group_wait(task: Task, frames: list[FrameType], where: str) -> Wait | None:
    """Recognize a wait for several tasks: a TaskGroup, or ``asyncio.wait``."""
    for frame in _asyncio_frames(frames):
        owner = frame.f_locals.get("self")
        if isinstance(owner, asyncio.TaskGroup):
            return _wait_for_tasks(task, "the tasks of its TaskGroup", where, owner._tasks)
        if frame.f_code is _WAIT:
            futures = frame.f_locals.get("fs", ())
            first = frame.f_locals.get("return_when") == asyncio.FIRST_COMPLETED
            what = "the first of" if first else "all of"
            return _wait_for_tasks(
                task, f"{what} {len(futures)} awaited", where, futures, any_suffices=first
            )
    return None


def _primitive(task: Task, frames: list[FrameType], where: str) -> Wait | None:
    """Name what an asyncio object's method waits in: ``Queue.get Worker.inbox``."""
    # The outermost of asyncio's frames is what the program called: Queue.join waits in an Event.
    for frame in reversed(_asyncio_frames(frames)):
        owner = frame.f_locals.get("self")
        if owner is not None and is_machinery(frame):
            method = f"{type(owner).__name__}.{frame.f_code.co_name}"
            return Wait(
                task=task,
                waits_for=f"{method} {_name(owner, frames, None)}",
                where=where,
                thing=owner,
                call=frame.f_code.co_name,
            )
        if frame.f_code.co_name == "sleep" and is_asyncio(frame):
            delay = f"sleep({frame.f_locals.get('delay')!r})"
            return Wait(task=task, waits_for=delay, where=where, call="sleep")
    return None


def _future_wait(
    task: Task, future: asyncio.Future[Any], frames: list[FrameType], where: str
) -> Wait:
    """Name a bare future, and the tasks that stand behind it where they can be found."""
    if isinstance(future, asyncio.Task):
        return _wait_for_tasks(task, f"task {future.get_name()}", where, (future,))
    children = getattr(future, "_children", None)
    if children is not None:
        return _wait_for_tasks(task, f"all of {len(children)} gathered", where, children)
    for frame in _asyncio_frames(frames):
        # wait_for, up to CPython 3.11, waits for a future of its own beside the one it was given.
        inner = frame.f_locals.get("fut")
        if isinstance(inner, asyncio.Task) and is_asyncio(frame):
            return _wait_for_tasks(task, f"task {inner.get_name()}", where, (inner,))
    shielded = _shielded(future)
    if shielded is not None:
        return _wait_for_tasks(task, f"shielded {shielded.get_name()}", where, (shielded,))
    what = getattr(future, "waits_for", None)
    if what is None:
        what = f"Future {name_of(future, frames) or ''}".rstrip()
        return Wait(task=task, waits_for=what, where=where, thing=future, call="await")
    return Wait(task=task, waits_for=what, where=where)


def _wait_for_tasks(
    task: Task,
    waits_for: str,
    where: str,
    futures: Iterable[asyncio.Future[Any]],
    *,
    any_suffices: bool = False,
) -> Wait:
    pending = [future for future in futures if not future.done()]
    tasks = [future for future in pending if isinstance(future, asyncio.Task)]
    if any_suffices and len(tasks) < len(pending):
        # One of them is a bare future: that anybody completes it may be enough.
        tasks = []
    return Wait(
        task=task,
        waits_for=waits_for,
        where=where,
        holders=tuple((one, place_in(frames_of(one))) for one in sorted(tasks, key=_order)),
        any_suffices=any_suffices,
        on_tasks=True,
    )


def _shielded(outer: asyncio.Future[Any]) -> Task | None:
    """Find the task behind ``asyncio.shield``: its callback on the outer future closes over it."""
    for callback, _ in getattr(outer, "_callbacks", None) or ():
        code = getattr(callback, "__code__", None)
        if code is not None and "inner" in code.co_freevars:
            inner = callback.__closure__[code.co_freevars.index("inner")].cell_contents
            if isinstance(inner, asyncio.Task):
                return inner
    return None


def _waiter(task: Task) -> object:
    return getattr(task, "_fut_waiter", None)


def _tasks_in_variables(task: Task) -> list[Task]:
    """List the tasks that a task of the program has in its variables, alone or in a collection."""
    found: list[Task] = []
    for frame in frames_of(task):
        if is_program(frame):
            for value in frame.f_locals.values():
                values = value.values() if isinstance(value, dict) else value
                many = isinstance(value, (dict, list, tuple, set, frozenset))
                among = list(values) if many else [value]
                found += [one for one in among if isinstance(one, asyncio.Task)]
    return [one for one in found if one is not task]


def _name(thing: object, frames: list[FrameType], ledger: LockLedger | None) -> str:
    if ledger is not None:
        return ledger.name_of(thing, frames)
    return name_of(thing, frames) or "without a name"
