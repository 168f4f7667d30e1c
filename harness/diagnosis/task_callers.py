"""Own for whom a task works that asyncio made for its own ends: ``wait_for`` does up to 3.11."""

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
    """Return who takes a lock now, and where: of a task that only runs its ``method``, the caller.

    ``frame`` is where it is taken otherwise. Who made a task, only the virtual loop knows.
    """
    task = asyncio.current_task(loop)
    caller = getattr(task, "caller", None)
    if caller is None or getattr(task.get_coro(), "cr_code", None) is not method:  # type: ignore[union-attr]
        return task, frame
    return caller, program_frame(frames_of(caller)) or frame
