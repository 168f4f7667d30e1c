"""The shrinking of a failing tape to the few deviations that matter."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from harness.choices.kinds import ChoiceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.search.failures.tape import Deviation, Tape

__all__ = ["LONG", "RUNS_MAX", "Shrunk", "shrink_schedule"]

# Runs that one failure may cost.
RUNS_MAX = 60

# A failing tape with so few deviations is as small as two long delays.
FEW = 2

# A delay that nothing outlasts: a lane that is kept back so often runs when it is alone.
LONG = 1_000_000

# So many sites are tried alone, and of so many all pairs.
SITES_MAX = 14
PAIRS_OF = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """A smaller tape that fails in the same way, and the runs that it took to find it."""

    tape: Tape
    runs: int


class _OutOfRuns(Exception):
    """The budget is used up; what has been found stands."""


def shrink_schedule(
    tape: Tape,
    fails: Callable[[Tape], bool],
    *,
    sites: Sequence[Deviation] = (),
    runs_max: int = RUNS_MAX,
) -> Shrunk:
    """Find a few deviations of the schedule that still make the run fail; the workload stays.

    First it tries whether one long delay, or two, at one of the ``sites`` fail alone: a run that
    went far off the default often shows what a single task kept back at the right await shows, too.
    If not, it looks for the shortest beginning of the deviations, in the order in which they took
    place, that fails; its last one matters. With that one kept it looks again among those before
    it, until the kept ones fail alone: some log2(n) runs for each that matters. Then it takes away
    what can still be taken away, and makes delays as short as they can be.

    Args:
        tape: Fails.
        fails: Runs a tape, and says whether it fails in the same way.
        sites: Long delays that are worth a try, the most telling first.
        runs_max: Runs to spend; the smallest failing tape so far is returned when they are spent.
    """
    shrinker = _Shrinker(tape, fails, sites=sites, runs_max=runs_max)
    with suppress(_OutOfRuns):
        shrinker.shrink()
    return Shrunk(tape=tape.with_deviations(shrinker.best), runs=shrinker.runs)


class _Shrinker:
    def __init__(
        self,
        tape: Tape,
        fails: Callable[[Tape], bool],
        *,
        sites: Sequence[Deviation],
        runs_max: int,
    ) -> None:
        self.best: tuple[Deviation, ...] = tape.schedule
        self.runs = 0
        self._tape = tape
        self._fails = fails
        self._sites = sites
        self._runs_max = runs_max
        self._known: dict[tuple[Deviation, ...], bool] = {self.best: True}

    def shrink(self) -> None:
        if not self._cancellations_alone() and not self._one_long_delay():
            self._keep_what_matters()
        self._take_away_one_by_one()
        self._make_one_of_two()
        self._shorten()

    def _test(self, deviations: Sequence[Deviation]) -> bool:
        """Run these deviations; a failing set that is smaller than the best becomes the best."""
        wanted = set(deviations)
        tried = tuple(one for one in self._tape.schedule if one in wanted)
        if len(tried) != len(wanted):
            tried = tuple(deviations)
        known = self._known.get(tried)
        if known is not None:
            return known
        if self.runs >= self._runs_max:
            raise _OutOfRuns
        self.runs += 1
        failed = self._known[tried] = self._fails(self._tape.with_deviations(tried))
        if failed and _size(tried) < _size(self.best):
            self.best = tried
        return failed

    def _keep_what_matters(self) -> None:
        kept: list[Deviation] = []
        others = list(self.best)
        while not self._test(kept):
            if not others:
                return
            low, high = 0, len(others)
            # Invariant: the first ``high`` of the others fail together with the kept ones.
            while high - low > 1:
                middle = (low + high) // 2
                if self._test([*others[:middle], *kept]):
                    high = middle
                else:
                    low = middle
            kept.insert(0, others[high - 1])
            others = others[: high - 1]

    def _cancellations_alone(self) -> bool:
        """Try whether one of the cancellations fails in the default order, or all of them do."""
        strikes = [one for one in self.best if one.kind is ChoiceKind.CANCEL]
        alone = [[one] for one in strikes] if len(self.best) > 1 else []
        return any(self._test(some) for some in (*alone, strikes) if some)

    def _one_long_delay(self) -> bool:
        """Try whether one delay, or two, at one of the sites fail alone."""
        if len(self.best) < FEW:
            return False
        if any(self._test([one]) for one in self._sites[:SITES_MAX]):
            return True
        pairs = combinations(self._sites[:PAIRS_OF], 2)
        return len(self.best) > FEW and any(self._test(pair) for pair in pairs)

    def _take_away_one_by_one(self) -> None:
        for one in self.best:
            self._test([other for other in self.best if other != one])

    def _make_one_of_two(self) -> None:
        """Try whether one delay of a lane does what two of it do."""
        while any(self._test(joined) for joined in self._joined()):
            pass

    def _joined(self) -> Iterator[tuple[Deviation, ...]]:
        """Yield the best deviations with two of one lane as one that begins at the first."""
        best = self.best
        for one, other in combinations(best, 2):
            if one.kind is ChoiceKind.ORDER and one[:2] == other[:2]:
                joined = min(one, other)._replace(value=one.value + other.value)
                yield tuple(joined if this is one else this for this in best if this is not other)

    def _shorten(self) -> None:
        for position in range(len(self.best)):
            low, high = 0, self.best[position].value
            while high - low > 1:
                middle = (low + high) // 2
                shorter = list(self.best)
                shorter[position] = shorter[position]._replace(value=middle)
                if self._test(shorter):
                    high = middle
                else:
                    low = middle


def _size(deviations: Sequence[Deviation]) -> tuple[int, int]:
    return len(deviations), sum(one.value for one in deviations)
