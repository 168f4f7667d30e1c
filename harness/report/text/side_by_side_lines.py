"""Simulated and live side by side, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.figures.side_by_side import side_by_side
from harness.results.wording import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.results.runs import RunReport

__all__ = ["side_by_side_lines"]

WIDTH_MAX = 60


def side_by_side_lines(report: RunReport) -> Iterator[str]:
    """Write a table: a row a figure, with what was simulated and what was measured live."""
    rows = [("", "simulated", "live")]
    for one in side_by_side(report):
        rows.append((one.scenario, "", ""))
        rows += [(f"  {what}", simulated, live) for what, simulated, live in one.rows]
    if not rows[1:]:
        return
    cells = [[cut(cell, WIDTH_MAX) for cell in row] for row in rows]
    first, second = (max(len(row[column]) for row in cells) for column in (0, 1))
    for what, simulated, live in cells:
        yield f"{what:<{first}}  {simulated:>{second}}  {live}".rstrip()
