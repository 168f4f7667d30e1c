"""The check that enough commands of a kind were under way at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Parameters
from harness.checks.spans import asked_of, peak, spans_of

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "PeakInFlight", "peak_in_flight"]


class PeakInFlight(Parameters):
    """At some moment at least ``at_least`` commands of that name are under way.

    Only commands of clients count: the operations of a step always overlap, whatever the service
    does.
    """

    command: str = Field(description='a client command, or "spawn"')
    at_least: int = Field(ge=2, le=100_000, description="how many at once")


def peak_in_flight(history: History, parameters: PeakInFlight) -> CheckResult:
    """Fail if the peak stays under the bound; commands that failed do not count."""
    command = parameters.command
    expected = f"a peak of at least {parameters.at_least} {command} in flight"
    spans = spans_of(history, command)
    if not spans:
        asked = len(asked_of(history, command))
        seen = f"none of {asked} {command} succeeded" if asked else f"no {command}"
        return nothing_to_judge("peak_in_flight", expected=expected, seen=seen)
    found = peak(spans)
    return judged(
        "peak_in_flight",
        found >= parameters.at_least,
        expected=expected,
        seen=f"a peak of {found} of {len(spans)}",
        why=longest_hold(history),
    )


KIND = CheckKind(
    name="peak_in_flight", parameters=PeakInFlight, check=peak_in_flight, timed=True, faultless=True
)
