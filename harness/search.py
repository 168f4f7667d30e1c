"""Own what a search changes about a run, and which checks can still judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.checks import CHECKS

if TYPE_CHECKING:
    from harness.checks import ResolvedCheck
    from harness.scenario import Scenario

__all__ = ["Search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A run under search: latencies are stretched, orders changed; perhaps faults are choices.

    ``delays`` says that the scenario itself waits for fixed times: what its results show then
    depends on latencies, too.
    """

    faults: bool = False
    delays: bool = False

    @classmethod
    def of(cls, scenario: Scenario, *, faults: bool = False) -> Search:
        """Make the terms of a search of a scenario."""
        return cls(faults=faults, delays=_waits_for_fixed_times(scenario))

    def can_judge(self, check: ResolvedCheck) -> bool:
        """Return True if the check must hold whatever the search does."""
        kind = CHECKS[check.name]
        if kind.timed or (kind.faultless and self.faults):
            return False
        return not (self.delays and check.name == "result")


def _waits_for_fixed_times(scenario: Scenario) -> bool:
    steps = [step for phase in scenario.phase for step in phase.do]
    return any(
        (step.start is not None and step.start.delay_ms)
        or (step.repeat is not None and step.repeat.gap_ms)
        or (step.cancel is not None and step.cancel.after_ms)
        for step in steps
    )
