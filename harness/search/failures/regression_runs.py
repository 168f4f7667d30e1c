"""The regressions of scenarios as runs, each judged and reported like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessBug
from harness.results.verdict import Verdict, verdict_of
from harness.search.failures.investigation import carry_out, token_of
from harness.search.failures.regressions import FOLDER, regression_subject, regressions_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.results.runs import RunResult
    from harness.scenario.model import Scenario
    from harness.search.failures.regressions import Regression

__all__ = ["RegressionRuns"]


class RegressionRuns:
    """What the corpus holds of some scenarios; iterating carries it out, a result each.

    The corpus is the folder ``regressions`` beside each scenario. ``system`` overrides the one that
    a scenario's file names.

    Raises:
        BadInput: A file of the corpus is broken; or, when iterated, the system cannot be used.
    """

    def __init__(self, scenarios: Sequence[Scenario], *, system: str | None) -> None:
        self._corpus = regressions_of(scenarios)
        self._system = system

    def __len__(self) -> int:
        return len(self._corpus)

    def __iter__(self) -> Iterator[RunResult]:
        for regression in self._corpus:
            yield self._carried_out(regression)

    def _carried_out(self, regression: Regression) -> RunResult:
        tape = regression.token.tape
        with regression_subject(regression, system=self._system) as subject:
            attempt = carry_out(subject, tape)
            # Its own token names the system that it was found on, which may be another one.
            token = token_of(subject, tape, attempt, regression.cause)
        result = attempt.result
        if result is None:
            raise HarnessBug(f"{regression.path}: a run of a scenario has no result")
        # Its workload is what was left after shrinking: much of it is too little to be judged by.
        judged = tuple(one for one in result.checks if one.verdict is not Verdict.UNKNOWN)
        if judged and result.could_not_run is None:
            verdict = verdict_of(one.verdict for one in judged)
            result = replace(result, checks=judged, verdict=verdict)
        return replace(
            result,
            scenario=f"{FOLDER}/{regression.path.stem}",
            path=str(regression.scenario.parent / FOLDER / regression.path.name),
            claim=f"what failed once does not fail again: {regression.cause}",
            replay=subject.replay_line(str(token)),
        )
