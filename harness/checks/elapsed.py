"""Own the claim that a phase takes no longer than a multiple of another phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.parameters import Parameters

if TYPE_CHECKING:
    from harness.history import History
    from harness.verdict import CheckResult

__all__ = ["Elapsed", "elapsed"]


class Elapsed(Parameters):
    """The phase ``phase`` lasts at most ``at_most`` times as long as the phase ``times``."""

    phase: str = Field(description="the phase that is judged")
    at_most: float = Field(gt=0, description="how many times as long it may take")
    times: str = Field(description="the phase it is compared with")


def elapsed(history: History, parameters: Elapsed) -> CheckResult:
    """Compare two phases, from the first call to the last end."""
    expected = (
        f"{parameters.phase} to take at most {parameters.at_most:g} times as long as"
        f" {parameters.times}"
    )
    long_s, short_s = (_span_s(history, name) for name in (parameters.phase, parameters.times))
    if long_s is None or not short_s:
        return nothing_to_judge("elapsed", expected=expected, seen="a phase that did not end")
    return judged(
        "elapsed",
        long_s <= parameters.at_most * short_s,
        expected=expected,
        seen=f"{long_s / short_s:.2f} times ({long_s:.3f} s against {short_s:.3f} s)",
        why=longest_hold(history),
    )


def _span_s(history: History, phase: str) -> float | None:
    inside = [one for one in history.operations if one.phase == phase]
    if not inside or any(one.end_s is None for one in inside):
        return None
    return max(one.end_s or 0.0 for one in inside) - min(one.begin_s for one in inside)
