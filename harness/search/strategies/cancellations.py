"""The strategy of a search with cancellations: each place once, then two, then drawn ones."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind
from harness.diagnosis.await_chain import frames_of, place_in
from harness.search.failures.tape import Deviation, Tape
from harness.search.failures.tape_policy import TapePolicy
from harness.search.strategies.port import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.choices.policies import Lane, OrderPolicy
    from harness.search.subjects.attempt import Attempt

__all__ = ["Cancellations"]

# Of so many places each is tried alone, and so many pairs of places.
ALONE_MAX = 5_000
PAIRS_MAX = 1_000
# Of so many runs one is drawn while places are left that were not tried.
DRAWN_EVERY = 4
# How likely a task that was cancelled is cancelled again at a place at which it could be.
AGAIN = 1 / 3

Schedule = tuple[Deviation, ...]


class Cancellations(Strategy):
    """Cancels where another strategy decides the order, and before that in the default order.

    The first run, in which nobody is cancelled, finds the places: each task, each of its awaits,
    each moment of it. Then each is tried alone, lines that were not tried before first. A task that
    is cancelled may come to further awaits, in its clean-up: there it is cancelled once more. One
    run in ``DRAWN_EVERY`` is one of the other strategy's, with up to two cancellations drawn
    anywhere; when all places are tried, all are.
    """

    def __init__(self, inner: Strategy, *, seed: int, share: tuple[int, int] = (0, 1)) -> None:
        self.name = inner.name
        self.parts = tuple(dict.fromkeys((inner, *inner.parts)))
        self.alone: deque[Schedule] | None = None
        self.pairs: deque[Schedule] = deque()
        self.horizon_of_cancels = 0
        self.runs = 0
        self._drawn = 0
        self._inner = inner
        self._share = share
        self._stream = Random(seed ^ 0xCA9CE1)  # noqa: S311 - not secrets
        self._sites: _Sites | None = None
        self._known: set[tuple[str, ...]] = set()

    @property
    def proposed_by(self) -> str:
        """The name of the strategy that proposed the last run."""
        return "cancellations" if self._sites is not None else self._inner.proposed_by

    @property
    def same_seed(self) -> bool:  # type: ignore[override]
        """True for a run that tries a place: it must come to the place that the first run saw."""
        return self._sites is not None or self._inner.same_seed

    @property
    def exhausted(self) -> bool:  # type: ignore[override]
        """True if all places were tried and the other strategy has no more runs to propose."""
        tried = self.alone is not None and not self.alone and not self.pairs
        return tried and self._inner.exhausted

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of the next run."""
        del run
        number, self.runs = self.runs, self.runs + 1
        schedule = self._next(number)
        if schedule is not None:
            self._sites = _Sites(Tape(seed=0, schedule=schedule))
            self.watcher, self.locks = self._sites, False
            return self._sites
        self._sites = None
        policy = self._inner.begin(self._drawn)
        self._drawn += 1
        self.watcher, self.locks = self._inner.watcher, self._inner.locks
        return _Drawn(policy, self._stream, horizon=self.horizon_of_cancels)

    def _next(self, number: int) -> Schedule | None:
        if self.alone is None:
            return ()
        if self._inner.exhausted or number % DRAWN_EVERY:
            if self.alone:
                return self.alone.popleft()
            if self.pairs:
                return self.pairs.popleft()
        return None

    def finish(self, found: Attempt) -> None:
        """Learn from a run which places there are."""
        sites = self._sites
        if sites is None:
            self._inner.finish(found)
            return
        if self.alone is None:
            index, of = self._share
            self.horizon_of_cancels = len(sites.found)
            ordered = _by_line(sites.found)[:ALONE_MAX]
            self.alone = deque((_strike(label, nth),) for label, nth, _ in ordered[index::of])
            if self._inner.default_first:
                # That run has just been made.
                self._inner.begin(0)
                self._inner.finish(found)
                self._drawn = 1
            return
        self._add_pairs(sites)

    def _add_pairs(self, sites: _Sites) -> None:
        """Note where a task that was cancelled could be cancelled once more."""
        if len(sites.schedule) != 1 or sites.struck_at is None:
            return
        lane = _lane(sites.schedule[0].where)
        first = sites.found[sites.struck_at]
        for label, nth, line in sites.found[sites.struck_at + 1 :]:
            key = (_moment(first[0]), first[2], _moment(label), line)
            if _lane(label) == lane and key not in self._known and len(self._known) < PAIRS_MAX:
                self._known.add(key)
                self.pairs.append((sites.schedule[0], _strike(label, nth)))

    def learned(self) -> dict[str, Any] | None:
        """Return the places still to be tried, and what the other strategy knows."""
        inner = self._inner.learned()
        if inner is None:
            return None
        return {
            "alone": None if self.alone is None else _plain(self.alone),
            "pairs": _plain(self.pairs),
            "horizon": self.horizon_of_cancels,
            "runs": self.runs,
            "drawn": self._drawn,
            "inner": inner,
        }

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what ``learned`` returned."""
        if plain["alone"] is not None:
            self.alone = deque(map(_schedule, plain["alone"]))
        self.pairs = deque(map(_schedule, plain["pairs"]))
        self.horizon_of_cancels = int(plain["horizon"])
        self.runs, self._drawn = int(plain["runs"]), int(plain["drawn"])
        self._inner.restore(plain["inner"])


class _Sites(TapePolicy):
    """Carries out a tape, and notes each place at which a task could be cancelled."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape)
        self.schedule = tape.schedule
        self.found: list[tuple[str, int, str]] = []
        self.struck_at: int | None = None

    def site(self, label: str, task: Any) -> None:
        """Note a place: what is asked, how often it was asked before, and the task's line."""
        nth = self.asked(ChoiceKind.CANCEL, label)
        if any(one.where == label and one.nth == nth for one in self.schedule):
            self.struck_at = len(self.found)
        self.found.append((label, nth, place_in(frames_of(task))))


