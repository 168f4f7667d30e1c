"""The figures of a run that every format prints: latency by call, speed-up by phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.timings import (
    pairs_of,
    percentile,
    percentile_samples_min,
    phases,
    speedup,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History
    from harness.history.timings import Speedup

__all__ = ["PERCENTILES", "Latency", "at", "latencies", "speedups"]

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long a call took, in seconds, over its operations that returned.

    ``samples`` is sorted; ``left_out`` counts the operations that raised, were cancelled or never
    ended.
    """

    call: str
    samples: tuple[float, ...]
    left_out: int

    def at(self, percent: float) -> float | None:
        """Return a percentile, or None where the samples are too few for it to mean anything."""
        return at(self.samples, percent)


def at(samples: Sequence[float], percent: float) -> float | None:
    """Return a percentile, or None where the samples are too few for it to mean anything."""
    if not samples or len(samples) < percentile_samples_min(percent):
        return None
    return percentile(samples, percent)


def latencies(history: History) -> tuple[Latency, ...]:
    """Gather the latencies of each call, in the order in which the calls were first made."""
    calls: dict[str, list[float]] = {}
    left_out: dict[str, int] = {}
    for operation in history.operations:
        samples = calls.setdefault(operation.call, [])
        left_out.setdefault(operation.call, 0)
        if operation.succeeded and operation.duration_s is not None:
            samples.append(operation.duration_s)
        else:
            left_out[operation.call] += 1
    return tuple(
        Latency(call=call, samples=tuple(sorted(samples)), left_out=left_out[call])
        for call, samples in calls.items()
    )


def speedups(history: History) -> dict[str, Speedup | None]:
    """Judge each measured phase; None where no pair of its timings counts."""
    return {phase: speedup(pairs_of(history, phase)) for phase in phases(history)}
