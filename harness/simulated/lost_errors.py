"""Errors that nobody took: of tasks and of executor calls, whether anything still refers to them.

asyncio reports such an error when its task or future is collected. A reference that lives on, be it
a list of the module or garbage in a cycle, keeps it silent. So they are asked at the end of a run.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["REGISTER", "report_lost", "tasks_of"]

# asyncio's weak set of all tasks of the process; CPython 3.14 keeps its own tasks elsewhere.
REGISTER: Any = getattr(
    asyncio.tasks, "_scheduled_tasks" if sys.version_info >= (3, 12) else "_all_tasks"
)


def tasks_of(loop: VirtualLoop) -> list[Any]:
    """List the loop's tasks, those that have ended too as far as they are still there."""
    made: list[Any] | None = getattr(loop, "made_tasks", None)
    return [one for one in REGISTER if one.get_loop() is loop] if made is None else made


def report_lost(loop: VirtualLoop, tasks: Iterable[Any]) -> None:
    """Report what nobody took to the loop, as asyncio does when it collects the task or future."""
    for task in tasks:
        if task.done() and task._log_traceback:
            _report(loop, "Task", "task", task)
    for future in loop.outside_futures.failed:
        if future._log_traceback:
            _report(loop, "Future", "future", future)
    loop.outside_futures.failed.clear()


def _report(loop: VirtualLoop, kind: str, key: str, one: Any) -> None:
    loop.call_exception_handler(
        {
            "message": f"{kind} exception was never retrieved",
            "exception": one._exception,
            key: one,
        }
    )
    one._log_traceback = False
