"""The runs of one seed made again at their end, to tell at once what their seed does not decide."""

from __future__ import annotations

from concurrent.futures import TimeoutError as OutOfTime
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.results.verdict import Verdict
from harness.results.wording import count
from harness.runs.repeated.verifying import (
    LATER_S,
    Verified,
    made,
    made_elsewhere,
    verified,
    workers_later,
)

if TYPE_CHECKING:
    from harness.results.runs import RunReport, RunResult
    from harness.runs.batch import Batch
    from harness.runs.repeated.verifying import Made, Work

__all__ = ["again_line", "made_again"]

# What the first runs of those that are made again may have taken together: the quick ones.
BUDGET_S = 0.4
# What takes so long in the other process is left: it does more there than it did here.
PATIENCE_S = 20.0


def made_again(report: RunReport, batch: Batch) -> list[Verified] | None:
    """Make the quickest runs again in a new process, and compare; None if that did not work."""
    runs = _quickest(report)
    if not runs:
        return []
    # It is told in whole seconds: so the second begins at most so much later.
    began_s = datetime.fromisoformat(report.started_at).timestamp()
    terms = batch.profile, batch.limits
    work: list[Work] = [(run.path, batch.system, run.seed, *terms) for run in runs]
    try:
        with workers_later(1, began_s + LATER_S) as pool:
            again = list(pool.map(made_elsewhere, work, timeout=PATIENCE_S))
    except (BrokenProcessPool, OutOfTime):
        return None
    return [_compared(of, run, two) for of, run, two in zip(work, runs, again, strict=True)]


def again_line(found: list[Verified] | None, report: RunReport) -> str | None:
    """Say in a line how many were the same; None if there was none to be made again."""
    if found is None:
        return "harness: made again in another process, the runs did not come to an end there"
    ran = [run for run in report.runs if _is_comparable(run)]
    if not found:
        return None
    same = sum(one.difference is None for one in found)
    left = len(ran) - len(found)
    rest = f"; {left} that take longer were not: harness verify makes all" if left else ""
    return (
        f"harness: {count(len(found), 'run')} made again in another process, {same} the same{rest}"
    )


def _is_comparable(run: RunResult) -> bool:
    # A regression repeats a token: that is more than its file and a seed.
    is_regression = run.scenario.startswith("regressions/")
    return run.node == NodeKind.SIMULATED and run.digest is not None and not is_regression


def _quickest(report: RunReport) -> list[RunResult]:
    chosen: list[RunResult] = []
    left_s = BUDGET_S
    for run in sorted(filter(_is_comparable, report.runs), key=lambda one: one.wall_s):
        left_s -= run.wall_s
        if left_s < 0:
            break
        chosen.append(run)
    return chosen


def _compared(work: Work, run: RunResult, again: Made) -> Verified:
    if again.result.could_not_run is None and _alike(run, again.result):
        return Verified(scenario=run.scenario, path=run.path, seed=run.seed, difference=None)
    # Its trace was not kept: so it is made here once more, to be compared event by event.
    found = verified(work, made(work), again)
    if found.verdict is not Verdict.PASSED:
        return found
    return Verified(
        scenario=run.scenario,
        path=run.path,
        seed=run.seed,
        difference=f"digest {run.digest} | {again.result.digest}, though not when made once more",
    )


def _alike(run: RunResult, again: RunResult) -> bool:
    return (run.digest, run.virtual_s, run.checks) == (again.digest, again.virtual_s, again.checks)
