"""A passing and a failing run side by side, from the first step at which they part."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING

from harness.report.text.schedule_text import step_columns
from harness.results.wording import count, one_line, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.results.schedule import Schedule, ScheduleStep

__all__ = [
    "ROWS_MAX",
    "DiffRow",
    "SideBySide",
    "diff_lines",
    "first_difference",
    "side_by_side",
]

ROWS_MAX = 60
_ALIGNED_MAX = 400  # steps after the parting that are matched with each other
_BEFORE = 2
_SAME_MAX = 4  # a longer stretch of equal steps is folded
_STACK_LINES_MAX = 60
_LINE_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRow:
    """A step of the passing run beside a step of the failing run; ``same`` if they did the same.

    They may have done so at different moments. A row without steps stands for ``folded`` such rows.
    """

    passing: ScheduleStep | None
    failing: ScheduleStep | None
    same: bool = False
    folded: int = 0

    @property
    def moved(self) -> bool:
        """True if both did the same at different moments."""
        one, other = self.passing, self.failing
        return self.same and one is not None and other is not None and one.at_s != other.at_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Two runs from where they part. ``parted_at`` is the first index that differs, or None.

    ``rows_left_out`` counts rows beyond the cap, ``steps_left_out`` the steps of the failing run
    that are too far from the parting to be compared. The stacks are lines.
    """

    parted_at: int | None
    rows: tuple[DiffRow, ...]
    rows_left_out: int
    steps_left_out: int
    passing_count: int
    failing_count: int
    stacks: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def headline(self) -> str:
        """Say in a sentence where the runs part."""
        if self.parted_at is None:
            return f"the two runs are the same for all their {count(self.failing_count, 'step')}"
        if self.parted_at == 0:
            return "they part at the first step"
        if self.parted_at in {self.passing_count, self.failing_count}:
            shorter = "passing" if self.passing_count == self.parted_at else "failing"
            return f"the same up to the end of the {shorter} run, at step {self.parted_at:,}"
        return f"the same for {count(self.parted_at, 'step')}, then they part"


def first_difference(passing: Schedule, failing: Schedule) -> int | None:
    """Return the index of the first step at which two schedules part, or None if they are equal.

    Steps are equal if the same lane did the same at the same place and time, and deviated alike.
    Where one run ends and the other goes on, they part at the end of the shorter.
    """
    pairs = zip_longest(passing.steps, failing.steps)
    for index, (one, other) in enumerate(pairs):
        if one is None or other is None or _exactly(one) != _exactly(other):
            return index
    return None


def side_by_side(
    passing: Schedule,
    failing: Schedule,
    *,
    stacks: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
    rows_max: int = ROWS_MAX,
) -> SideBySide:
    """Lay out two runs, beginning with the last steps that they share.

    ``stacks`` are the lines of both stack traces where they part: passing run, then failing run.
    """
    parted_at = first_difference(passing, failing)
    rows = [] if parted_at is None else list(_rows(passing.steps, failing.steps, parted_at))
    return SideBySide(
        parted_at=parted_at,
        rows=tuple(rows[:rows_max]),
        rows_left_out=max(len(rows) - rows_max, 0),
        steps_left_out=0 if parted_at is None else _beyond(failing, rows),
        passing_count=len(passing.steps),
        failing_count=len(failing.steps),
        stacks=stacks,
    )


