"""The delivery of a cancellation: which line took it, and whether the task went on after that.

A task may catch its cancellation to clean up, and raise it again; a task that goes on with other
things has swallowed it. Seen from outside both look alike: the task waits again. So the steps of a
task that was cancelled are traced until it ends. A task that waits while it still handles the
cancellation cleans up; one that waits and handles nothing has gone on.
"""

from __future__ import annotations

import sys
from asyncio import CancelledError
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import part_of_frame
from harness.diagnosis.places import place_of
from harness.history.parts import Part

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Delivery"]

_SUSPENDING = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE


class Delivery:
    """Watches how one task takes a cancellation.

    ``caught_at`` is the line that handled it last. ``went_on_at`` is the line at which the task
    waited next with the cancellation behind it, None if it never did. ``by_program``: the handler
    was the program's own, not asyncio's. ``raised``: in the end it was raised again.
    """

    def __init__(self) -> None:
        self.caught_at: str | None = None
        self.went_on_at: str | None = None
        self.by_program = False
        self.raised = False
        self._handled: dict[FrameType, BaseException | None] = {}

    def step(self, task: Any, run: Callable[[], None]) -> None:
        """Run a step of the task, and see whether it still handles the cancellation after it."""
        if self.went_on_at is not None:
            run()
            return
        before = sys.gettrace()
        sys.settrace(self._entered)
        try:
            run()
        finally:
            sys.settrace(before)
        if not task.done():
            self._look(task)
        self._handled.clear()

    def _look(self, task: Any) -> None:
        frames = frames_of(task)
        if not frames or frames[0] not in self._handled or not self.caught_at:
            return
        handled = self._handled[frames[0]]
        # Who takes the request back has dealt with it: uncancel() says so.
        if not _is_of_cancellation(handled) and task.cancelling():
            self.went_on_at = place_in(frames)

    def _entered(self, frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        return self._within if frame.f_code.co_flags & _SUSPENDING else None

    def _within(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception" and issubclass(argument[0], CancelledError):
            self.caught_at = place_of(frame.f_code, frame.f_lineno)
            self.by_program = part_of_frame(frame) is Part.PROGRAM
        elif event == "return":
            self._handled[frame] = sys.exc_info()[1]
        return self._within


def _is_of_cancellation(error: BaseException | None) -> bool:
    """Return True if the error is a cancellation, or was raised while one was handled."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, CancelledError):
            return True
        seen.add(id(error))
        error = error.__context__
    return False
