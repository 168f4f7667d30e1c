"""A program as the subject of a search: a coroutine function that raises when it is wrong."""

from __future__ import annotations

import hashlib
import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.diagnosis.lock_ledger import LockLedger
from harness.search.failures.tape import Tape
from harness.search.failures.tape_policy import PicksPolicy, TapePolicy, TapeRecorder
from harness.search.subjects.attempt import Attempt, Failure
from harness.search.subjects.cancelled_failure import CancelledRuns, failure_after, failure_in
from harness.search.subjects.port import Subject
from harness.search.subjects.program_failure import (
    failure_of_cut,
    failure_of_deadlock,
    failure_of_error,
    failure_of_leaks,
    failure_of_pause,
    failure_of_unhandled,
)
from harness.search.terms import SearchTerms
from harness.simulated.left_behind import LOCKS
from harness.simulated.loop.pause import Pause
from harness.simulated.repeated_runs import SearchRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.search.failures.schedule_recorder import ScheduleRecorder
    from harness.simulated.repeated_runs import SearchRun

__all__ = ["ASKS_FOR", "Program"]

ASKS_FOR = "the program asks for what a simulation has not"

# To watch the locks of a run takes time: in one run of so many it is seen whether they are given
# back. Where none is taken by hand it is only looked for such locks, and once one was left, in all.
LOOKED_AT_EVERY, LOOKED_AT_SELDOM = 10, 1_000


