"""The strategy of drawn priorities that change a few times (PCT), which has a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.strategies.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from harness.choices.policies import Lane, OrderPolicy
    from harness.search.subjects.attempt import Attempt

__all__ = ["PriorityChanges"]


# A prioritized run that is longer than so many times the measured horizon goes on in asyncio's own
# order: priorities alone may starve what everybody waits for.
FAIR_AFTER = 2


class PriorityChanges(Sampling):
    """Probabilistic concurrency testing (PCT) of a depth, with a measured horizon.

    Every lane has a drawn priority, the highest goes on; at ``depth - 1`` drawn decisions whoever
    goes on falls behind all others. With n lanes and k decisions a bug of depth d is found by each
    run with probability 1 / (n k^(d-1)) or better (Burckhardt et al., ASPLOS 2010). k and n are
    measured: the first run is a trial, and the longest run so far counts. A run far beyond the
    horizon goes on in asyncio's own order, since priorities are not fair.

    When the orders that it proposes begin to repeat themselves, it goes one level deeper, up to
    ``depth_max``: what a lower depth can find it has then mostly seen.
    """

    kept = ("deeper", "horizon", "lanes", "recent")
    depth_max = 12
    window = 16

    def __init__(self, seed: int, *, depth: int = 3) -> None:
        super().__init__(seed)
        self.depth: int = depth
        self.deeper = 0
        self.horizon = 0
        self.lanes = 0
        self.name = f"pct:{depth}"
        self.recent: list[bool] = []
        self._policy: _PriorityChanges | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of priorities; the first one only measures."""
        depth = min(self.depth + self.deeper, self.depth_max)
        self._policy = _PriorityChanges(self.stream(run), depth=depth, horizon=self.horizon)
        return self._policy

    def finish(self, found: Attempt) -> None:
        """Measure the run, and whether its order was new."""
        if self._policy is None:
            return
        self.horizon = max(self.horizon, self._policy.decisions)
        self.lanes = max(self.lanes, self._policy.lanes)
        self.recent.append(found.new_order)
        if len(self.recent) >= self.window:
            # Fewer than three new ones in four: this depth has little left to show.
            if sum(self.recent) * 4 < len(self.recent) * 3:
                self.deeper = min(self.deeper + 1, self.depth_max - self.depth)
            self.recent.clear()


class _PriorityChanges(Drawing):
    def __init__(self, stream: Random, *, depth: int, horizon: int) -> None:
        super().__init__(stream)
        self.decisions = 0
        self._depth = depth
        self._horizon = horizon
        self._priorities: dict[int, float] = {}
        count = min(depth - 1, horizon)
        points = stream.sample(range(1, horizon + 1), count) if count else []
        self._changes = {point: rank for rank, point in enumerate(points)}

    @property
    def lanes(self) -> int:
        return len(self._priorities)

    def order(self, options: Sequence[Lane]) -> int:
        self.decisions += 1
        priorities = self._priorities
        best, best_priority = 0, -1.0
        for index, option in enumerate(options):
            lane = option.lane
            if lane < 0:
                continue
            priority = priorities.get(lane)
            if priority is None:
                # Initial priorities lie above all that a change can give.
                priority = priorities[lane] = self._depth + self._stream.random()
            if priority > best_priority:
                best, best_priority = index, priority
        if self._horizon and self.decisions > FAIR_AFTER * self._horizon:
            return 0
        rank = self._changes.get(self.decisions)
        if rank is not None:
            priorities[options[best].lane] = rank / self._depth
        return best
