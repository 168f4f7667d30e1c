"""How a run was cut short: the limit that it reached, or the step that never returns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.results.wording import count
from harness.simulated.loop.pause import Pause
from harness.simulated.lost_errors import tasks_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

__all__ = ["Cut", "busiest_lines", "cut_of_pause"]

# So many of the last steps are looked at, and so many lines are told.
LAST_STEPS = 4_096
LINES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Why a run was cut short.

    ``shown`` says that it could never have gone on: that is a finding, and ``where`` is its line. A
    limit is none, since more of it might have been enough. ``lines`` are the busiest lines of the
    program, the busiest first. ``budget``: what ended was the time for all runs of a search.
    """

    shown: bool
    headline: str
    lines: tuple[str, ...] = ()
    advice: str = ""
    where: str = ""
    budget: bool = False

    @property
    def text(self) -> str:
        """All of it in one line."""
        busiest = f"; busiest: {', '.join(self.lines)}" if self.lines else ""
        return self.headline + busiest + (f"; {self.advice}" if self.advice else "")


def cut_of_pause(loop: Any, pause: Pause) -> Cut | None:
    """Tell of a loop that paused at a limit of its steps; None if it paused for another reason."""
    if pause is Pause.STEPS:
        took, advice = (
            count(loop.trace.step_count + len(loop.trace.steps), "step"),
            "steps_max allows more",
        )
    elif pause is Pause.SPINNING:
        took, advice = "more events than a moment may have", ""
    else:
        return None
    tasks = {one.number: one for one in tasks_of(loop)}
    lines = busiest_lines(loop.trace.steps[-LAST_STEPS:], tasks)
    headline = f"ended after {took} at {loop.time():.3f} s of virtual time"
    return Cut(shown=False, headline=headline, lines=lines, advice=advice)


def busiest_lines(steps: Sequence[int], tasks: dict[int, Any]) -> tuple[str, ...]:
    """Name the tasks that took most of these steps, and where each stands."""
    most = Counter(steps).most_common(LINES_MAX)
    return tuple(
        f"{_where(tasks.get(number))} ({taken / len(steps):.0%} of the last steps)"
        for number, taken in most
    )


def _where(task: asyncio.Task[Any] | None) -> str:
    if task is None:
        return "callbacks of no task"
    if task.done():
        return f"{task.get_name()}, which has ended"
    return f"{task.get_name()} at {place_in(frames_of(task))}"
