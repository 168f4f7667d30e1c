"""The drawing of a schedule: lanes, a mark a step, deviations, wake-ups, and the cycle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.report.text.schedule_stretches import Gap, shown_steps, with_gaps
from harness.report.text.schedule_text import gap_words, step_kind
from harness.results.wording import count, cut, one_line, printable, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.results.schedule import Schedule, ScheduleStep

__all__ = [
    "LANES_MAX",
    "STEPS_MAX",
    "SchedulePlot",
    "StepBreak",
    "StepLane",
    "StepMark",
    "StepTick",
    "schedule_plot",
]

LANES_MAX = 40
STEPS_MAX = 300
_WIDTH = 810  # pixels that a short schedule is spread over, with the arrows of its cycle
_PITCH_MIN, _PITCH_MAX = 14.0, 56.0
_LANE_HEIGHT = 30
_HEAD = 34  # pixels above the first lane: ticks, and the numbers of deviations
_LEFT = 18
_TICK_ROOM = 58  # pixels that a tick's label takes
_LABEL_MAX = 26
_CYCLE_GAP = 10  # pixels from the last step to where the cycle's arrows begin


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLane:
    """A lane, in pixels: ``y`` is its middle, ``x`` its first step, ``x_end`` its last."""

    label: str
    title: str
    y: float
    x: float
    x_end: float
    in_cycle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMark:
    """A step at ``x``, ``y`` pixels. ``kind`` is ran, ended or failed.

    ``star`` numbers the deviations from 1, 0 for a default step; ``words`` say how it deviates.
    """

    x: float
    y: float
    kind: str
    title: str
    star: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTick:
    """A moment of virtual time at ``x`` pixels; without a label where there is no room."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBreak:
    """Steps that are not drawn, at ``x`` pixels."""

    x: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlot:
    """A schedule's drawing, all in pixels; paths are SVG path data.

    ``course`` joins the steps in order, ``wakes`` lead from a step to the step it woke, and
    ``cycle`` from each lane of the final cycle to the lane it waits for. ``left_out`` says in words
    what the caps kept out.
    """

    width: float
    height: float
    lanes: tuple[StepLane, ...]
    marks: tuple[StepMark, ...]
    ticks: tuple[StepTick, ...]
    breaks: tuple[StepBreak, ...]
    course: str
    wakes: tuple[str, ...]
    cycle: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def deviations(self) -> tuple[StepMark, ...]:
        """The marks of steps that deviate."""
        return tuple(mark for mark in self.marks if mark.star)


def schedule_plot(
    schedule: Schedule, *, steps_max: int = STEPS_MAX, lanes_max: int = LANES_MAX
) -> SchedulePlot | None:
    """Lay out a schedule, its steps in order from left to right; None where nothing ran.

    The axis is the order and not the time: virtual time may stand still over many steps. Of more
    than ``steps_max`` steps, those near deviations and the ends are drawn; of more than
    ``lanes_max`` lanes, those of the cycle, then those that deviate, then the earliest.
    """
    lanes = _shown_lanes(schedule, lanes_max)
    shown = _shown([step for step in schedule.steps if step.lane in lanes], steps_max)
    if not shown:
        return None
    drawn = {step.lane for step in shown}
    sheet = _Sheet(schedule, shown, [lane for lane in lanes if lane in drawn])
    cycle = tuple(_cycle(schedule.cycle, sheet))
    return SchedulePlot(
        width=round(sheet.x_end + 24 + (_cycle_reach(len(sheet.y_of)) + 14 if cycle else 0)),
        height=_HEAD + _LANE_HEIGHT * len(sheet.y_of) + 8,
        lanes=tuple(_lanes(sheet, schedule.cycle)),
        marks=tuple(_marks(sheet)),
        ticks=tuple(_ticks(sheet)),
        breaks=sheet.breaks,
        course=_course(sheet),
        wakes=tuple(_wakes(sheet)),
        cycle=cycle,
        left_out=tuple(_left_out(schedule, sheet)),
    )


class _Sheet:
    """Where everything stands: ``places`` are (step, x, y) in order, ``y_of`` maps lane to y."""

    def __init__(
        self, schedule: Schedule, shown: Sequence[ScheduleStep], lanes: Sequence[str]
    ) -> None:
        self.y_of = {lane: _HEAD + _LANE_HEIGHT * (at + 0.5) for at, lane in enumerate(lanes)}
        columns = list(with_gaps(schedule.steps, shown))  # a gap takes a column as well
        room = _WIDTH - (_cycle_reach(len(lanes)) if len(schedule.cycle) > 1 else 0.0)
        pitch = min(max(room / len(columns), _PITCH_MIN), _PITCH_MAX)
        placed = [(one, round(_LEFT + pitch * at, 1)) for at, one in enumerate(columns)]
        self.x_end = placed[-1][1]
        self.places = [
            (one, x, self.y_of[one.lane]) for one, x in placed if not isinstance(one, Gap)
        ]
        self.breaks = tuple(
            StepBreak(x=x, title=gap_words(one)) for one, x in placed if isinstance(one, Gap)
        )


def _shown(steps: Sequence[ScheduleStep], steps_max: int) -> Sequence[ScheduleStep]:
    return steps if len(steps) <= steps_max else shown_steps(steps, steps_max=steps_max)


