"""A scenario as the subject of a search."""

from __future__ import annotations

import hashlib
import inspect
import shlex
import sys
from array import array
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.backends.port import Limits, Orders
from harness.checks import no_deadlock, outcomes, recovers, whole_run
from harness.checks.registry import CHECKS
from harness.history.records import NodeKind
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import carry_out
from harness.runs.scenarios import system_path_of
from harness.runs.under_search import Search
from harness.search.failures.partial_order import partial_order_of
from harness.search.failures.schedule_recorder import InterleavingRecorder
from harness.search.failures.tape_policy import PicksPolicy, TapePolicy, TapeRecorder
from harness.search.failures.workload_shrinking import reduced
from harness.search.subjects.attempt import Attempt, Failure
from harness.search.subjects.cancelled_failure import (
    CancelledRuns,
    failure_of_swallowed,
    with_words,
)
from harness.search.subjects.port import Subject
from harness.search.subjects.sources import imported_sources
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.results.runs import RunResult
    from harness.results.verdict import CheckResult
    from harness.runs.runner import CarriedOut
    from harness.scenario.model import Scenario
    from harness.search.failures.schedule_recorder import ScheduleRecorder
    from harness.search.failures.tape import Tape
    from harness.search.terms import SearchTerms
    from harness.systems.port import System

__all__ = ["ScenarioSubject"]

# Checks whose failure means that a run could not go on.
STOPS_A_RUN = frozenset({no_deadlock.NAME, whole_run.NAME})
# The task that carries out the scenario is the first of a run.
HARNESS_LANES = (0, 1)
# One run in so many is looked at step by step, for the pairs of awaits that it interleaves.
LOOKED_AT_EVERY = 10