def diff_lines(side: SideBySide, *, width: int = 120) -> list[str]:
    """Return two terminal columns, ``width`` letters wide, with ``|`` where the runs differ.

    ``<`` marks a step of the passing run alone, ``>`` a step of the failing run alone, and ``~`` a
    step that both made at different moments.
    """
    half = max((width - 3) // 2, 20)
    lines = [side.headline]
    if side.rows:
        lines.append(f"{'passing':{half}}   failing")
    for row in side.rows:
        if row.folded:
            lines.append(f"… {count(row.folded, 'step')} the same …")
            continue
        left, right = _cell(row.passing, half), _cell(row.failing, half)
        lines.append(f"{left:{half}} {_mark(row)} {right}".rstrip())
        for step, indent in ((row.passing, 0), (row.failing, half + 3)):
            if step is not None and step.deviation is not None:
                words = one_line(shortened(step.deviation, _LINE_MAX))
                lines.append(f"{'':{indent}}  * {words}")
    if side.rows_left_out:
        lines.append(f"… {count(side.rows_left_out, 'more row')} left out")
    if side.steps_left_out:
        lines.append(f"… {count(side.steps_left_out, 'step')} of the failing run not compared")
    for name, stack in zip(("passing", "failing"), side.stacks or (), strict=False):
        lines.append(f"the {name} run stood at:")
        shown = [one_line(shortened(line, _LINE_MAX)) for line in _cut(stack)]
        lines += [f"  {line}" for line in shown or ["not recorded"]]
    return lines


def _rows(
    passing: Sequence[ScheduleStep], failing: Sequence[ScheduleStep], parted_at: int
) -> Iterator[DiffRow]:
    for at in range(max(parted_at - _BEFORE, 0), parted_at):
        yield DiffRow(passing=passing[at], failing=failing[at], same=True)
    left, right = list(passing[parted_at:]), list(failing[parted_at:])
    tail = _tail(left, right)
    middle = max(len(left), len(right)) - tail
    if middle > _ALIGNED_MAX:  # matching takes quadratic time
        left, right, tail = left[:_ALIGNED_MAX], right[:_ALIGNED_MAX], 0
    heads = left[: len(left) - tail], right[: len(right) - tail]
    keys, other_keys = ([_alike(step) for step in head] for head in heads)
    matcher = SequenceMatcher(None, keys, other_keys, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            yield from _equal(left[i:i_end], right[j:j_end])
        else:
            for one, other in zip_longest(left[i:i_end], right[j:j_end]):
                yield DiffRow(passing=one, failing=other)
    yield from _equal(left[len(left) - tail :], right[len(right) - tail :])


def _tail(left: Sequence[ScheduleStep], right: Sequence[ScheduleStep]) -> int:
    """Count the steps at the end that are alike."""
    pairs = zip(reversed(left), reversed(right), strict=False)
    return sum(1 for _ in takewhile(lambda pair: _alike(pair[0]) == _alike(pair[1]), pairs))


def _beyond(failing: Schedule, rows: Sequence[DiffRow]) -> int:
    shown = [row.failing.index for row in rows if row.failing is not None]
    return len(failing.steps) - 1 - max(shown) if shown and failing.steps else 0


def _equal(left: Sequence[ScheduleStep], right: Sequence[ScheduleStep]) -> Iterator[DiffRow]:
    rows = [
        DiffRow(passing=one, failing=other, same=True)
        for one, other in zip(left, right, strict=True)
    ]
    if len(rows) <= _SAME_MAX:
        yield from rows
        return
    yield rows[0]
    yield DiffRow(passing=None, failing=None, same=True, folded=len(rows) - 2)
    yield rows[-1]


def _exactly(step: ScheduleStep) -> tuple[object, ...]:
    return (*_alike(step), step.at_s)


def _alike(step: ScheduleStep) -> tuple[object, ...]:
    # After the parting, a step at another moment still counts as the same step.
    return step.lane, step.does, step.place, step.deviation


def _mark(row: DiffRow) -> str:
    if row.same:
        return "~" if row.moved else " "
    if row.passing is None:
        return ">"
    return "<" if row.failing is None else "|"


def _cell(step: ScheduleStep | None, width: int) -> str:
    if step is None:
        return ""
    _, index, at, lane, does, place = step_columns(step)
    where = place.split("  ")[0]
    text = f"{index} {at} {lane}: {does}{f' at {where}' if where else ''}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _cut(stack: Sequence[str]) -> list[str]:
    if len(stack) <= _STACK_LINES_MAX:
        return list(stack)
    # The innermost frames, at the end, say more than those of the loop.
    left_out = len(stack) - _STACK_LINES_MAX
    return [f"… {count(left_out, 'line')} left out", *stack[left_out:]]
