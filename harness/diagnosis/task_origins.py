"""Where tasks come from: the line that made each, and the tasks that a closed system left."""

from __future__ import annotations

import asyncio
import sys
import weakref
from asyncio import events
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import is_asyncio, part_of_code
from harness.diagnosis.places import line_at, place_of
from harness.diagnosis.wait_graph import wait_of
from harness.history.parts import Part
from harness.history.records import Leak
from harness.processes.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType, FrameType

    Task = asyncio.Task[Any]

__all__ = ["TaskOrigins", "leaked", "maker_of", "origin_of"]

# After a system is closed its tasks have so many turns of the loop to end.
_TURNS = 3

_makers: weakref.WeakKeyDictionary[Task, tuple[CodeType, int]] = weakref.WeakKeyDictionary()


def maker_of(frame: FrameType | None) -> tuple[CodeType, int]:
    """Return the code that makes a task, and its instruction: the first that is not asyncio's."""
    while frame is not None and frame.f_back is not None and is_asyncio(frame):
        frame = frame.f_back
    if frame is None:
        return maker_of.__code__, 0
    return frame.f_code, frame.f_lasti


def origin_of(task: Task) -> str | None:
    """Return the line that made a task, where that is known."""
    maker = _maker(task)
    return None if maker is None else place_of(maker[0], line_at(*maker))


def _maker(task: Task) -> tuple[CodeType, int] | None:
    return getattr(task, "maker", None) or _makers.get(task)


class TaskOrigins:
    """Notes the makers of the tasks of asyncio's own loops while open.

    The virtual loop notes them by itself.
    """

    def __init__(self) -> None:
        self._patches = Patches(self)

    def __enter__(self) -> TaskOrigins:
        self._patches.open()
        original = asyncio.BaseEventLoop.create_task

        def create_task(loop: Any, coro: Any, **options: Any) -> Any:
            task = original(loop, coro, **options)
            if self._patches.acts():
                _makers[task] = maker_of(sys._getframe(1))
            return task

        self._patches.replace(asyncio.BaseEventLoop, "create_task", create_task)
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()


async def leaked(before: Collection[Task]) -> list[Leak]:
    """Find the tasks of a system that has been closed: made since ``before``, and still pending.

    Left out are tasks that are being cancelled, that another of these tasks awaits, or that the
    harness made for itself. A run that is torn down outside of its loop has none.
    """
    if events._get_running_loop() is None:
        return []
    left = _left(before)
    for _ in range(_TURNS):
        if not left:
            return []
        await asyncio.sleep(0)
        left = _left(before)
    waits = [wait_of(task) for task in left]
    awaited = {
        holder for wait in waits if wait is not None and wait.on_tasks for holder, _ in wait.holders
    }
    return [
        Leak(
            kind="task",
            name=task.get_name(),
            made_at=origin_of(task) or "an unknown line",
            where=place_in(frames_of(task)),
        )
        for task in left
        if task not in awaited
    ]


def _left(before: Collection[Task]) -> list[Task]:
    left = [
        task
        for task in asyncio.all_tasks()
        if task not in before
        and task is not asyncio.current_task()
        and not task.cancelling()
        and _is_the_programs(task)
    ]
    return sorted(left, key=lambda task: task.get_name())


def _is_the_programs(task: Task) -> bool:
    maker = _maker(task)
    return maker is not None and part_of_code(maker[0]) is Part.PROGRAM