class Program(Subject):
    """A coroutine function without arguments, run again and again from a fresh start.

    It fails if it raises, if it cannot go on, or if it leaves an error that no code took, or one of
    ``leaks``. State that it keeps outside of itself is its own affair: a run must not see what an
    earlier one did. ``after`` is a check, a function or a coroutine function, that is made when all
    has ended.
    """

    def __init__(
        self,
        main: Callable[[], Coroutine[Any, Any, Any]],
        terms: SearchTerms | None = None,
        *,
        name: str | None = None,
        same_seed: bool = False,
        time_limit_s: float | None = None,
        after: Callable[[], Any] | None = None,
        leaks: frozenset[str] = frozenset(),
    ) -> None:
        self.main = main
        self.name = name or _name_of(main)
        self.path = ""
        self.claim = (inspect.getdoc(main) or "").partition("\n")[0]
        self.terms = terms or SearchTerms()
        self.same_seed = same_seed
        self._runs = SearchRuns(
            main,
            adversarial=self.terms.adversarial,
            late_ms=self.terms.late_ms,
            time_limit_s=time_limit_s,
            steps_max=self.terms.steps_max,
            watchdog=self.terms.watchdog,
            cancel=self.terms.cancel,
            after=after,
            leaks=leaks,
        )
        self._cancelled_runs = CancelledRuns(self._failure_of_tape)
        self._knows_its_way = not self.terms.cancel
        self._judges_locks = LOCKS in leaks
        self._locks_by_hand = self._locks_left = False
        self._attempts = 0

    def __enter__(self) -> Program:
        self._runs.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._runs.__exit__(*error)

    def attempt(
        self,
        policy: OrderPolicy,
        *,
        seed: int,
        watcher: StepWatcher | None = None,
        locks: bool = False,
        recorder: ScheduleRecorder | None = None,
    ) -> Attempt:
        """Run once; ``locks`` has locks watched, ``recorder`` writes the schedule."""
        if recorder is not None:
            watcher = recorder.watching(watcher)
        if not self._knows_its_way:
            # What it leaves and raises where nobody is cancelled: a replay has no run before it.
            self._knows_its_way = True
            self._failure_of_tape(Tape(seed=seed))
        found = self._run(policy, seed=seed, watcher=watcher, locks=locks or recorder is not None)
        failure = unknown = None
        if found.refused:
            # Whatever became of the error: it goes on otherwise than it would in production.
            unknown = f"{ASKS_FOR}: {found.refused[0]}"
        else:
            unknown = _unknown(found)
            failure = self._judged(found)
        return Attempt(
            seed=seed,
            picks=found.picks,
            order=found.order,
            alone=found.alone,
            steps=found.steps,
            virtual_s=found.virtual_s,
            failure=failure,
            unknown=unknown,
            limited=found.cut is not None and not found.cut.shown,
            out_of_time=found.cut is not None and found.cut.budget,
        )

    def ends_at(self, until_s: float | None) -> None:
        """Cut the run that is under way at that moment of the real clock."""
        if self._runs.watchdog is not None:
            self._runs.watchdog.until_s = until_s

    def _run(
        self, policy: OrderPolicy, *, seed: int, watcher: StepWatcher | None, locks: bool
    ) -> SearchRun:
        every = LOOKED_AT_EVERY if self._locks_by_hand else LOOKED_AT_SELDOM
        looked_at = self._judges_locks and self._attempts % every == 0
        self._attempts += 1
        named = locks or looked_at or self._locks_left
        # Who is cancelled may leave with a lock.
        if not named and not self.terms.cancel:
            return self._runs.run(policy, seed=seed, watcher=watcher, diagnosed=True)
        with LockLedger(named=named) as ledger:
            found = self._runs.run(policy, seed=seed, watcher=watcher, diagnosed=True)
        self._locks_by_hand |= ledger.by_hand
        # Those that shrink this failure must be judged by the same.
        self._locks_left |= any(one.kind == LOCKS for one in found.left)
        return found

    def _judged(self, found: SearchRun) -> Failure | None:
        failure = _failure(found)
        if failure is None or found.cancelled is None or not found.cancelled.lanes:
            return failure

        def tape() -> Tape:
            writer = TapeRecorder(PicksPolicy(found.picks))
            self._run(writer, seed=found.seed, watcher=writer, locks=False)
            return writer.tape(found.seed)

        lanes, seed = found.cancelled.lanes, found.seed
        missing = self._cancelled_runs.is_missing_only(failure, lanes, tape=tape, seed=seed)
        return None if missing else failure

    def _failure_of_tape(self, tape: Tape) -> Failure | None:
        policy = TapePolicy(tape)
        return _failure(self._run(policy, seed=tape.seed, watcher=policy, locks=False))

    def set_adversarial(self, adversarial: bool) -> None:
        """Go on with orders that asyncio never produces, or without."""
        super().set_adversarial(adversarial)
        self._runs.set_adversarial(adversarial)

    def replay_line(self, token: str) -> str:
        """Write the command that repeats a run."""
        return f'pytest --harness-replay {token}  # or: explore(main, replay="{token}")'

    def fingerprint(self) -> str:
        """Identify the program by the text of its file."""
        try:
            path = inspect.getsourcefile(inspect.unwrap(self.main))
            text = Path(path).read_bytes() if path else b""
        except (OSError, TypeError):
            text = b""
        return hashlib.sha256(text).hexdigest()


def _unknown(found: SearchRun) -> str | None:
    return None if found.cut is None or found.cut.shown else found.cut.text


def _failure(found: SearchRun) -> Failure | None:
    if found.cut is not None:
        return failure_of_cut(found.cut.headline, found.cut.where) if found.cut.shown else None
    if found.cancelled is not None and found.cancelled.lanes:
        return failure_in(found, found.cancelled, _told)
    if found.failed:
        return _told(found)
    return None if found.after_error is None else failure_after(found.after_error)


def _told(found: SearchRun) -> Failure:
    if found.error is not None:
        return failure_of_error(found.error)
    if not found.finished:
        if found.diagnosis is not None and found.pause is Pause.STUCK:
            return failure_of_deadlock(found.diagnosis)
        return failure_of_pause(found.pause.value, found.diagnosis)
    return (
        failure_of_unhandled(found.unhandled) if found.unhandled else failure_of_leaks(found.left)
    )


def _name_of(main: object) -> str:
    """Name what is called, alike in every process: an address in it would be no name."""
    while isinstance(main, partial):
        main = main.func
    # Any object may be called, and then it has no such name.
    return str(getattr(main, "__qualname__", type(main).__qualname__))
