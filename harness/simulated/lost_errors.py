"""Errors that nobody took: of tasks, calls and futures, whether anything still refers to them.

asyncio reports such an error when its task or future is collected. A reference that lives on, be it
a list of the module or garbage in a cycle, keeps it silent. So they are asked at the end of a run.

No loop knows the futures that a program makes. They are among the objects that were made in the run
and are still there, which the garbage collector lists: all those since its last collection.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any

from harness.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.simulated.loop.virtual_loop import VirtualLoop

__all__ = ["REGISTER", "Survivors", "raise_refusal", "report_lost", "soon_told", "tasks_of"]

# asyncio's weak set of all tasks of the process; CPython 3.14 keeps its own tasks elsewhere.
REGISTER: Any = getattr(
    asyncio.tasks, "_scheduled_tasks" if sys.version_info >= (3, 12) else "_all_tasks"
)


def tasks_of(loop: VirtualLoop) -> list[Any]:
    """List the loop's tasks, those that have ended too as far as they are still there."""
    made: Iterable[Any] | None = getattr(loop, "made_tasks", None)
    if made is not None:
        return list(made)
    # A set of addresses has no order of its own.
    return sorted((one for one in REGISTER if one.get_loop() is loop), key=_serial)


def soon_told(loop: VirtualLoop) -> list[Any]:
    """List the tasks and futures that are done, and of which a callback that is ready is told.

    Their errors are not lost yet: asyncio, too, lets a task that was woken take the error.
    """
    return [
        one
        for handle in loop._ready
        for one in (handle.call or ())[1:]
        if isinstance(one, asyncio.Future)
    ]


def raise_refusal(refused: Sequence[str], error: BaseException | None, *, seed: int) -> None:
    """Raise what was refused, whatever became of it: all that came later is of another program."""
    if refused and not isinstance(error, Unsupported):
        raise Unsupported(f"seed {seed}: {refused[0]}") from error


def _serial(task: Any) -> int:
    return getattr(task, "serial", 0)


def report_lost(loop: VirtualLoop, tasks: Iterable[Any], *, but: Iterable[Any] = ()) -> None:
    """Report what nobody took to the loop, as asyncio does when it collects the task or future.

    ``but`` are left out: what becomes of their errors is to be seen.
    """
    failed = loop.outside_futures.failed
    lost = [one for one in tasks if one._log_traceback and one.done()]
    lost += [one for one in failed if one._log_traceback and one.done()]
    if lost:
        spared = {id(one) for one in but}
        for one in lost:
            if id(one) not in spared:
                kind = "Task" if isinstance(one, asyncio.Task) else "Future"
                _report(loop, kind, kind.lower(), one)
    failed.clear()


def _report(loop: VirtualLoop, kind: str, key: str, one: Any) -> None:
    loop.call_exception_handler(
        {
            "message": f"{kind} exception was never retrieved",
            "exception": one._exception,
            key: one,
        }
    )
    one._log_traceback = False


# A look lists at most so many objects that were there before the run, or little more.
YOUNG_MAX = 200


class Survivors:
    """The futures that outlive a run, which begins with this; nothing is collected meanwhile.

    A search keeps one for all of its runs. Many of them leave as many objects as the run that left
    fewest, and then nothing more has outlived the run: there is no need to look.
    """

    def __init__(self) -> None:
        self._fewest: int | None = None
        self._always = False
        self.begin()

    def begin(self) -> None:
        """Begin with the next run."""
        if gc.get_count()[0] > YOUNG_MAX:
            # All that is young is listed at each look.
            gc.collect(0)
        # What is made later stands behind it in that list.
        self._first: list[Any] = []
        self._young, self._middle, self._old = gc.get_count()

    def report_lost(self, loop: VirtualLoop) -> None:
        """Report the futures of a loop that have an error which nobody has asked for."""
        young, middle, old = gc.get_count()
        left = young - self._young
        collected = left < 0 or middle != self._middle or old != self._old
        if left == self._fewest and not collected and not self._always:
            return
        if not collected and (self._fewest is None or left < self._fewest):
            self._fewest = left
        for one in self._survivors(collected=collected):
            if one._log_traceback and one.get_loop() is loop and not _ends_softly(one):
                self._always = True
                _report(loop, "Future", "future", one)

    def _survivors(self, *, collected: bool) -> list[Any]:
        """List the futures, and no tasks; a collection has mixed the young and the old."""
        found: list[Any] = []
        first = None if collected else self._first
        for one in reversed(gc.get_objects() if collected else gc.get_objects(0)):
            if one is first:
                break
            kind = type(one)
            if kind in _OTHERS:
                continue
            if issubclass(kind, asyncio.Future) and not issubclass(kind, asyncio.Task):
                found.append(one)
            elif len(_OTHERS) < _OTHERS_MAX:
                _OTHERS.add(kind)
        found.reverse()
        return found


# Kinds of objects that are no such futures; to look a kind up costs less than to ask it.
_OTHERS: set[type] = {dict, list, tuple, set}
_OTHERS_MAX = 10_000


def _ends_softly(future: Any) -> bool:
    """Return True if what holds a future may take its error at its own end, as streams do."""
    for holder in gc.get_referrers(future):
        owners = gc.get_referrers(holder) if type(holder) is dict else (holder,)
        if any(hasattr(type(one), "__del__") and one is not future for one in owners):
            return True
    return False
