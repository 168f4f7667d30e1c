"""The deadline that the harness sets a task: it looks at who waits for whom, then cancels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessBug

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """Cancels the running task once, when its time is up, after telling ``on_late``.

    One that ``judges`` is no timeout of the program: what waits until it strikes has not helped
    itself, and may be told as stuck before.
    """

    def __init__(
        self, within_s: float, *, on_late: Callable[[], None], judges: bool = True
    ) -> None:
        self.passed = False
        self.judges = judges
        self._within_s = within_s
        self._on_late = on_late

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise HarnessBug("a deadline was set outside of a task")
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._within_s, self._strike, task)

    def __exit__(self, *_exception: object) -> None:
        self._timer.cancel()

    def taken_back(self) -> bool:
        """Take back the cancellation; False if it did not strike, or is not the only one."""
        task = asyncio.current_task()
        return self.passed and task is not None and task.uncancel() == 0

    def _strike(self, task: asyncio.Task[Any]) -> None:
        self.passed = True
        self._on_late()
        task.cancel()
