"""Work on many things, a few at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["few_at_a_time"]

AT_ONCE = 8

T = TypeVar("T")


async def few_at_a_time(
    things: Sequence[T], work: Callable[[T], Awaitable[None]], *, name: str
) -> None:
    """Await ``work`` for each thing, eight at a time, in order; ``name`` is that of the tasks.

    An error ends all, so ``work`` should raise none that concerns its own thing only.
    """
    left = iter(things)

    async def work_on() -> None:
        for thing in left:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for number in range(min(AT_ONCE, len(things))):
            group.create_task(work_on(), name=f"{name}:{number}")
