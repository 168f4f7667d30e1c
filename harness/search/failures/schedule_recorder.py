"""The recording of a schedule for people: who ran, and where each then stood."""

from __future__ import annotations

import linecache
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind
from harness.choices.policies import StepWatcher
from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import is_program
from harness.diagnosis.wait_graph import wait_of
from harness.results.schedule import Schedule, ScheduleStep
from harness.search.failures.shrinking import LONG
from harness.search.failures.tape import Deviation

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from harness.choices.policies import Arriving, Lane, WatchedLoop

__all__ = ["STEPS_MAX", "InterleavingRecorder", "ScheduleRecorder"]

# Steps that a report can show; what comes after is counted.
STEPS_MAX = 20_000

_PLACE = re.compile(r"^(?P<path>.+):(?P<line>\d+) in ")


class InterleavingRecorder(StepWatcher):
    """Records which lines were interleaved in a run: at one a task stood as another came to one."""

    def __init__(self) -> None:
        self.interleaved: Counter[tuple[str, str]] = Counter()
        self._loop: WatchedLoop
        self._stands: dict[int, str] = {}

    def bind(self, loop: WatchedLoop) -> None:
        """Take the loop that is to run."""
        self._loop = loop

    def ended(self, handle: Lane) -> None:
        """Note where the lane stands after its step."""
        if handle.lane > 0:
            task = self._task(handle.lane)
            stands = task is not None and not task.done()
            self._note_interleaving(handle.lane, place_in(frames_of(task)) if stands else None)

    def _note_interleaving(self, lane: int, place: str | None) -> None:
        if place is None:
            self._stands.pop(lane, None)
            return
        for other, stood in self._stands.items():
            if other != lane:
                self.interleaved[stood, place] += 1
        self._stands[lane] = place

    def _task(self, lane: int) -> asyncio.Task[Any] | None:
        made = self._loop.made_tasks
        if lane <= len(made):
            found: asyncio.Task[Any] | None = made[lane - 1]
            if getattr(found, "number", 0) == lane:
                return found
        return next((task for task in made if task.number == lane), None)


