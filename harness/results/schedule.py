"""The schedule of a run: which lane ran when, and where it deviated from the default."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Schedule", "ScheduleStep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStep:
    """A schedule step: a task runs from an await to the next, or an event comes from outside.

    ``index`` counts from 0, ``at_s`` is virtual seconds. ``lane`` names the task, or what is
    outside ("client alice", "executor", "node"). ``does`` says how the step ended ("awaits
    Lock.acquire", "returned", "fault: client.sync.started fails"), ``place`` is the source line at
    which the lane then stands, ``source`` that line's text. ``deviation`` says how the step differs
    from the default ("ran ahead of task-2", "cancelled here"), or is None. ``woken_by`` is the
    index of the step that woke the lane, or None where that is not known.
    """

    index: int
    at_s: float
    lane: str
    does: str
    place: str | None = None
    source: str | None = None
    deviation: str | None = None
    woken_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The steps of a run in order; ``cycle`` names lanes that wait in a cycle at its end.

    ``dropped`` counts steps beyond the limit, which were left out at the end.
    """

    steps: tuple[ScheduleStep, ...]
    cycle: tuple[str, ...] = ()
    dropped: int = 0

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes in the order of their first step."""
        return tuple(dict.fromkeys(step.lane for step in self.steps))

    @property
    def deviations(self) -> tuple[ScheduleStep, ...]:
        """The steps that differ from the default."""
        return tuple(step for step in self.steps if step.deviation is not None)
