"""Own how a diagnosis reads: who waits for what, where, held by whom, and the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.deadlock import waiting
from harness.report.wording import clock_word, count, one_line, seconds

if TYPE_CHECKING:
    from harness.history import Diagnosis, History

__all__ = ["diagnosis_lines", "ring", "waiting_lines"]


def diagnosis_lines(history: History, *, blocked_max: int = 50) -> list[str]:
    """Tell the history's deadlock, one line a task; no lines where there was none."""
    if history.deadlock is None:
        return []
    return waiting_lines(history.deadlock, clock_word(history.node), blocked_max=blocked_max)


def waiting_lines(diagnosis: Diagnosis, clock: str, *, blocked_max: int = 50) -> list[str]:
    """Tell who waits for what, one line a task; ``clock`` is "simulated" or "measured"."""
    at = f"{seconds(diagnosis.at_s)} {clock}"
    sure = "deadlock" if diagnosis.exact else "stall, taken for a deadlock"
    lines = [f"{sure} at {at}: {count(len(diagnosis.blocked), 'task')} blocked"]
    lines += [f"  {one_line(waiting(blocked))}" for blocked in diagnosis.blocked[:blocked_max]]
    left_out = len(diagnosis.blocked) - blocked_max
    if left_out > 0:
        lines.append(f"  … and {count(left_out, 'more task')}")
    if diagnosis.cycle:
        lines.append(f"  cycle: {' -> '.join(one_line(task) for task in ring(diagnosis))}")
    return lines


def ring(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the cycle's tasks with the first named again at the end; empty where none is known."""
    cycle = diagnosis.cycle
    if len(cycle) > 1 and cycle[0] == cycle[-1]:
        return cycle
    return (*cycle, *cycle[:1])
