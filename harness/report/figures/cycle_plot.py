"""The drawing of a deadlock's cycle: tasks around an ellipse, each with an arrow to the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING

from harness.results.wording import count, cut, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import Blocked, Diagnosis

__all__ = ["TASKS_MAX", "CycleArrow", "CycleNode", "CyclePlot", "cycle_plot"]

TASKS_MAX = 10  # more boxes would make the ellipse wider than a page
_BOX_WIDTH, _BOX_HEIGHT = 212, 42  # pixels
_MARGIN = 10
_NAME_MAX, _WAITS_MAX = 26, 29  # letters that a box has room for
_APART_X, _APART_Y = 22, 24  # pixels of room between boxes
_AIR = 4  # pixels between a box and an arrow's end


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleNode:
    """A task in its box; ``x`` and ``y`` are its middle, in pixels."""

    x: float
    y: float
    name: str
    waits_for: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleArrow:
    """An arrow: an SVG path from a waiting task to the task that it waits for."""

    path: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclePlot:
    """A cycle in ``width`` by ``height`` pixels; ``left_out`` says what the cap kept out."""

    width: int
    height: int
    box_width: int
    box_height: int
    nodes: tuple[CycleNode, ...]
    arrows: tuple[CycleArrow, ...]
    left_out: str | None = None


def cycle_plot(diagnosis: Diagnosis | None) -> CyclePlot | None:
    """Lay out the cycle of a diagnosis; None where there is none."""
    if diagnosis is None or not diagnosis.cycle:
        return None
    names = list(diagnosis.cycle)
    left_out = None
    if len(names) > TASKS_MAX:
        more = count(len(names) - TASKS_MAX + 1, "more task")
        left_out = f"{TASKS_MAX - 1} of {count(len(names), 'task')} of the cycle are drawn"
        names = [*names[: TASKS_MAX - 1], f"… {more}"]
    radius_x, radius_y = _radii(len(names))
    width = round(2 * radius_x + _BOX_WIDTH + 2 * _MARGIN)
    height = round(2 * radius_y + _BOX_HEIGHT + 2 * _MARGIN)
    waits = {one.task: one for one in diagnosis.blocked}
    nodes = []
    for at, name in enumerate(names):
        angle = 2 * pi * at / len(names) - pi / 2
        if len(names) < 3:  # a single task stands under its loop, two stand beside each other
            angle = pi / 2 if len(names) == 1 else pi * (1 - at)
        x, y = width / 2 + radius_x * cos(angle), height / 2 + radius_y * sin(angle)
        nodes.append(_node(name, waits.get(name), x=round(x, 1), y=round(y, 1)))
    return CyclePlot(
        width=width,
        height=height,
        box_width=_BOX_WIDTH,
        box_height=_BOX_HEIGHT,
        nodes=tuple(nodes),
        arrows=tuple(_arrows(nodes)),
        left_out=left_out,
    )


def _node(name: str, blocked: Blocked | None, *, x: float, y: float) -> CycleNode:
    waits_for = "" if blocked is None else f"waits for {blocked.waits_for}"
    where = "" if blocked is None else f" at {blocked.where}"
    return CycleNode(
        x=x,
        y=y,
        name=cut(name, _NAME_MAX),
        waits_for=cut(waits_for, _WAITS_MAX),
        title=printable(shortened(f"{name} {waits_for}{where}", 1_000)),
    )


def _radii(tasks: int) -> tuple[float, float]:
    """Return the ellipse's radii in pixels, so that ``tasks`` boxes around it keep apart."""
    if tasks == 1:
        return 0.0, 36.0
    if tasks == 2:
        return _BOX_WIDTH * 0.95, 26.0
    # Boxes at the top stand side by side, those at the sides above each other.
    radius_x = max((_BOX_WIDTH + _APART_X) / sin(2 * pi / tasks), 250.0)
    radius_y = 72.0
    angles = [2 * pi * at / tasks for at in range(tasks)]
    while any(
        abs(cos(one) - cos(other)) * radius_y < _BOX_HEIGHT + _APART_Y
        and abs(sin(one) - sin(other)) * radius_x < _BOX_WIDTH + _APART_X - 1
        for one, other in pairwise(angles)
    ):
        radius_y += 8.0
    return radius_x, radius_y


def _arrows(nodes: Sequence[CycleNode]) -> list[CycleArrow]:
    if len(nodes) == 1:
        (only,) = nodes
        top, right = only.y - _BOX_HEIGHT / 2, only.x + 30
        above = top - 44
        loop = (
            f"M{only.x - 30} {top}C{only.x - 40} {above} {right + 10} {above} {right} {top - _AIR}"
        )
        return [CycleArrow(path=loop, title=f"{only.name} waits for itself")]
    arrows = []
    for at, one in enumerate(nodes):
        other = nodes[(at + 1) % len(nodes)]
        bend = 34.0 if len(nodes) == 2 else 0.0
        path = _arrow(one, other, bend)
        arrows.append(CycleArrow(path=path, title=f"{one.name} waits for {other.name}"))
    return arrows


def _arrow(one: CycleNode, other: CycleNode, bend: float) -> str:
    """Draw from the edge of one box to the edge of the other, bent to its left by ``bend``."""
    delta_x, delta_y = other.x - one.x, other.y - one.y
    length = hypot(delta_x, delta_y) or 1.0
    middle_x = (one.x + other.x) / 2 + bend * 2 * delta_y / length
    middle_y = (one.y + other.y) / 2 - bend * 2 * delta_x / length
    begin_x, begin_y = _edge(one, middle_x, middle_y)
    end_x, end_y = _edge(other, middle_x, middle_y)
    return f"M{begin_x:.1f} {begin_y:.1f}Q{middle_x:.1f} {middle_y:.1f} {end_x:.1f} {end_y:.1f}"


def _edge(node: CycleNode, toward_x: float, toward_y: float) -> tuple[float, float]:
    """Return where the line from the middle of a box towards a point leaves it."""
    delta_x, delta_y = toward_x - node.x, toward_y - node.y
    half_x, half_y = _BOX_WIDTH / 2 + _AIR, _BOX_HEIGHT / 2 + _AIR
    scale = 1 / max(abs(delta_x) / half_x, abs(delta_y) / half_y, 1e-9)
    scale = min(scale, 1.0)
    return node.x + delta_x * scale, node.y + delta_y * scale
