"""The latency plot: each call's distribution function over one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.timings import percentile_samples_min
from harness.report.figures.axis import seconds_axis
from harness.report.figures.latency_and_speedup import PERCENTILES, latencies
from harness.results.wording import one_line, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History
    from harness.report.figures.axis import Axis
    from harness.report.figures.latency_and_speedup import Latency

__all__ = ["CALLS_MAX", "LatencyPlot", "LatencyRow", "Percentile", "curve", "latency_plot"]

CALLS_MAX = 24
_RUG_MAX = 60  # up to so many samples, each has a separate tick
_STEPS_MAX = 400  # finer steps than this are narrower than a pixel


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile in a row, ``x`` percent from the left."""

    kind: str
    x: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """One call: its figures in words, and its distribution function as an SVG path.

    The path lies in a box of 1,000 by 100; ``rug`` holds a tick for each sample, or nothing.
    """

    call: str
    samples: int
    left_out: int
    figures: tuple[tuple[str, str], ...]
    curve: str
    rug: str
    percentiles: tuple[Percentile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPlot:
    """The calls of a run over one axis."""

    axis: Axis
    rows: tuple[LatencyRow, ...]
    calls_left_out: int


def latency_plot(history: History) -> LatencyPlot | None:
    """Lay out the latency of each call; None where nothing returned."""
    returned = [latency for latency in latencies(history) if latency.samples]
    if not returned:
        return None
    shown = returned[:CALLS_MAX]
    # A little air, so that the slowest sample does not stand on the edge.
    every = tuple(sample * 1.04 for latency in shown for sample in latency.samples)
    axis = seconds_axis(every, may_be_logarithmic=True)
    return LatencyPlot(
        axis=axis,
        rows=tuple(_latency_row(latency, axis) for latency in shown),
        calls_left_out=len(returned) - len(shown),
    )


def _latency_row(latency: Latency, axis: Axis) -> LatencyRow:
    known = [(percent, latency.at(percent)) for percent in PERCENTILES]
    return LatencyRow(
        call=shortened(one_line(latency.call), 80),
        samples=len(latency.samples),
        left_out=latency.left_out,
        figures=(
            *((f"p{percent}", _figure(percent, value)) for percent, value in known),
            ("max", seconds(latency.samples[-1])),
        ),
        curve=curve(latency.samples, axis),
        rug=_rug(latency.samples, axis),
        percentiles=tuple(
            Percentile(kind=f"p{percent}", x=axis.at(value), title=f"p{percent} {seconds(value)}")
            for percent, value in known
            if value is not None
        ),
    )


def _figure(percent: int, value: float | None) -> str:
    if value is None:
        return f"needs {percentile_samples_min(percent)} samples"
    return seconds(value)


def curve(samples: Sequence[float], axis: Axis, *, steps_max: int = _STEPS_MAX) -> str:
    """Draw the share of sorted samples that are at most x, as steps from the lower left.

    The path lies in a box of 1,000 by 100.
    """
    stride = max(len(samples) // steps_max, 1)
    ranks = [*range(stride - 1, len(samples), stride)]
    if ranks[-1] != len(samples) - 1:
        ranks.append(len(samples) - 1)
    steps = (
        f"H{axis.at(samples[rank]) * 10:.0f}V{100 - (rank + 1) / len(samples) * 100:.1f}"
        for rank in ranks
    )
    return "".join([f"M{axis.at(samples[0]) * 10:.0f} 100", *steps, "H1000"])


def _rug(samples: Sequence[float], axis: Axis) -> str:
    if len(samples) > _RUG_MAX:
        return ""
    return "".join(f"M{axis.at(sample) * 10:.0f} 100v-16" for sample in samples)
