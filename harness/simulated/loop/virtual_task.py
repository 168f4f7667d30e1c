"""The tasks of the virtual loop: their numbers, their names and their place in a set."""

from __future__ import annotations

import asyncio
import sys
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Any
from weakref import ref

from harness.diagnosis.task_origins import maker_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Iterator
    from types import CodeType, FrameType

__all__ = ["TASK_NUMBER", "MadeTasks", "TaskMaker", "VirtualTask"]

# The number of the task on whose behalf a callback runs. It lies in the context, because that is
# what asyncio hands on from a task to its timers and wake-ups: one C lookup tells the trace whose
# callback it is.
TASK_NUMBER: ContextVar[int] = ContextVar("harness_task_number", default=0)

# The very string that stands for the name of a task that was given none. It is written out when it
# is asked for: few are, and a string for each task takes time and memory.
_BY_NUMBER = "task-{}"

# References to a task that nobody holds: of the wake-up that its future calls, of the variable in
# which it is looked at, and of the function that counts.
_UNHELD = 3


class VirtualTask(asyncio.Task[Any]):
    """CPython's own task with a hash that is the order of its creation.

    A set of tasks (TaskGroup, ``asyncio.wait``, ``all_tasks``) is iterated in an order that follows
    from its members' hashes. The inherited hash is an address: it differs from run to run.
    """

    # Slots, though a task can have a dict as well: what is set for every task costs less in them.
    __slots__ = ("maker_code", "maker_instruction", "number", "serial")

    # ``serial`` is unique. ``number`` is what the trace shows and sets go by: a task that
    # ``wait_for`` makes for its own ends, which it does up to CPython 3.11 only, keeps its
    # caller's, so that all other tasks have the same number on every release; ``caller`` is then
    # that task. The code that made it, and the instruction there, are set if the loop's
    # ``TaskMaker`` notes that.
    serial: int
    number: int
    maker_code: CodeType
    maker_instruction: int
    caller: asyncio.Task[Any] | None = None

    @property
    def maker(self) -> tuple[CodeType, int] | None:
        """The code that made the task, and the instruction there, if that was noted."""
        code = getattr(self, "maker_code", None)
        return None if code is None else (code, self.maker_instruction)

    def __hash__(self) -> int:
        return self.number

    def get_name(self) -> str:
        """Return the task's name."""
        name = super().get_name()
        return _BY_NUMBER.format(self.number) if name is _BY_NUMBER else name

    def set_name(self, value: object) -> None:
        """Name the task; a trace that is kept shows its last name."""
        super().set_name(value)
        names = getattr(self.get_loop(), "task_names", None)
        if names is not None:
            names[self.number] = self.get_name()


# CPython writes the class's name into its messages: they must read as they do in production.
VirtualTask.__name__ = "Task"


class TaskMaker:
    """Makes the tasks of one loop and numbers them from 1."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.notes_makers = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Number the tasks from 1."""
        self._serial_last = 0
        self._unnumbered = 0

    def make(
        self,
        coro: Generator[Any, None, Any] | Coroutine[Any, Any, Any],
        name: object,
        context: Context | None,
    ) -> VirtualTask:
        """Make a task. Its number is set before the constructor, which already hashes it."""
        task = VirtualTask.__new__(VirtualTask)
        self._serial_last = number = self._serial_last + 1
        task.serial = number
        if self.notes_makers:
            task.maker_code, task.maker_instruction = maker_of(sys._getframe(2))
        if _WAIT_FOR_MAKES_TASKS and _called_by_wait_for(sys._getframe(2)):
            self._unnumbered += 1
            number = TASK_NUMBER.get()
            name = f"{_current_name()} (wait_for)"
            task.caller = asyncio.current_task()
        else:
            # Without wait_for's tasks the number is the serial, and no second object beside it.
            if self._unnumbered:
                number -= self._unnumbered
            if name is None:
                name = _BY_NUMBER
        task.number = number
        if context is None:
            context = copy_context()
            context.run(TASK_NUMBER.set, number)
        elif TASK_NUMBER not in context:
            context.run(TASK_NUMBER.set, number)
        task.__init__(coro, loop=self._loop, name=name, context=context)  # type: ignore[misc]
        return task


_WAIT_FOR_MAKES_TASKS = sys.version_info < (3, 12)
_WAIT_FOR = asyncio.wait_for.__code__
_ENSURE_FUTURE = asyncio.ensure_future.__code__


def _called_by_wait_for(frame: FrameType) -> bool:
    """Tell, from the frame that called ``create_task``, whether ``wait_for`` is behind it."""
    ensure_future = frame.f_back
    if ensure_future is None or ensure_future.f_code is not _ENSURE_FUTURE:
        return False
    caller = ensure_future.f_back
    return caller is not None and caller.f_code is _WAIT_FOR


def _current_name() -> str:
    task = asyncio.current_task()
    return "no task" if task is None else task.get_name()


class MadeTasks:
    """The tasks of one run in the order in which they were made, by weak references.

    asyncio keeps no others. So a task that nobody holds, and that waits for what only it knows,
    ends here too when garbage is collected.
    """

    __slots__ = ("_references",)

    def __init__(self) -> None:
        self._references: list[ref[Any]] = []

    def append(self, task: Any) -> None:
        """Take a task that was just made."""
        self._references.append(ref(task))

    def clear(self) -> None:
        """Forget them all."""
        self._references.clear()

    def __len__(self) -> int:
        """Return how many were made, those that are gone too."""
        return len(self._references)

    def __iter__(self) -> Iterator[Any]:
        """Go through those that are still there."""
        found = [reference() for reference in self._references]
        return iter(found if None not in found else [one for one in found if one is not None])

    def __getitem__(self, index: int | slice) -> Any:
        """Return a task, None if it is gone; of a slice, those that are still there."""
        if isinstance(index, slice):
            tasks = [reference() for reference in self._references[index]]
            return [task for task in tasks if task is not None]
        return self._references[index]()

    def any_unheld(self) -> bool:
        """Return True if a task that waits may be held by nothing but what it waits for."""
        # One at a time: whoever lists them holds them.
        tasks = filter(None, (reference() for reference in self._references))
        return any(sys.getrefcount(task) <= _UNHELD and not task.done() for task in tasks)
