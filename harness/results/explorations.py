"""The result of a search: what was searched, how far, and the failures it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.results.health.health_checks import ONE_ORDER, health_text
from harness.results.health.varied import NOTHING_SEEN, Varied, budget_text, recommended_runs
from harness.results.profile_used import NOMINAL, ProfileUsed
from harness.results.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from harness.history.records import Diagnosis, History
    from harness.results.schedule import Schedule
    from harness.results.verdict import CheckResult

__all__ = [
    "RESULT_VERSION",
    "Exploration",
    "ExplorationReport",
    "FoundFailure",
]

RESULT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFailure:
    """A failure that the search found, shrunk. Failures of the same ``cause`` are found once.

    ``token`` repeats it anywhere, and ``replay`` is the whole command line for that.
    ``runs_to_find`` counts from 1; ``found_by`` is the strategy. ``deviations`` and ``operations``
    are counts after shrinking, ``…_before`` those before it, ``shrink_runs`` the runs it took.
    ``schedule`` is the shrunk failing run, ``passing`` the nearest run that passed; ``stacks`` are
    the lines of their stack traces (passing, failing) at the first step at which they part.
    ``adversarial``: the search broke asyncio's own order, so production cannot show this failure.
    """

    cause: str
    headline: str
    message_lines: tuple[str, ...]
    token: str
    replay: str
    runs_to_find: int
    found_by: str
    deviations: int
    deviations_before: int
    operations: int
    operations_before: int
    shrink_runs: int
    schedule: Schedule
    passing: Schedule | None = None
    stacks: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    diagnosis: Diagnosis | None = None
    checks: tuple[CheckResult, ...] = ()
    adversarial: bool = False
    history: History | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """The search of a scenario or a program.

    ``mode`` is "production" (only orders that asyncio can produce) or "adversarial". ``distinct``
    counts distinct partial orders, ``coverage`` holds pairs (runs so far, distinct so far) in
    order, ``awaits_interleaved`` counts pairs of awaits of which one was overtaken at the other.
    ``exhausted``: every order up to ``bound`` deviations was run (every order if ``bound`` is
    None). ``bounds_text`` holds sentences on what the search rules out. ``could_not_run`` is the
    reason why it never began, ``wall_s`` is measured seconds. ``chaos``: faults and cancellations
    were choices, ``cancel``: each await of each task was a place to cancel it. ``not_judged`` names
    checks of the scenario that a search cannot judge, and ``nothing_judged`` says that the scenario
    has no others. ``one_order`` identifies the order that all runs took, if they took but one;
    ``allowed`` names health checks that may fail. ``varied`` says what varied and what never did.
    """

    scenario: str
    path: str
    claim: str
    strategy: str
    seed: int
    mode: str
    runs: int
    distinct: int
    steps_total: int
    wall_s: float
    exhausted: bool
    bound: int | None = None
    bounds_text: tuple[str, ...] = ()
    coverage: tuple[tuple[int, int], ...] = ()
    awaits_interleaved: int = 0
    failures: tuple[FoundFailure, ...] = ()
    could_not_run: str | None = None
    chaos: bool = False
    not_judged: tuple[str, ...] = ()
    nothing_judged: bool = False
    cancel: bool = False
    one_order: str | None = None
    allowed: tuple[str, ...] = ()
    varied: Varied = NOTHING_SEEN

    @property
    def verdict(self) -> Verdict:
        """FAILED with a failure, UNKNOWN if nothing was run, judged or varied, else PASSED."""
        if self.failures:
            return Verdict.FAILED
        unknown = self.could_not_run or self.nothing_judged or self.runs == 0 or self.health
        return Verdict.UNKNOWN if unknown else Verdict.PASSED

    @property
    def health(self) -> tuple[str, ...]:
        """The health checks that failed, by name.

        One order is enough where it is proven to be the only one, or where no other was asked for.
        """
        if self.one_order is None or self.exhausted or self.could_not_run is not None:
            return ()
        if self.strategy == "default" and not self.cancel:
            return ()
        return () if ONE_ORDER in self.allowed or self.failures else (ONE_ORDER,)

    @property
    def health_texts(self) -> tuple[str, ...]:
        """What each of these says, with what to do."""
        return tuple(map(health_text, self.health))

    @property
    def budget(self) -> int:
        """How many runs are worth it, by the curve of new orders."""
        return recommended_runs(self.coverage)

    @property
    def varied_texts(self) -> tuple[str, ...]:
        """Sentences on what varied, what never did, and what budget follows."""
        budget = None if self.proven else budget_text(self.coverage, self.budget)
        return (*self.varied.sentences, *([budget] if budget is not None else []))

    @property
    def not_judged_text(self) -> str | None:
        """A sentence on the checks that were not judged, or None if all were."""
        if not self.not_judged:
            return None
        message = f"not judged by a search: {', '.join(self.not_judged)} (harness run judges them)"
        only = "; nothing else stands under [check], so this says nothing of the claim"
        return message + only if self.nothing_judged else message

    @property
    def proven(self) -> bool:
        """True if every order within the bound was run and passed."""
        return self.exhausted and self.verdict is Verdict.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorationReport:
    """All searches of an invocation, with what is needed to judge and repeat them.

    ``versions`` maps package to version, ``machine`` holds cores, memory_gib, system, processor,
    ``profile`` is the latency profile that all runs drew from.
    """

    explorations: tuple[Exploration, ...]
    profile: ProfileUsed = NOMINAL
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    started_at: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all searches."""
        return verdict_of(one.verdict for one in self.explorations)
