"""The table of where the time went: each quantity of each operation and command, with its curve."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

from harness.history.time_spent import QUANTITIES, spendings
from harness.report.figures.axis import seconds_axis
from harness.report.figures.latency_and_speedup import PERCENTILES, at
from harness.report.figures.latency_plot import curve
from harness.results.wording import one_line, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.history.records import History
    from harness.history.time_spent import Spending
    from harness.report.figures.axis import Axis, Tick

__all__ = [
    "ROWS_MAX",
    "SpentCount",
    "SpentGroup",
    "SpentRow",
    "SpentSeries",
    "SpentTable",
    "spent_table",
]

ROWS_MAX = 40
_STEPS_MAX = 60  # a curve is some 150 pixels wide
_TICKS_MAX = 3
_NAMES = {
    "total_s": "Total",
    "queued_s": "Queue wait",
    "service_s": "Service",
    "cpu_s": "CPU",
    "node_s": "Node",
}
_GROUPS = {
    (None, "operation"): "Operations",
    (None, "command"): "Client commands",
    ("together", "operation"): "Operations in timed rounds, all together",
    ("together", "command"): "Client commands in timed rounds, all together",
    ("sequential", "operation"): "Operations in timed rounds, one after another",
    ("sequential", "command"): "Client commands in timed rounds, one after another",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentSeries:
    """A quantity on one clock: figures in words, and its distribution function as an SVG path.

    The path lies in a box of 1,000 by 100; it is empty, and ``figures`` too, if nothing is known.
    """

    clock: str
    figures: tuple[tuple[str, str], ...]
    curve: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentCount:
    """How many samples a row has on one clock, and how many did not return."""

    clock: str
    samples: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentRow:
    """An operation or a command: a cell for each column, in it a series for each clock."""

    name: str
    counts: tuple[SpentCount, ...]
    cells: tuple[tuple[SpentSeries, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentGroup:
    """The rows of one kind."""

    name: str
    rows: tuple[SpentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentTable:
    """All rows over one axis; ``unknown`` names the quantities of which no row knows anything."""

    axis: Axis
    ticks: tuple[Tick, ...]
    clocks: tuple[str, ...]
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    groups: tuple[SpentGroup, ...]
    rows_left_out: int

    @property
    def curves(self) -> int:
        """How many curves are drawn."""
        cells = (cell for group in self.groups for row in group.rows for cell in row.cells)
        return sum(bool(one.curve) for cell in cells for one in cell)


def spent_table(histories: Mapping[str, Sequence[History]]) -> SpentTable | None:
    """Lay out where the time went, each clock beside the others; None where nothing returned."""
    found: dict[tuple[str, str], dict[str, Spending]] = {}
    for clock, some in histories.items():
        for one in spendings(some):
            if one.pieces:
                group = _GROUPS[one.timed and one.timed.value, one.kind]
                found.setdefault((group, one.name), {})[clock] = one
    order = list(_GROUPS.values())
    keys = sorted(found, key=lambda key: order.index(key[0]))[:ROWS_MAX]
    samples = {
        key: {
            quantity: {clock: one.samples(quantity) for clock, one in found[key].items()}
            for quantity in QUANTITIES
        }
        for key in keys
    }
    known = [
        quantity
        for quantity in QUANTITIES
        if any(some for row in samples.values() for some in row[quantity].values())
    ]
    if not known:
        return None
    axis = _axis(one for row in samples.values() for some in row.values() for one in some.values())

    def row(key: tuple[str, str]) -> SpentRow:
        of_key = samples[key]
        return SpentRow(
            name=shortened(one_line(key[1]), 80),
            counts=tuple(_count(clock, one) for clock, one in found[key].items()),
            cells=tuple(
                tuple(_series(clock, of_key[one].get(clock, ()), axis) for clock in histories)
                for one in known
            ),
        )

    return SpentTable(
        axis=axis,
        ticks=axis.ticks[:: ceil(len(axis.ticks) / _TICKS_MAX)],
        clocks=tuple(histories),
        columns=tuple(_NAMES[one] for one in known),
        unknown=tuple(_NAMES[one] for one in QUANTITIES if one not in known),
        groups=tuple(
            SpentGroup(name=group, rows=tuple(map(row, of_group)))
            for group, of_group in groupby(keys, key=lambda key: key[0])
        ),
        rows_left_out=len(found) - len(keys),
    )


def _axis(samples: Iterable[Sequence[float]]) -> Axis:
    # Less than a nanosecond is how floats differ, not a time. A little air at the right edge.
    ends = (end for some in samples for end in _ends([one for one in some if one > 1e-9]))
    return seconds_axis(tuple(ends), may_be_logarithmic=True)


def _ends(ordered: Sequence[float]) -> tuple[float, ...]:
    return (ordered[0], ordered[-1] * 1.04) if ordered else ()


def _count(clock: str, spending: Spending) -> SpentCount:
    return SpentCount(clock=clock, samples=len(spending.pieces), left_out=spending.left_out)


def _series(clock: str, samples: Sequence[float], axis: Axis) -> SpentSeries:
    if not samples:
        return SpentSeries(clock=clock, figures=(), curve="")
    known = [(f"p{percent}", at(samples, percent)) for percent in PERCENTILES[:2]]
    figures = [(name, seconds(value)) for name, value in known if value is not None]
    if len(figures) < len(known):
        figures.append(("max", seconds(samples[-1])))
    return SpentSeries(
        clock=clock, figures=tuple(figures), curve=curve(samples, axis, steps_max=_STEPS_MAX)
    )
