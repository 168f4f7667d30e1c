"""What can be explored: something that a policy can run again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.scenario.model import Scenario
    from harness.search.failures.schedule_recorder import ScheduleRecorder
    from harness.search.subjects.attempt import Attempt
    from harness.search.terms import SearchTerms

__all__ = ["Subject"]


class Subject(Protocol):
    """A program or a scenario under search. It is entered once, and then run many times."""

    name: str
    path: str
    claim: str
    same_seed: bool
    terms: SearchTerms

    @property
    def dropped(self) -> tuple[str, ...]:
        """The parts of its workload that are left out."""
        ...

    @property
    def scenario(self) -> Scenario | None:
        """What there is to be left out of; None for a program."""
        ...

    @property
    def hold_with_less_work(self) -> frozenset[str]:
        """Names of checks that hold for a sound system however little it is given to do."""
        ...

    def without(self, dropped: tuple[str, ...]) -> Subject:
        """Return the subject without a part of its workload, see ``shrink_workload``."""
        ...

    def __enter__(self) -> Subject:
        """Make ready for many runs."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Put back what was changed."""
        ...

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
        ...

    def set_adversarial(self, adversarial: bool) -> None:
        """Go on with orders that asyncio never produces, or without."""
        ...

    def replay_line(self, token: str) -> str:
        """Write the command that repeats a run."""
        ...

    def fingerprint(self) -> str:
        """Identify the code that decides a run: hexadecimal digits, alike for equal code."""
        ...