def _shown_lanes(schedule: Schedule, lanes_max: int) -> list[str]:
    lanes = schedule.lanes
    if len(lanes) <= lanes_max:
        return list(lanes)
    first = dict.fromkeys(lane for lane in schedule.cycle if lane in lanes)
    first |= dict.fromkeys(step.lane for step in schedule.deviations)
    kept = set([*first, *(lane for lane in lanes if lane not in first)][:lanes_max])
    return [lane for lane in lanes if lane in kept]


def _lanes(sheet: _Sheet, cycle: Sequence[str]) -> Iterator[StepLane]:
    spans: dict[str, tuple[float, float]] = {}
    for step, x, _ in sheet.places:
        spans[step.lane] = (spans.get(step.lane, (x, x))[0], x)
    for lane, y in sheet.y_of.items():
        waits = lane in cycle
        begin, end = spans[lane]
        yield StepLane(
            label=cut(lane, _LABEL_MAX),
            title=printable(shortened(lane, 1_000)),
            y=y,
            x=begin,
            x_end=sheet.x_end + _CYCLE_GAP if waits else end,
            in_cycle=waits,
        )


def _marks(sheet: _Sheet) -> Iterator[StepMark]:
    stars = 0
    for step, x, y in sheet.places:
        stars += step.deviation is not None
        words = "" if step.deviation is None else step.deviation
        yield StepMark(
            x=x,
            y=y,
            kind=step_kind(step),
            title=_title(step),
            star=stars if step.deviation is not None else 0,
            words=one_line(shortened(f"step {step.index}, {step.lane}: {words}", 400)),
        )


def _title(step: ScheduleStep) -> str:
    lines = [f"step {step.index} at {seconds(step.at_s)}: {step.lane} {step.does}"]
    if step.place is not None:
        lines.append(f"{step.place}  {(step.source or '').strip()}".rstrip())
    if step.woken_by is not None:
        lines.append(f"woken by step {step.woken_by}")
    if step.deviation is not None:
        lines.append(f"not as by default: {step.deviation}")
    return printable(shortened("\n".join(lines), 1_000))


def _ticks(sheet: _Sheet) -> Iterator[StepTick]:
    free_from, last_s = 0.0, None
    for step, x, _ in sheet.places:
        if step.at_s == last_s:
            continue
        last_s = step.at_s
        labelled = x >= free_from
        free_from = x + _TICK_ROOM if labelled else free_from
        yield StepTick(x=x, label=seconds(step.at_s) if labelled else "")


def _course(sheet: _Sheet) -> str:
    """Join the steps as a stepped line that changes lanes halfway between two columns."""
    _, x, y = sheet.places[0]
    parts = [f"M{x} {y}"]
    for (_, one_x, one_y), (_, x, y) in pairwise(sheet.places):
        parts.append(f"H{(one_x + x) / 2:.1f}V{y}H{x}" if one_y != y else f"H{x}")
    return "".join(parts)


def _wakes(sheet: _Sheet) -> Iterator[str]:
    by_index = {step.index: (step, x, y) for step, x, y in sheet.places}
    for step, x_end, y_end in sheet.places:
        if step.woken_by is None or step.woken_by not in by_index:
            continue
        waker, x, y = by_index[step.woken_by]
        if waker.lane != step.lane:
            middle = (y + y_end) / 2
            above = -24 if step.deviation is not None else -9  # over the star, or the mark
            side = above if y_end > y else min(-above, 13)
            yield f"M{x} {y}C{x} {middle:.1f} {x_end} {middle:.1f} {x_end} {y_end + side}"


def _cycle(cycle: Sequence[str], sheet: _Sheet) -> Iterator[str]:
    known = [lane for lane in dict.fromkeys(cycle) if lane in sheet.y_of]
    if len(known) < 2:
        return
    x = sheet.x_end + _CYCLE_GAP
    for one, other in zip(known, [*known[1:], known[0]], strict=True):
        y, y_end = sheet.y_of[one], sheet.y_of[other]
        reach = x + _cycle_reach(abs(y_end - y) / _LANE_HEIGHT)
        # Arrows begin under a lane's middle and end over it, so none covers the next.
        begin, end = y + 5, y_end - 5
        yield f"M{x:.1f} {begin}C{reach:.1f} {begin} {reach:.1f} {end} {x + 5:.1f} {end}"


def _cycle_reach(lanes: float) -> float:
    """Return how far to the right an arrow that spans so many lanes bends, in pixels."""
    return min(26 + 14 * lanes, 150.0)


def _left_out(schedule: Schedule, sheet: _Sheet) -> Iterator[str]:
    shown, total = len(sheet.places), len(schedule.steps)
    if shown < total:
        yield f"{shown:,} of {count(total, 'step')}"
    stars = sum(step.deviation is not None for step, _, _ in sheet.places)
    deviations = len(schedule.deviations)
    if stars < deviations:
        yield f"{stars:,} of {count(deviations, 'deviation')}"
    if len(sheet.y_of) < len(schedule.lanes):
        yield f"{len(sheet.y_of):,} of {count(len(schedule.lanes), 'lane')}"
    if schedule.dropped:
        yield f"none of {count(schedule.dropped, 'step')} at the end that were not recorded"
