"""A wait: what a task waits for, where it stands, and who must act before it can go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    Task = asyncio.Task[Any]

__all__ = ["Wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a task waits for, where it stands, and who must act before it can go on.

    ``holders`` are pairs (task, where it stands or took the lock). If ``any_suffices``, one of them
    is enough (a semaphore's holders); if not, all must act (gathered tasks). Without holders the
    task waits for something that anybody might do: a queue, an event, a timer. ``thing`` is what
    it waits for and ``call`` the method that it waits in, where they are known; ``on_tasks`` says
    that the holders are awaited. ``firm`` says that only the holders can end the wait.
    """

    task: Task
    waits_for: str
    where: str
    holders: tuple[tuple[Task, str], ...] = ()
    any_suffices: bool = False
    thing: object = None
    call: str = ""
    on_tasks: bool = False
    firm: bool = True
