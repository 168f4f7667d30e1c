"""The caller behind a task that asyncio made for its own ends, as ``wait_for`` does up to 3.11."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, program_frame

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["taken_for"]


def taken_for(
    loop: asyncio.AbstractEventLoop, frame: FrameType, *, method: CodeType
) -> tuple[asyncio.Task[Any] | None, FrameType]:
    """Return who takes a lock now, and where: the caller, if a task only runs its ``method``.

    ``frame`` is where it is taken otherwise. Only the virtual loop knows the caller of a task.
    """
    task = asyncio.current_task(loop)
    caller = getattr(task, "caller", None)
    if caller is None or getattr(task.get_coro(), "cr_code", None) is not method:  # type: ignore[union-attr]
        return task, frame
    return caller, program_frame(frames_of(caller)) or frame
