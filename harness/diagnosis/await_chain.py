"""The chain of awaits behind a task: its frames from its coroutine down to where it waits."""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import is_machinery, is_program
from harness.diagnosis.places import place_of

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["frames_of", "links_of", "place_in", "program_frame", "taken_for"]

# An await chain is as deep as the program's calls; a deeper chain than this is a cycle.
_DEPTH_MAX = 1_000


def frames_of(task: asyncio.Task[Any] | None) -> list[FrameType]:
    """Return the frames a task is suspended (or running) in, the innermost first."""
    frames: list[FrameType] = []
    awaited: object = None if task is None else task.get_coro()
    for _ in range(_DEPTH_MAX):
        if awaited is None:
            break
        frame, awaited = _step(awaited)
        if frame is not None:
            frames.append(frame)
    frames.reverse()
    return frames


def links_of(task: asyncio.Task[Any]) -> list[object]:
    """Return the coroutines and generators of a task, from its own down to where it waits."""
    links: list[object] = []
    awaited: object = task.get_coro()
    while awaited is not None and len(links) < _DEPTH_MAX:
        links.append(awaited)
        _, awaited = _step(awaited)
    return links


def program_frame(frames: list[FrameType]) -> FrameType | None:
    """Return the innermost frame of the system under test; without one, the innermost there is."""
    for frame in frames:
        if is_program(frame):
            return frame
    return next(
        (frame for frame in frames if not is_machinery(frame)), frames[0] if frames else None
    )


def taken_for(
    loop: asyncio.AbstractEventLoop, frame: FrameType, *, method: CodeType
) -> tuple[asyncio.Task[Any] | None, FrameType]:
    """Return who takes a lock now, and where: the caller, if a task only runs its ``method``.

    Up to CPython 3.11 ``wait_for`` makes such a task for its own ends.

    ``frame`` is where it is taken otherwise. Only the virtual loop knows the caller of a task.
    """
    task = asyncio.current_task(loop)
    caller = getattr(task, "caller", None)
    if caller is None or getattr(task.get_coro(), "cr_code", None) is not method:  # type: ignore[union-attr]
        return task, frame
    return caller, program_frame(frames_of(caller)) or frame


def place_in(frames: list[FrameType]) -> str:
    """Return where a task with these frames stands."""
    frame = program_frame(frames)
    return "not begun" if frame is None else place_of(frame.f_code, frame.f_lineno)


def _step(awaited: object) -> tuple[FrameType | None, object]:
    """Return the frame of a link of the chain, and the next link."""
    if inspect.iscoroutine(awaited):
        return awaited.cr_frame, awaited.cr_await
    if inspect.isgenerator(awaited):
        return awaited.gi_frame, awaited.gi_yieldfrom
    if inspect.isasyncgen(awaited):
        return awaited.ag_frame, awaited.ag_await
    if type(awaited).__name__ in {
        "async_generator_asend",
        "async_generator_athrow",
        "anext_awaitable",
        "coroutine_wrapper",
    }:
        # These hold the next link, but show it to the garbage collector only.
        links = gc.get_referents(awaited)
        return None, next((link for link in links if _is_link(link)), None)
    return None, None


def _is_link(thing: object) -> bool:
    return inspect.iscoroutine(thing) or inspect.isgenerator(thing) or inspect.isasyncgen(thing)