class ScenarioSubject(Subject):
    """A scenario, run simulated again and again, its orders decided by a policy.

    What holds only for a profile's own latencies (durations, speed-ups) is not judged: a search
    stretches latencies. ``chaos`` lets faults and cancellations be choices, too; then what holds
    only without any is not judged either.
    """

    hold_with_less_work = frozenset(
        {
            recovers.NAME,
            whole_run.NAME,
            *(one.name for one in CHECKS.values() if one.with_less_work),
        }
    )

    def __init__(
        self,
        scenario: Scenario,
        system: System,
        terms: SearchTerms,
        *,
        dropped: tuple[str, ...] = (),
    ) -> None:
        self.whole = scenario
        self.dropped = dropped
        scenario = reduced(scenario, dropped)
        self.scenario: Scenario = scenario
        self.name = scenario.name
        self.path = scenario.path
        self.claim = scenario.claim
        self._system_path = system_path_of(scenario, terms.system)
        allow = tuple(dict.fromkeys((*terms.allow, *scenario.allow)))
        self.terms = replace(terms, system=self._system_path, allow=allow)
        self._system = system
        self._backend = open_backend(
            NodeKind.SIMULATED,
            needs_node=system.needs_node,
            profile=terms.profile,
            limits=Limits(steps_max=terms.steps_max, watchdog=terms.watchdog),
        )
        self._until_s: float | None = None
        self._search = Search.of(scenario, faults=terms.chaos, cancel=terms.cancel)
        self._attempts = 0
        self._cancelled_runs = CancelledRuns(self._failure_of_tape)

    def __exit__(self, *error: object) -> None:
        self._backend.close()

    def attempt(
        self,
        policy: OrderPolicy,
        *,
        seed: int,
        watcher: StepWatcher | None = None,
        locks: bool = False,
        recorder: ScheduleRecorder | None = None,
    ) -> Attempt:
        """Run once. Locks are always watched here."""
        del locks
        looking: InterleavingRecorder | None = recorder
        if recorder is not None:
            watcher = recorder.watching(watcher)
        elif watcher is None and self._attempts % LOOKED_AT_EVERY == 0:
            watcher = looking = InterleavingRecorder()
        self._attempts += 1
        carried = self._run(policy, seed=seed, watcher=watcher)
        limit = carried.ran.limit
        result, trace = carried.result, carried.ran.trace
        order = b"" if trace is None else trace.order()
        return Attempt(
            seed=seed,
            picks=carried.ran.picks,
            order=order,
            system_order=_of_the_system(order),
            alone=carried.ran.alone,
            steps=len(order) // 4,
            virtual_s=result.virtual_s or 0.0,
            failure=self._judged(carried, seed=seed),
            partial=None if result.history is None else partial_order_of(result.history),
            interleaved=frozenset() if looking is None else frozenset(looking.interleaved),
            unknown=result.could_not_run,
            limited=limit is not None and result.could_not_run is not None,
            out_of_time=limit is not None and limit.budget,
            result=result,
            unreached=frozenset(carried.unreached),
        )

    def _run(self, policy: OrderPolicy, *, seed: int, watcher: StepWatcher | None) -> CarriedOut:
        terms = self.terms
        return carry_out(
            self.scenario,
            self._backend,
            system=self._system,
            system_path=self._system_path,
            seed=seed,
            search=self._search,
            orders=Orders(
                policy=policy,
                adversarial=terms.adversarial,
                cancel=terms.cancel,
                late_ms=terms.late_ms,
                watcher=watcher,
                until_s=self._until_s,
            ),
        )

    def _judged(self, carried: CarriedOut, *, seed: int) -> Failure | None:
        """Tell how a run failed, unless it is only that tasks are missing which were cancelled."""
        failure, cancelled = _failure(carried.result), carried.ran.cancelled
        if cancelled is None or not cancelled.lanes:
            return failure
        if failure is None and carried.result.could_not_run is None and cancelled.swallowed:
            return failure_of_swallowed(cancelled)
        if failure is None:
            return None

        def tape() -> Tape:
            writer = TapeRecorder(PicksPolicy(carried.ran.picks))
            self._run(writer, seed=seed, watcher=writer)
            return writer.tape(seed)

        lanes = cancelled.lanes
        missing = self._cancelled_runs.is_missing_only(failure, lanes, tape=tape, seed=seed)
        return None if missing else with_words(failure, cancelled)

    def _failure_of_tape(self, tape: Tape) -> Failure | None:
        policy = TapePolicy(tape)
        return _failure(self._run(policy, seed=tape.seed, watcher=policy).result)

    def ends_at(self, until_s: float | None) -> None:
        """Cut the run that is under way at that moment of the real clock."""
        self._until_s = until_s

    def without(self, dropped: tuple[str, ...]) -> ScenarioSubject:
        """Return the subject without a part of its workload, see ``shrink_workload``."""
        return ScenarioSubject(self.whole, self._system, self.terms, dropped=dropped)

    def replay_line(self, token: str) -> str:
        """Write the command that repeats a run."""
        return shlex.join(["harness", "replay", token])

    def fingerprint(self) -> str:
        """Identify the scenario's file, the system's package and the harness by their texts."""
        digest = hashlib.sha256()
        for path in self._sources():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _sources(self) -> Iterator[Path]:
        yield Path(self.path)
        named = self._system_path.partition(":")[0]
        modules = {named}
        if self._system_path == DEFAULT_SYSTEM:
            modules |= {"serve", type(self._system).__module__}
        for name in sorted(modules):
            module = sys.modules.get(name)
            found = inspect.getsourcefile(module) if module is not None else None
            if found is None:
                continue
            path = Path(found).resolve()
            own = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else []
            imported = (
                [path] if self._system_path == DEFAULT_SYSTEM else imported_sources(path, name)
            )
            yield from dict.fromkeys((*own, *imported))


def _of_the_system(order: bytes) -> bytes:
    """Leave out the steps of the harness's own task, and of callbacks of no task."""
    lanes = array("i", order)
    return array("i", (one for one in lanes if one not in HARNESS_LANES)).tobytes()


def _failure(result: RunResult) -> Failure | None:
    failed = [one for one in result.checks if one.verdict is Verdict.FAILED]
    if not failed:
        return None
    first = failed[0]
    diagnosis = None if result.history is None else result.history.deadlock
    return Failure(
        cause=_cause(failed),
        headline=f"{first.name}: expected {first.expected}, saw {first.seen}",
        lines=tuple(line for one in failed for line in _lines(one)),
        stack=first.involved,
        diagnosis=diagnosis,
    )


def _cause(failed: list[CheckResult]) -> str:
    """Name the checks that failed: moments and numbers differ from run to run, names do not.

    That calls did not end as they should says nothing more where the run itself could not go on.
    """
    names = {one.name for one in failed}
    if names & STOPS_A_RUN:
        names.discard(outcomes.NAME)
    return ", ".join(sorted(names))


def _lines(check: CheckResult) -> Iterator[str]:
    # Not why it failed: that is told of the run that is left after shrinking.
    yield f"{check.name}: expected {check.expected}, saw {check.seen}"
    yield from check.involved