class ScheduleRecorder(InterleavingRecorder):
    """Records every step of a run. It is used for one run, and never for a search."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[ScheduleStep] = []
        self._inner = StepWatcher()
        self._dropped = 0
        self._deviation: str | None = None
        self._notes: list[str] = []
        self.stacks: list[tuple[str, ...]] = []
        # What became ready in which step; None for what came from outside.
        self._wakers: dict[Lane, int | None] = {}
        self._woken_by: int | None = None
        self._ran: Counter[int] = Counter()
        # The first and the last step before which a lane stood at a line.
        self._sites: dict[str, dict[str, tuple[int, int]]] = {}

    def watching(self, inner: StepWatcher | None) -> ScheduleRecorder:
        """Pass on all that is seen to another watcher, too."""
        if inner is not None:
            self._inner = inner
        return self

    def bind(self, loop: WatchedLoop) -> None:
        """Take the loop that is to run."""
        super().bind(loop)
        self._inner.bind(loop)

    def begins(self, handle: Lane, overtaken: Sequence[Lane]) -> None:
        """Note whom the step overtakes."""
        self._comes(handle, [self._name(one) for one in overtaken if one.lane >= 0])
        if handle.lane >= 0:
            self._ran[handle.lane] += 1
        self._inner.begins(handle, overtaken)

    def arrives(self, arrival: Arriving, overtaken: Sequence[Arriving]) -> None:
        """Note what comes from outside, and what it overtakes."""
        passed = [self._name(one, one.label) for one in overtaken if one.lane >= 0]
        self._comes(arrival, passed)
        self._note_site(f"outside {arrival.label}", arrival.lane)
        if self._deviation is not None:
            self._add(self._name(arrival, arrival.label), f"{arrival.label} comes", None)
        self._ran[arrival.lane] += 1
        self._inner.arrives(arrival, overtaken)

    def _comes(self, lane: Lane, overtaken: list[str]) -> None:
        names = dict.fromkeys(overtaken)
        self._deviation = f"ran ahead of {', '.join(names)}" if names else None
        for ready in self._loop.ready:
            self._wakers.setdefault(ready, None)
        self._woken_by = self._wakers.pop(lane, None)

    def chosen(self, what: str) -> None:
        """Note a choice that is no order: a fault, a cancellation, a latency."""
        self._notes.append(what)

    def ended(self, handle: Lane) -> None:
        """Note where the lane stands after its step."""
        if handle.lane > 0:
            task = self._task(handle.lane)
            does, place = _stand(task) if task is not None else ("ran a callback", None)
            self._note_interleaving(handle.lane, place)
            stack = () if place is None or task is None else _stack(task)
            if stack:
                self._note_site(" < ".join(stack), handle.lane)
            self._add(self._name(handle), does, place, stack)
            for ready in self._loop.ready:
                self._wakers.setdefault(ready, len(self._steps) - 1)
        self._inner.ended(handle)

    def schedule(self, cycle: Sequence[str] = ()) -> Schedule:
        """Return what was recorded."""
        return Schedule(steps=tuple(self._steps), cycle=tuple(cycle), dropped=self._dropped)

    def _note_site(self, line: str, lane: int) -> None:
        """Note that the step that comes next is one that could be kept back."""
        lanes = self._sites.setdefault(line, {})
        name, step = self._loop.lane_name(lane), self._ran[lane]
        lanes[name] = (lanes.get(name, (step, step))[0], step)

    def sites(self) -> list[Deviation]:
        """List long delays worth a try: a lane or two kept back at each line where any stood.

        A line that is reached by two ways counts twice: all of a program may wait in one function.
        The lines at which tasks stood most seldom come first: a critical section is passed a few
        times, a polling loop thousands.
        """
        seldom = sorted(self._sites.values(), key=len)
        picked = [list(lanes.items()) for lanes in seldom]
        middle = [lanes[len(lanes) // 2] for lanes in picked]
        firsts = [lanes[0] for lanes in picked if len(lanes) > 1]
        found = [
            *((lane, last) for lane, (_, last) in (*middle, *firsts)),
            *((lane, begin) for lane, (begin, last) in (*middle, *firsts) if begin < last),
        ]
        return [Deviation(ChoiceKind.ORDER, lane, nth, LONG) for lane, nth in found]

    def gatherings(self) -> list[tuple[Deviation, ...]]:
        """List for each line, where several lanes stood, the long delays of all of them there."""
        return [
            tuple(
                Deviation(ChoiceKind.ORDER, lane, begin, LONG) for lane, (begin, _) in lanes.items()
            )
            for lanes in sorted(self._sites.values(), key=len)
            if len(lanes) > 1
        ]

    def _add(self, lane: str, does: str, place: str | None, stack: tuple[str, ...] = ()) -> None:
        if len(self._steps) >= STEPS_MAX:
            self._dropped += 1
            return
        words = [*([self._deviation] if self._deviation else []), *self._notes]
        self._notes.clear()
        self._deviation = None
        self.stacks.append(stack)
        self._steps.append(
            ScheduleStep(
                index=len(self._steps),
                at_s=self._loop.time(),
                lane=lane,
                does=does,
                place=place,
                source=_source(place),
                deviation="; ".join(words) or None,
                woken_by=self._woken_by,
            )
        )

    def _name(self, handle: Lane, label: str = "callback") -> str:
        task = self._task(handle.lane)
        if task is not None:
            return task.get_name()
        name = self._loop.lane_name(handle.lane)
        label = label.partition(" call ")[0]
        # What belongs to no task and to no process has a number only.
        return f"{label} outside" if name == str(handle.lane) else f"{label} {name}"


def _stand(task: asyncio.Task[Any]) -> tuple[str, str | None]:
    """Say what a task does after its step: it waits for something, or it has ended."""
    if task.done():
        if task.cancelled():
            return "was cancelled", None
        # Not exception(): that would tell asyncio that somebody has taken the error.
        error: BaseException | None = task._exception
        return ("returned" if error is None else f"raised {type(error).__name__}"), None
    wait = wait_of(task)
    if wait is None:
        return "lets others run", place_in(frames_of(task))
    return f"awaits {wait.waits_for}", wait.where


def _stack(task: asyncio.Task[Any]) -> tuple[str, ...]:
    """List the line at which a task stands, and those that led to it."""
    return tuple(place_in([frame]) for frame in frames_of(task) if is_program(frame))


def _source(place: str | None) -> str | None:
    found = _PLACE.match(place or "")
    if found is None:
        return None
    return linecache.getline(found["path"], int(found["line"])).strip() or None
