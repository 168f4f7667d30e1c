"""What can be explored: something that a policy can run again and again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.scenario.model import Scenario
    from harness.search.failures.schedule_recorder import ScheduleRecorder
    from harness.search.subjects.attempt import Attempt
    from harness.search.terms import SearchTerms

__all__ = ["Subject"]


class Subject(ABC):
    """A program or a scenario under search. It is entered once, and then run many times.

    ``scenario`` is what there is to be left out of, ``dropped`` the parts of its workload that are
    left out, ``hold_with_less_work`` names checks that hold for a sound system however little it is
    given to do; a program has none of these. ``same_seed``: all runs must have one seed.
    """

    name: str
    path: str
    claim: str
    terms: SearchTerms
    same_seed = False
    dropped: tuple[str, ...] = ()
    scenario: Scenario | None = None
    hold_with_less_work: frozenset[str] = frozenset()

    def without(self, dropped: tuple[str, ...]) -> Subject:
        """Return the subject without a part of its workload, see ``shrink_workload``."""
        del dropped
        return self

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *error: object) -> None:
        """Put back what was changed."""

    @abstractmethod
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

    def ends_at(self, until_s: float | None) -> None:
        """Cut a run that is under way at that moment of ``time.perf_counter()``; None for never."""
        del until_s

    def set_adversarial(self, adversarial: bool) -> None:
        """Go on with orders that asyncio never produces, or without."""
        self.terms = replace(self.terms, adversarial=adversarial)

    @abstractmethod
    def replay_line(self, token: str) -> str:
        """Write the command that repeats a run."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Identify the code that decides a run: hexadecimal digits, alike for equal code."""
