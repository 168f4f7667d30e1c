"""The choice of schedule steps to show: those near deviations and both ends, up to a cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.results.schedule import ScheduleStep

__all__ = ["Gap", "shown_steps", "with_gaps"]

_GAP_MIN = 3  # a note on fewer left-out steps takes as much room as the steps
_CONTEXTS = (12, 6, 3, 2, 1, 0)
# A schedule of up to so many steps is shown whole.
_SHORT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of ``steps`` steps that are not shown, ``deviations`` of them deviations."""

    steps: int
    deviations: int


def shown_steps(
    steps: Sequence[ScheduleStep], *, steps_max: int, context_max: int = 12
) -> tuple[ScheduleStep, ...]:
    """Choose the steps to show: deviations and both ends, with their neighbours, in order.

    Each has as many neighbours on either side, up to ``context_max``, as fit in ``steps_max``.
    Where even the deviations are too many, those in the middle are left out.
    """
    if len(steps) <= min(steps_max, _SHORT):
        return tuple(steps)
    marked = [at for at, step in enumerate(steps) if step.deviation is not None]
    marked = sorted({0, *marked, len(steps) - 1})
    chosen = marked
    for context in _CONTEXTS:
        if context <= context_max:
            chosen = _near(marked, context, len(steps))
            if len(chosen) <= steps_max:
                return tuple(steps[at] for at in chosen)
    front = (steps_max + 1) // 2
    kept = [*chosen[:front], *chosen[len(chosen) - (steps_max - front) :]]
    return tuple(steps[at] for at in kept)


def with_gaps(
    steps: Sequence[ScheduleStep], shown: Sequence[ScheduleStep]
) -> Iterator[ScheduleStep | Gap]:
    """Yield the shown steps, some of ``steps``, in order, and a gap wherever steps are missing."""
    chosen = {id(step) for step in shown}
    missing: list[ScheduleStep] = []
    for step in steps:
        if id(step) not in chosen:
            missing.append(step)
            continue
        if missing:
            yield _gap(missing)
            missing = []
        yield step
    if missing:
        yield _gap(missing)


def _near(marked: Sequence[int], context: int, count: int) -> list[int]:
    """List the places within ``context`` of a marked place, and fill holes too small to name."""
    chosen: list[int] = []
    for at in marked:
        begin, end = max(at - context, 0), min(at + context + 1, count)
        last = chosen[-1] + 1 if chosen else 0
        begin = last if begin - last < _GAP_MIN else begin
        chosen.extend(range(max(begin, last), end))
    return chosen


def _gap(missing: Sequence[ScheduleStep]) -> Gap:
    deviations = sum(step.deviation is not None for step in missing)
    return Gap(steps=len(missing), deviations=deviations)
