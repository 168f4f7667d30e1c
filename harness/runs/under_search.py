"""What a search changes about a run, and which checks can still judge it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.checks import outcomes
from harness.choices.chaos import WITHIN_S
from harness.history.ends import as_expected
from harness.history.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.checks.registry import ResolvedCheck
    from harness.history.records import History, NodeKind
    from harness.scenario.model import Scenario

__all__ = ["Search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A run under search: latencies are stretched, orders changed; perhaps faults are choices.

    ``cancel`` says that cancellations are, everywhere: who is cancelled ends as expected then.
    ``delays`` says that the scenario itself waits for fixed times: what its results show then
    depends on latencies, too.
    """

    faults: bool = False
    cancel: bool = False
    delays: bool = False

    @classmethod
    def of(cls, scenario: Scenario, *, faults: bool = False, cancel: bool = False) -> Search:
        """Make the terms of a search of a scenario."""
        return cls(faults=faults, cancel=cancel, delays=_waits_for_fixed_times(scenario))

    def judges(self, checks: Iterable[ResolvedCheck], history: History) -> Iterator[ResolvedCheck]:
        """Pick the checks that must hold whatever the search does, in the form in which they do.

        A run in which nothing went wrong, though it might have, is judged like any other.
        """
        cancelled = any(
            one.outcome is Outcome.CANCELLED and not as_expected(one) for one in history.operations
        )
        faulted = self.faults and (bool(history.faults) or cancelled)
        struck = self.cancel and any(one.kind == "cancel" for one in history.faults)
        for check in checks:
            if struck and not faulted and check.kind.faultless and check.name != outcomes.NAME:
                continue
            if self._is_left_out(check) or (check.kind.faultless and faulted):
                continue
            if not faulted:
                yield check
                continue
            parameters = check.kind.under_faults(check.parameters, WITHIN_S)
            if parameters is not None:
                yield replace(check, parameters=parameters)

    def within_s(self, scenario: Scenario, node: NodeKind) -> float:
        """Return the seconds that an operation has: more where faults are choices."""
        return WITHIN_S if self.faults else scenario.within_s(node)

    def leaves_out(self, checks: Iterable[ResolvedCheck]) -> tuple[str, ...]:
        """Name the checks that no run of the search judges, in their order."""
        return tuple(dict.fromkeys(one.name for one in checks if self._is_left_out(one)))

    def judges_none_asked(self, checks: Iterable[ResolvedCheck]) -> bool:
        """Return True if a scenario asks for checks, and no run judges any of those."""
        asked = [one for one in checks if one.asked]
        return bool(asked) and all(self._is_left_out(one) for one in asked)

    def _is_left_out(self, check: ResolvedCheck) -> bool:
        return check.kind.timed or (self.delays and check.kind.timed_by_delays)


def _waits_for_fixed_times(scenario: Scenario) -> bool:
    steps = [step for phase in scenario.phase for step in phase.do]
    return any(phase.close is not None and phase.close.delay_ms for phase in scenario.phase) or any(
        (step.start is not None and step.start.delay_ms)
        or (step.repeat is not None and step.repeat.gap_ms)
        or (step.cancel is not None and step.cancel.after_ms)
        for step in steps
    )
