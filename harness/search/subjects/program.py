"""A program as the subject of a search: a coroutine function that raises when it is wrong."""

from __future__ import annotations

import hashlib
import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.diagnosis.lock_ledger import LockLedger
from harness.search.subjects.attempt import Attempt, Failure
from harness.search.subjects.port import Subject
from harness.search.subjects.program_failure import (
    failure_of_deadlock,
    failure_of_error,
    failure_of_pause,
    failure_of_unhandled,
)
from harness.search.terms import SearchTerms
from harness.simulated.loop.pause import Pause
from harness.simulated.repeated_runs import SearchRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.search.failures.schedule_recorder import ScheduleRecorder
    from harness.simulated.repeated_runs import SearchRun

__all__ = ["Program"]


class Program(Subject):
    """A coroutine function without arguments, run again and again from a fresh start.

    It fails if it raises, if it cannot go on, or if it leaves an error that no code took. State
    that it keeps outside of itself is its own affair: a run must not see what an earlier one did.
    """

    def __init__(
        self,
        main: Callable[[], Coroutine[Any, Any, Any]],
        terms: SearchTerms | None = None,
        *,
        name: str | None = None,
        same_seed: bool = False,
        time_limit_s: float | None = None,
    ) -> None:
        self.main = main
        self.name = name or _name_of(main)
        self.path = ""
        self.claim = (inspect.getdoc(main) or "").partition("\n")[0]
        self.terms = terms or SearchTerms()
        self.same_seed = same_seed
        self._runs = SearchRuns(main, adversarial=self.terms.adversarial, time_limit_s=time_limit_s)

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
        if locks or recorder is not None:
            with LockLedger():
                found = self._runs.run(policy, seed=seed, watcher=watcher, diagnosed=True)
        else:
            found = self._runs.run(policy, seed=seed, watcher=watcher, diagnosed=True)
        return Attempt(
            seed=seed,
            picks=found.picks,
            order=found.order,
            steps=found.steps,
            virtual_s=found.virtual_s,
            failure=_failure(found) if found.failed else None,
        )

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


def _failure(found: SearchRun) -> Failure:
    if found.error is not None:
        return failure_of_error(found.error)
    if not found.finished:
        if found.diagnosis is not None and found.pause is Pause.STUCK:
            return failure_of_deadlock(found.diagnosis)
        return failure_of_pause(found.pause.value, found.diagnosis)
    return failure_of_unhandled(found.unhandled)


def _name_of(main: object) -> str:
    """Name what is called, alike in every process: an address in it would be no name."""
    while isinstance(main, partial):
        main = main.func
    # Any object may be called, and then it has no such name.
    return str(getattr(main, "__qualname__", type(main).__qualname__))
