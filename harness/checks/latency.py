"""The check that a step's operations stay under limits of latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from harness.checks.findings import doubtful, judged, longest_hold, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters
from harness.history.ends import wanted
from harness.history.records import Outcome
from harness.history.timings import percentile

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Latency", "latency"]


class Latency(Parameters):
    """Limits in milliseconds (virtual when simulated) for the operations of the step ``of``."""

    of: str = Field(description="the id of a step", json_schema_extra=STEP)
    p50_ms: float | None = Field(default=None, gt=0, description="the median stays within it")
    p95_ms: float | None = Field(default=None, gt=0, description="95 of 100 stay within it")
    max_ms: float | None = Field(default=None, gt=0, description="all stay within it")

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.p50_ms is None and self.p95_ms is None and self.max_ms is None:
            raise ValueError("must give at least one of p50_ms, p95_ms and max_ms")
        return self


def latency(history: History, parameters: Latency) -> CheckResult:
    """Compare percentiles (nearest rank) with their limits.

    An unfinished operation counts with the time until the run's end. A cancelled operation does not
    count, nor does one that raised where "any" end was expected: it failed, and was not fast. Any
    other end that its step does not expect makes a pass UNKNOWN.
    """
    limits = {
        name: (share, limit_ms)
        for name, share, limit_ms in (
            ("p50", 50.0, parameters.p50_ms),
            ("p95", 95.0, parameters.p95_ms),
            ("max", 100.0, parameters.max_ms),
        )
        if limit_ms is not None
    }
    expected = f"{parameters.of}: " + ", ".join(
        f"{name} up to {limit_ms:g} ms" for name, (_, limit_ms) in limits.items()
    )
    every = operations_of(history, parameters.of)
    taken_ms = [_taken_ms(one, history) for one in every if _counts(one)]
    if not taken_ms:
        return nothing_to_judge(
            "latency",
            expected=expected,
            seen=f"{len(every)} operations, none of which ended as meant",
        )
    seen = {name: percentile(taken_ms, share) for name, (share, _) in limits.items()}
    over = [name for name, (_, limit_ms) in limits.items() if seen[name] > limit_ms]
    return judged(
        "latency",
        not over,
        expected=expected,
        seen=", ".join(f"{name} {value:.3f} ms" for name, value in seen.items())
        + f" of {len(taken_ms)}",
        involved=over,
        why=longest_hold(history),
        doubts=doubtful(every),
    )


def _counts(operation: Operation) -> bool:
    if operation.outcome is Outcome.RAISED:
        return wanted(operation) != "any"
    return operation.outcome is not Outcome.CANCELLED


def _taken_ms(operation: Operation, history: History) -> float:
    end_s = history.end_s if operation.end_s is None else operation.end_s
    return (end_s - operation.begin_s) * 1e3


KIND = CheckKind(name="latency", parameters=Latency, check=latency, timed=True, faultless=True)
