"""Sets of tasks that asyncio iterates in the order of creation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CreationOrder", "ordered_set"]


def ordered_set(members: Iterable[Any] = ()) -> Any:
    """Stand in for ``set`` inside ``asyncio.tasks``: coroutines keep the order they came in.

    ``as_completed`` makes a task of each coroutine in the order of a set of them, and a coroutine
    hashes by its address. Tasks hash by their creation, so for them a set will do.
    """
    members = tuple(members)
    if any(asyncio.iscoroutine(member) for member in members):
        return dict.fromkeys(members)
    return set(members)


class CreationOrder:
    """A set of tasks that is iterated in the order of their creation.

    Stands in for asyncio's own weak set of all tasks, whose order depends on how many tasks the
    process has ever had at once.
    """

    def __init__(self, tasks: Any) -> None:
        self._tasks = tasks

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self._tasks, key=_creation))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tasks, name)


def _creation(task: Any) -> tuple[int, int]:
    return getattr(task, "number", 0), getattr(task, "serial", 0)
