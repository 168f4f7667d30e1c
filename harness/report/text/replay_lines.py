"""A repeated failure in a terminal: its schedule, what failed and why, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.text.schedule_text import schedule_lines
from harness.report.text.wait_for import waiting_lines

if TYPE_CHECKING:
    from harness.results.replays import ReplayResult

__all__ = ["replay_lines"]


def replay_lines(replay: ReplayResult) -> list[str]:
    """Write a repeated run for people; the last line compares it with the recorded failure."""
    where = f"{replay.mode}, seed {replay.seed}, {replay.deviations} deviations"
    lines = [
        f"{replay.subject} [{where}]",
        "  schedule:",
        *(f"  {line}" for line in schedule_lines(replay.schedule)),
    ]
    if replay.headline is not None:
        lines += [f"  FAILED {replay.headline}", *(f"    {line}" for line in replay.message_lines)]
        if replay.diagnosis is not None:
            lines += [f"    {line}" for line in waiting_lines(replay.diagnosis, "simulated")]
    return [*lines, replay.sentence]
