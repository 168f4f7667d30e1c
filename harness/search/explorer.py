"""The search: run after run as a strategy proposes, and what each failure is made of."""

from __future__ import annotations

import hashlib
import time
from array import array
from typing import TYPE_CHECKING, Protocol

from harness.processes.below_python import original
from harness.results.explorations import Exploration
from harness.search.failures.investigation import investigate
from harness.search.strategies.confidence import sentences
from harness.search.strategies.portfolio import strategy_named
from harness.search.variety import Variety

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from harness.results.explorations import FoundFailure
    from harness.search.strategies.port import Strategy
    from harness.search.subjects.attempt import Attempt
    from harness.search.subjects.port import Subject

__all__ = ["Budget", "Coverage", "ExplorationWatcher", "explore_subject"]

# Distinct failures after which a search ends: whoever has so many to mend needs no more.
FAILURES_MAX = 20
# Runs that were ended at a limit, after which a search ends: each takes long, and shows nothing.
LIMITED_MAX = 3
# Of the machine: inside a search time.perf_counter() tells virtual time.
_REAL_CLOCK = original(time.perf_counter)


class Budget:
    """How long a search may go on: runs, seconds of real time, or both; at least one of them."""

    def __init__(self, *, runs: int | None = None, seconds: float | None = None) -> None:
        self.runs = runs
        self.seconds = seconds
        self._begin_s = _REAL_CLOCK()

    @property
    def until_s(self) -> float | None:
        """The moment of the real clock at which its seconds are over; None without them."""
        return None if self.seconds is None else self._begin_s + self.seconds

    @property
    def spent_s(self) -> float:
        """Seconds of real time since the search began."""
        return _REAL_CLOCK() - self._begin_s

    def left(self, runs: int) -> bool:
        """Return True if another run may begin after ``runs``."""
        if self.runs is not None and runs >= self.runs:
            return False
        return self.seconds is None or self.spent_s < self.seconds


class ExplorationWatcher(Protocol):
    """Whoever shows how a search goes on."""

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        """Some runs have ended."""
        ...


class Coverage:
    """What the search has seen so far; its figures level off when it learns nothing new.

    ``orders``, ``interleaved`` and ``curve`` are what it had seen when it was cut short before;
    ``before`` is then that search, which knows whether all its runs took one order.
    """

    def __init__(
        self,
        orders: Iterable[tuple[bytes, int]] = (),
        *,
        interleaved: Iterable[tuple[str, str]] = (),
        curve: Iterable[tuple[int, int]] = (),
        before: Exploration | None = None,
    ) -> None:
        self._orders = dict(orders)
        self._first: bytes | None = None
        self._first_before = None if before is None else before.one_order
        self._several = before is not None and before.runs > 0 and before.one_order is None
        self._may_have_others, self._durations = False, set[float]()
        self._interleaved = set(interleaved)
        self._curve: list[tuple[int, int]] = []
        self._next_point = 1
        for point in curve:
            # The last one stood there only because the search ended.
            if point[0] >= self._next_point:
                self._add_point(*point)

    @property
    def distinct(self) -> int:
        """Distinct orders so far: up to what nobody can tell apart, where that is known."""
        return len(self._orders)

    @property
    def orders(self) -> dict[bytes, int]:
        """A 12-byte digest of each distinct order, and the run (from 1) that showed it first."""
        return self._orders

    @property
    def interleaved(self) -> frozenset[tuple[str, str]]:
        """The pairs of lines that ``awaits_interleaved`` counts."""
        return frozenset(self._interleaved)

    @property
    def awaits_interleaved(self) -> int:
        """Pairs of lines of which one task stood at the first while another went to the second."""
        return len(self._interleaved)

    def add(self, found: Attempt, runs: int) -> bool:
        """Add a run; True if its order was new."""
        key = found.partial
        if key is None:
            key = hashlib.blake2b(found.order, digest_size=12).digest()
        if not self._may_have_others:
            self._may_have_others = not found.has_no_other
            if len(self._durations) < 2:
                self._durations.add(found.virtual_s)
        order = found.order if found.system_order is None else found.system_order
        if self._first is None:
            self._first = order
            known = self._first_before
            self._several = self._several or known not in (None, _name_of(order))
        elif not self._several:
            self._several = order != self._first
        before = len(self._orders)
        self._orders.setdefault(key, runs)
        if found.interleaved:
            self._interleaved |= found.interleaved
        if runs >= self._next_point:
            self._add_point(runs, len(self._orders))
        return len(self._orders) > before

    @property
    def one_order(self) -> str | None:
        """What identifies the order that all runs took; None if there are several, or none.

        None, too, if there is no other one: no run had anything to choose, at no time were two
        things on their way, and either there is but one task, or the runs took different times, so
        that latencies did vary.
        """
        if self._several or (self._first is not None and self._is_only_one(self._first)):
            return None
        return self._first_before if self._first is None else _name_of(self._first)

    def _is_only_one(self, order: bytes) -> bool:
        one_task = len(set(array("i", order)) - {0}) < 2
        return not self._may_have_others and (one_task or len(self._durations) > 1)

    def curve(self, runs: int) -> tuple[tuple[int, int], ...]:
        """Return pairs of runs and distinct orders."""
        last = [(runs, self.distinct)] if runs else []
        return (*(point for point in self._curve if point[0] != runs), *last)

    def _add_point(self, runs: int, distinct: int) -> None:
        self._curve.append((runs, distinct))
        self._next_point = max(runs + 1, round(runs * 1.15))