class _Drawn:
    """Another policy's order, with a task that is cancelled at up to two drawn places."""

    def __init__(self, inner: OrderPolicy, stream: Random, *, horizon: int) -> None:
        self._inner = inner
        # In a third of the runs nobody is: what fails then needs no cancellation.
        self._left = int(stream.random() * 3)
        self._place = int(stream.random() * max(horizon, 1))
        self._stream = stream
        self._asked = 0
        self._struck = False

    def order(self, options: Sequence[Lane]) -> int:
        """Choose what the other policy does."""
        return self._inner.order(options)

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Cancel at the drawn places; all else is the other policy's."""
        if kind is not ChoiceKind.CANCEL:
            return self._inner.choose(kind, count, label)
        self._asked += 1
        if not self._left:
            return 0
        # Once somebody is cancelled, only the same task is asked about.
        here = self._stream.random() < AGAIN if self._struck else self._asked > self._place
        self._struck |= here
        self._left -= here
        return int(here)


def _by_line(sites: Iterable[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """Order places: the first and the last of each line and moment, then the others.

    Lines at which tasks stand most seldom come first.
    """
    lines: dict[tuple[str, str], list[tuple[str, int, str]]] = {}
    for one in sites:
        lines.setdefault((_moment(one[0]), one[2]), []).append(one)
    groups = sorted(lines.values(), key=len)
    ordered = [group[0] for group in groups] + [group[-1] for group in groups if len(group) > 1]
    longest = max(map(len, groups), default=0)
    ordered += [group[at] for at in range(1, longest) for group in groups if at < len(group) - 1]
    return ordered


def _strike(label: str, nth: int) -> Deviation:
    return Deviation(ChoiceKind.CANCEL, label, nth, 1)


def _moment(label: str) -> str:
    return label.partition(" ")[0]


def _lane(label: str) -> str:
    return label.partition(" ")[2]


def _plain(schedules: Iterable[Schedule]) -> list[list[list[Any]]]:
    return [[[one.where, one.nth] for one in schedule] for schedule in schedules]


def _schedule(plain: list[list[Any]]) -> Schedule:
    return tuple(_strike(str(where), int(nth)) for where, nth in plain)
