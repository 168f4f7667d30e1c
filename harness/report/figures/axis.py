"""The axes of figures: where a value stands, in percent of the width, and the ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

__all__ = ["Axis", "Tick", "linear_axis", "seconds_axis"]

_TICKS = 6
_LOG_FROM = 30  # a spread over this factor hides the small values on a linear axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A tick, ``at`` percent from the left."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A scale from ``low`` to ``high``, linear or logarithmic, over the width of a figure."""

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[Tick, ...]

    def at(self, value: float) -> float:
        """Return where a value stands, from 0 to 100 percent; values outside stand at the edge."""
        share = _share(value, low=self.low, high=self.high, logarithmic=self.logarithmic)
        return round(min(max(share, 0.0), 1.0) * 100, 3)


def linear_axis(high: float, *, suffix: str = "") -> Axis:
    """Make an axis from 0 to at least ``high``, ticks at round numbers."""
    high = high if high > 0 else 1.0
    step = _round_step(high / _TICKS)
    values = [step * number for number in range(floor(high / step + 1e-9) + 1)]
    return _axis(values, low=0.0, high=high, labels=[f"{value:.4g}{suffix}" for value in values])


def seconds_axis(values: tuple[float, ...], *, may_be_logarithmic: bool = False) -> Axis:
    """Make an axis for lengths of time in seconds, labelled in one unit.

    The axis is linear from 0, or logarithmic where that is allowed and the values spread widely.
    Values of 0 then stand at the left edge.
    """
    positive = [value for value in values if value > 0]
    high = max(positive, default=1.0)
    if may_be_logarithmic and positive and high / min(positive) > _LOG_FROM:
        return _decades(min(positive), high)
    size, unit = _unit(high)
    step = _round_step(high / size / _TICKS)
    steps = [step * number for number in range(floor(high / size / step + 1e-9) + 1)]
    labels = [f"{value:.4g} {unit}" for value in steps]
    return _axis([value * size for value in steps], low=0.0, high=high, labels=labels)


def _decades(low: float, high: float) -> Axis:
    first, last = floor(log10(low)), ceil(log10(high))
    values = [10.0**power for power in range(first, last + 1)]
    labels = []
    for value in values:
        size, unit = _unit(value)
        labels.append(f"{value / size:.4g} {unit}")
    return _axis(values, low=values[0], high=values[-1], labels=labels, logarithmic=True)


def _axis(
    values: list[float], *, low: float, high: float, labels: list[str], logarithmic: bool = False
) -> Axis:
    ticks = tuple(
        Tick(
            at=round(_share(value, low=low, high=high, logarithmic=logarithmic) * 100, 3),
            label=label,
        )
        for value, label in zip(values, labels, strict=True)
    )
    return Axis(low=low, high=high, logarithmic=logarithmic, ticks=ticks)


def _share(value: float, *, low: float, high: float, logarithmic: bool) -> float:
    if not logarithmic:
        return (value - low) / (high - low)
    if value <= low:
        return 0.0
    return log10(value / low) / log10(high / low)


def _unit(value: float) -> tuple[float, str]:
    if value >= 0.9995:
        return 1.0, "s"
    return (1e-3, "ms") if value >= 0.9995e-3 else (1e-6, "µs")


def _round_step(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