def _name_of(order: bytes) -> str:
    return hashlib.blake2b(order, digest_size=12).hexdigest()


def explore_subject(
    subject: Subject,
    strategy: Strategy | None = None,
    *,
    budget: Budget,
    first: bool = False,
    share: tuple[int, int] = (0, 1),
    watcher: ExplorationWatcher | None = None,
    keep: Callable[[FoundFailure], None] | None = None,
    coverage: Coverage | None = None,
    known: Collection[str] = (),
    begun: Exploration | None = None,
) -> Exploration:
    """Search the orders of a subject for failures; shrink each that is found.

    Args:
        subject: What is explored, on its terms: their seed, with the number of the run, gives each
            run its own.
        strategy: Proposes the runs; the strategy of the terms if it is left out.
        budget: When to stop, besides at the strategy's own end.
        first: Stop at the first failure.
        share: (k, n): of n searches that share the work this is number k, from 0. What a strategy
            does once, in its first run, only number 0 does.
        watcher: Is told now and then how far it is.
        keep: Is given each failure as soon as it is shrunk, so that none is lost.
        coverage: Is filled, for whoever unites it with that of other searches; fresh.
        known: Causes that were found before: they are not looked into again, nor told.
        begun: What it came to until it was cut short; the strategy and the coverage know of it.
    """
    if strategy is None:
        terms = subject.terms
        strategy = strategy_named(terms.strategy, seed=terms.seed, cancel=terms.cancel)
    search = _Search(
        subject,
        strategy,
        budget=budget,
        coverage=Coverage() if coverage is None else coverage,
        known=known,
        begun=begun,
    )
    with subject:
        subject.ends_at(budget.until_s)
        while budget.left(search.runs) and not strategy.exhausted and not search.is_over:
            one = search.step(share)
            if one is not None and keep is not None:
                keep(one)
            if one is not None and (first or len(search.found) >= FAILURES_MAX):
                break
            if watcher is not None:
                watcher.ran(search.runs, search.coverage.distinct, len(search.found))
    return search.result()


class _Search:
    """A search that goes on: what it has seen, and what it has found."""

    def __init__(
        self,
        subject: Subject,
        strategy: Strategy,
        *,
        budget: Budget,
        coverage: Coverage,
        known: Collection[str],
        begun: Exploration | None = None,
    ) -> None:
        self.coverage = coverage
        self.runs = 0 if begun is None else begun.runs
        self.found = {one.cause: one for one in begun.failures} if begun is not None else {}
        self._subject = subject
        self._strategy = strategy
        self._budget = budget
        self._known = known
        self._variety = Variety(subject.terms, begun)
        self._steps = 0 if begun is None else begun.steps_total
        self._failing = 0 if begun is None else len(begun.failures)
        self._spent_s = 0.0 if begun is None else begun.wall_s
        self._unknown = None if begun is None else begun.could_not_run
        self._limited = 0
        self._out_of_time = False

    @property
    def is_over(self) -> bool:
        """True if no further run is worth its time."""
        return self._limited >= LIMITED_MAX or self._out_of_time

    def step(self, share: tuple[int, int]) -> FoundFailure | None:
        """Run once, as this share's next run; return a failure of a new cause."""
        subject, strategy = self._subject, self._strategy
        index, parts = share
        number = self.runs * parts + index
        policy = strategy.begin(self.runs + min(index, 1))
        policy = self._variety.looking(policy, self.runs + 1)
        same_seed = subject.same_seed or strategy.same_seed
        attempt = subject.attempt(
            policy,
            seed=subject.terms.seed if same_seed else (subject.terms.seed + number) % 2**64,
            watcher=strategy.watcher,
            locks=strategy.locks,
        )
        if attempt.out_of_time:
            # Runs that ended before say what they say; without any, nothing is known.
            self._out_of_time = True
            if self.runs:
                return None
        self.runs += 1
        self._steps += attempt.steps
        attempt.new_order = self.coverage.add(attempt, self.runs)
        strategy.finish(attempt)
        self._variety.add(attempt.unreached)
        self._unknown = self._unknown or attempt.unknown
        self._limited += attempt.limited
        failure = attempt.failure
        self._failing += failure is not None
        if failure is None or failure.cause in self.found or failure.cause in self._known:
            return None
        # What was found is told whole.
        subject.ends_at(None)
        one = investigate(subject, attempt, failure, runs=self.runs, strategy=strategy.proposed_by)
        subject.ends_at(self._budget.until_s)
        self.found[failure.cause] = one
        return one

    def result(self) -> Exploration:
        """Put together what the search came to."""
        subject, strategy = self._subject, self._strategy
        return Exploration(
            scenario=subject.name,
            path=subject.path,
            claim=subject.claim,
            strategy=strategy.name,
            seed=subject.terms.seed,
            mode=subject.terms.mode,
            runs=self.runs,
            distinct=self.coverage.distinct,
            steps_total=self._steps,
            wall_s=self._spent_s + self._budget.spent_s,
            exhausted=strategy.exhausted and strategy.complete,
            bound=strategy.bound,
            bounds_text=sentences(
                strategy,
                runs=self.runs,
                failures=self._failing,
                unknown=self._unknown is not None,
            ),
            coverage=self.coverage.curve(self.runs),
            awaits_interleaved=self.coverage.awaits_interleaved,
            failures=tuple(self.found.values()),
            could_not_run=self._unknown if not self.found else None,
            chaos=subject.terms.chaos,
            cancel=subject.terms.cancel,
            one_order=self.coverage.one_order,
            allowed=subject.terms.allow,
            varied=self._variety.varied(),
        )
