"""A whole search: from its plan to the end of its pieces and one report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun, Terminated
from harness.processes.temporary import temporary_folder
from harness.results.machine import facts, versions
from harness.runs.scenarios import system_of
from harness.search.pieces.state import SearchState
from harness.search.pieces.workers import work_apart, work_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.results.explorations import ExplorationReport, FoundFailure
    from harness.search.pieces.journal import Journal
    from harness.search.pieces.plan import SearchPlan
    from harness.search.pieces.state import SearchObserver

__all__ = ["SearchEnd", "run_search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEnd:
    """How a search ended: its results, and what ended it early, if anything did.

    ``ended_by`` is KeyboardInterrupt, the end of the process, a cluster that went away, or bad
    input that only a run could show. What was found until then is in the report. ``runs_before``
    of its runs come from a journal: earlier invocations made them.
    """

    report: ExplorationReport
    ended_by: BaseException | None = None
    runs_before: int = 0


def run_search(
    plan: SearchPlan,
    watcher: SearchObserver,
    *,
    journal: Journal | None = None,
    failures: Iterable[tuple[str, FoundFailure]] = (),
    work: Callable[[SearchState], None] | None = None,
) -> SearchEnd:
    """Search all scenarios of a plan, and unite what is found.

    Args:
        plan: What to search, and for how long.
        watcher: Is told what happens as it does.
        journal: Keeps all that is finished and found, and brings what it kept before.
        failures: Failures known already, with the paths of their scenarios.
        work: Carries out the pieces elsewhere; by default in this process, or in one a core.

    Raises:
        BadInput: A scenario asks its system for what it does not have.
    """
    started_at = datetime.now(tz=UTC).isoformat(timespec="seconds")
    for scenario in plan.scenarios:
        system_of(scenario, plan.terms.system)
    with temporary_folder("search") as folder:
        spool = folder if journal is None else journal.running
        state = SearchState(plan, watcher, journal=journal, failures=tuple(failures), spool=spool)
        ended_by: BaseException | None = None
        with state.interruption.listening():
            try:
                (work or (work_here if plan.processes == 1 else work_apart))(state)
                ended_by = state.refused or state.interruption.by
            except (KeyboardInterrupt, Terminated, CouldNotRun) as error:
                ended_by = error
            state.look()
            report = replace(
                state.results(), versions=versions(), machine=facts(), started_at=started_at
            )
            state.close()
    return SearchEnd(report=report, ended_by=ended_by, runs_before=state.runs_before)
