"""A schedule in a terminal: a line for each step, long stretches without deviations folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.wait_words import around
from harness.report.text.schedule_stretches import Gap, shown_steps, with_gaps
from harness.results.wording import count, one_line, seconds, shortened

if TYPE_CHECKING:
    from harness.results.schedule import Schedule, ScheduleStep

__all__ = [
    "STEPS_MAX",
    "closing_lines",
    "gap_words",
    "schedule_lines",
    "step_columns",
    "step_kind",
]

STEPS_MAX = 120
_CONTEXT = 2
_LANE_WIDTH_MAX = 24
_DOES_WIDTH_MAX = 34
_WORDS_MAX = 200


def schedule_lines(
    schedule: Schedule, *, steps_max: int = STEPS_MAX, context: int = _CONTEXT
) -> list[str]:
    """Return a line for each step: index, virtual time, lane, what it did, and where.

    A step that deviates from the default has a ``*``, and a further line says how. Around
    deviations, and at both ends, ``context`` steps are shown; longer stretches are counted. At most
    ``steps_max`` steps are shown, and a line says how many were left out.
    """
    shown = shown_steps(schedule.steps, steps_max=steps_max, context_max=context)
    if not shown:
        return ["the schedule is empty: nothing ran", *closing_lines(schedule)]
    columns = [step_columns(step) for step in shown]
    widths = [max(len(row[at]) for row in columns) for at in range(3)]
    lane_width = min(max(len(row[3]) for row in columns), _LANE_WIDTH_MAX)
    does_width = min(max(len(row[4]) for row in columns), _DOES_WIDTH_MAX)
    lines = []
    for one in with_gaps(schedule.steps, shown):
        if isinstance(one, Gap):
            lines.append(f"  {gap_words(one)}")
            continue
        mark, index, at, lane, does, place = step_columns(one)
        head = f"{mark:1} {index:>{widths[1]}}  {at:>{widths[2]}}  {lane:{lane_width}}"
        lines.append(f"{head}  {does:{does_width}}  {place}".rstrip())
        if one.deviation is not None:
            lines.append(f"{'':{widths[1] + 4}}* {_words(one.deviation)}")
    return lines + closing_lines(schedule)


def step_columns(step: ScheduleStep) -> tuple[str, str, str, str, str, str]:
    """Word a step: mark, index, virtual time, lane, what it did, its place with the source line."""
    return (
        "*" if step.deviation is not None else "",
        str(step.index),
        seconds(step.at_s),
        _words(step.lane),
        _words(step.does),
        _place(step),
    )


def step_kind(step: ScheduleStep) -> str:
    """Say how a step ended, from its words: ran, ended or failed."""
    if step.does.startswith(("raised", "fault", "cancelled", "was cancelled")):
        return "failed"
    return "ended" if step.does.startswith("returned") else "ran"


def gap_words(gap: Gap) -> str:
    """Word a stretch that is not shown."""
    if gap.deviations == 0:
        return f"… {count(gap.steps, 'step')} as by default …"
    return f"… {count(gap.steps, 'step')} left out, {count(gap.deviations, 'deviation')} in them …"


def closing_lines(schedule: Schedule) -> list[str]:
    """Word what follows the last step: the steps dropped, and the cycle of lanes that wait."""
    lines = []
    if schedule.dropped:
        lines.append(f"  … {count(schedule.dropped, 'more step')} at the end, not recorded")
    if schedule.cycle:
        lines.append(f"  waiting in a cycle: {' -> '.join(map(_words, around(schedule.cycle)))}")
    return lines


def _place(step: ScheduleStep) -> str:
    if step.place is None:
        return ""
    source = f"  {_words(step.source.strip())}" if step.source else ""
    return f"{_words(step.place)}{source}"


def _words(text: str) -> str:
    return one_line(shortened(text, _WORDS_MAX))
