"""The check that a phase takes no longer than a multiple of another phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, model_validator

from harness.checks.findings import doubtful, judged, longest_hold, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import PHASE, Parameters

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Elapsed", "elapsed"]


class Elapsed(Parameters):
    """The phase ``phase`` lasts at most ``at_most`` times as long as the phase ``times``.

    Or at least ``at_least`` times as long, or both.
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["at_most"]}, {"required": ["at_least"]}]}
    )

    phase: str = Field(description="the phase that is judged", json_schema_extra=PHASE)
    at_most: float | None = Field(
        default=None, gt=0, description="how many times as long it may take"
    )
    at_least: float | None = Field(
        default=None, gt=0, description="how many times as long it must take"
    )
    times: str = Field(description="the phase it is compared with", json_schema_extra=PHASE)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.phase == self.times:
            raise ValueError("phase and times must name two phases")
        most, least = self.at_most, self.at_least
        if most is None and least is None:
            raise ValueError("must give at_most, at_least, or both")
        if most is not None and least is not None and most < least:
            raise ValueError(f"at_most must not be under at_least, got {most:g}")
        return self

    def takes(self, ratio: float) -> bool:
        """Say whether a ratio lies between the bounds."""
        return (self.at_most is None or ratio <= self.at_most) and (
            self.at_least is None or ratio >= self.at_least
        )


def elapsed(history: History, parameters: Elapsed) -> CheckResult:
    """Compare two phases, each from its first call to its last end.

    UNKNOWN where a phase has no end, took no time, or has an operation without its expected end:
    what fails at once is quick, and what hangs makes others look quick.
    """
    bounds = (("at least", parameters.at_least), ("at most", parameters.at_most))
    words = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
    expected = f"{parameters.phase} to take {words} times as long as {parameters.times}"
    judged_one, other = (_operations(history, one) for one in (parameters.phase, parameters.times))
    long_s, short_s = _span_s(judged_one), _span_s(other)
    if long_s is None or short_s is None:
        return nothing_to_judge("elapsed", expected=expected, seen="a phase that did not end")
    if short_s == 0:
        return nothing_to_judge(
            "elapsed", expected=expected, seen=f"{parameters.times} took no time"
        )
    return judged(
        "elapsed",
        parameters.takes(long_s / short_s),
        expected=expected,
        seen=f"{long_s / short_s:.2f} times ({long_s:.3f} s against {short_s:.3f} s)",
        why=longest_hold(history),
        doubts=doubtful([*judged_one, *other]),
    )


def _operations(history: History, phase: str) -> list[Operation]:
    return [one for one in history.operations if one.phase == phase]


def _span_s(operations: list[Operation]) -> float | None:
    ends_s = [one.end_s for one in operations if one.end_s is not None]
    if not operations or len(ends_s) < len(operations):
        return None
    return max(ends_s) - min(one.begin_s for one in operations)


KIND = CheckKind(name="elapsed", parameters=Elapsed, check=elapsed, timed=True, faultless=True)
