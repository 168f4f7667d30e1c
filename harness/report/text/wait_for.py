"""A diagnosis in words: which task waits for what, where, held by which task, and the cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.wait_words import around, in_order, waiting
from harness.results.wording import clock_word, count, one_line, seconds

if TYPE_CHECKING:
    from harness.history.records import Blocked, Diagnosis, History

__all__ = ["diagnosis_lines", "waiting_lines"]

_NAMED_MAX = 12


def diagnosis_lines(history: History, *, blocked_max: int = 50) -> list[str]:
    """Return lines about the history's deadlock; none where there was none."""
    if history.deadlock is None:
        return []
    return waiting_lines(history.deadlock, clock_word(history.node), blocked_max=blocked_max)


def waiting_lines(diagnosis: Diagnosis, clock: str, *, blocked_max: int = 50) -> list[str]:
    """Say in lines which task waits for what; ``clock`` is "simulated" or "measured".

    Tasks that wait alike share a line. The wait that explains most comes first.
    """
    at = f"{seconds(diagnosis.at_s)} {clock}"
    sure = "deadlock" if diagnosis.exact or diagnosis.cycle else "given up"
    lines = [f"{sure} at {at}: {count(len(diagnosis.blocked), 'task')} blocked"]
    groups = _alike(diagnosis)
    lines += [f"  {one_line(_group_words(group))}" for group in groups[:blocked_max]]
    left_out = sum(map(len, groups[blocked_max:]))
    if left_out > 0:
        lines.append(f"  … and {count(left_out, 'more task')}")
    if diagnosis.cycle:
        lines.append(f"  cycle: {' -> '.join(one_line(task) for task in around(diagnosis.cycle))}")
    return lines


def _alike(diagnosis: Diagnosis) -> list[list[Blocked]]:
    """Group the tasks that wait for the same thing, at the same line and for the same reason."""
    groups: dict[object, list[Blocked]] = {}
    for one in in_order(diagnosis):
        key = (one.waits_for, one.where, one.holders, one.reason)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _group_words(group: list[Blocked]) -> str:
    names = [one.task for one in group]
    if len(names) == 1:
        return waiting(group[0])
    more = len(names) - _NAMED_MAX
    tail = f" and {more} more" if more > 0 else ""
    return waiting(group[0], named=f"{', '.join(names[:_NAMED_MAX])}{tail} wait for")
