"""Own the strategies that sample the orders of a program, and how each is asked for."""

from __future__ import annotations

import _random
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Protocol

from harness.choices.kinds import ChoiceKind, DefaultPolicy
from harness.diagnosis.lock_ledger import active_ledger
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.choices.policies import Lane, OrderPolicy, StepWatcher
    from harness.search.subjects.attempt import Attempt

__all__ = [
    "DefaultOrder",
    "Delays",
    "HoldersLast",
    "PartialOrderSampling",
    "PriorityChanges",
    "RandomWalk",
    "Strategy",
    "depth_of",
]

# How likely time runs ahead of a task that is ready, or something arrives between two passes.
AHEAD_CHANCE = 1 / 16

# How likely a fault or a cancellation strikes where one can.
STRIKE_CHANCE = 1 / 24

# A prioritized run that is longer than so many times the measured horizon goes on in asyncio's own
# order: priorities alone may starve what everybody waits for.
FAIR_AFTER = 2

# With more lanes than this a byte is too coarse to choose one fairly.
FEW_LANES = 16


class Strategy(Protocol):
    """Proposes runs, one after another. What it proposes for run n depends on n and its seed.

    What it needs to have watched is asked after ``begin``.
    """

    name: str

    @property
    def exhausted(self) -> bool:
        """True if it has no more runs to propose."""
        ...

    @property
    def locks(self) -> bool:
        """True if the holders of locks must be watched in the next run."""
        ...

    @property
    def watcher(self) -> StepWatcher | None:
        """Who looks on at each step of the next run."""
        ...

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of run ``run``, counted from 0."""
        ...

    def finish(self, found: Attempt) -> None:
        """Learn how that run ended."""
        ...


class _Drawing:
    """A policy whose choices besides the order are drawn, each kind with a chance of its own."""

    def __init__(self, stream: Random) -> None:
        self._stream = stream

    def order(self, options: Sequence[Lane]) -> int:
        """Choose the first: asyncio's own order."""
        del options
        return 0

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Draw: what is rare by nature is rare here, all else is uniform."""
        del label
        stream = self._stream
        if kind is ChoiceKind.ORDER and stream.random() >= AHEAD_CHANCE:
            return 0
        strikes = kind in {ChoiceKind.FAULT, ChoiceKind.CANCEL}
        if strikes and stream.random() >= STRIKE_CHANCE:
            return 0
        if kind is ChoiceKind.ORDER or strikes:
            return 1 + int(stream.random() * (count - 1))
        return int(stream.random() * count)


class _Sampling:
    """What strategies that sample have in common."""

    locks = False
    exhausted = False
    watcher: StepWatcher | None = None

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # One for all runs, since they follow one another: to make one costs a tenth of a short run.
        self._numbers = Random(0)  # noqa: S311 - not secrets

    def _stream(self, run: int) -> Random:
        # Past Random's own seed(), which also takes what is no number: it costs as much again.
        _random.Random.seed(self._numbers, self.seed << 64 | run)
        return self._numbers

    def finish(self, found: Attempt) -> None:
        """Learn nothing."""
        del found


class DefaultOrder(_Sampling):
    """What happens by default, once: asyncio's own order, nominal latencies, no fault."""

    name = "default"

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that always chooses the default."""
        del run
        self.exhausted = True
        return DefaultPolicy()


class RandomWalk(_Sampling):
    """Every choice is drawn: any order is possible, those with many switches are likely."""

    name = "random"

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that draws."""
        return _RandomWalk(self, run)


class _RandomWalk(_Drawing):
    """Draws an order from a hash of the run's number: a generator takes longer to seed than to use.

    A byte decides among few alternatives: each is then chosen with its fair share, to one 256th.
    """

    def __init__(self, strategy: RandomWalk, run: int) -> None:
        self._strategy = strategy
        self._run = run
        self._refilled = 0
        self._next_byte = self._bytes().__next__

    @cached_property
    def _stream(self) -> Random:  # type: ignore[override]
        return self._strategy._stream(self._run)

    def order(self, options: Sequence[Lane]) -> int:
        count = len(options)
        if count > FEW_LANES:
            return int(self._stream.random() * count)
        try:
            return self._next_byte() * count >> 8
        except StopIteration:
            self._refilled += 1
            self._next_byte = self._bytes().__next__
            return self._next_byte() * count >> 8

    def _bytes(self) -> Iterator[int]:
        key = b"%d %d %d" % (self._strategy.seed, self._run, self._refilled)
        return iter(blake2b(key).digest())


class PriorityChanges(_Sampling):
    """Probabilistic concurrency testing (PCT) of a depth, with a measured horizon.

    Every lane has a drawn priority, the highest goes on; at ``depth - 1`` drawn decisions whoever
    goes on falls behind all others. With n lanes and k decisions a bug of depth d is found by each
    run with probability 1 / (n k^(d-1)) or better (Burckhardt et al., ASPLOS 2010). k and n are
    measured: the first run is a trial, and the longest run so far counts. A run far beyond the
    horizon goes on in asyncio's own order, since priorities are not fair.

    When the orders that it proposes begin to repeat themselves, it goes one level deeper, up to
    ``depth_max``: what a lower depth can find it has then mostly seen.
    """

    depth_max = 12
    window = 16

    def __init__(self, seed: int, *, depth: int = 3) -> None:
        super().__init__(seed)
        self.depth = depth
        self.deeper = 0
        self.horizon = 0
        self.lanes = 0
        self.name = f"pct:{depth}"
        self.recent: list[bool] = []
        self._policy: _PriorityChanges | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of priorities; the first one only measures."""
        depth = min(self.depth + self.deeper, self.depth_max)
        self._policy = _PriorityChanges(self._stream(run), depth=depth, horizon=self.horizon)
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


class _PriorityChanges(_Drawing):
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


class PartialOrderSampling(_Sampling):
    """Partial-order sampling in its basic form: every step has a priority of its own.

    A step draws its priority when it becomes ready and keeps it until it runs; the highest goes on.
    Unlike a random walk, whose chance to keep a ready step back falls with every decision, it keeps
    one back for long as easily as for short (Yuan, Yang & Gu, CAV 2018).
    """

    name = "pos"

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of priorities a step."""
        return _PartialOrderSampling(self._stream(run))


class _PartialOrderSampling(_Drawing):
    def __init__(self, stream: Random) -> None:
        super().__init__(stream)
        self._priorities: dict[object, float] = {}

    def order(self, options: Sequence[Lane]) -> int:
        priorities, draw = self._priorities, self._stream.random
        best, best_priority = 0, -1.0
        for index, option in enumerate(options):
            if option.lane < 0:
                continue
            priority = priorities.get(option)
            if priority is None:
                priority = priorities[option] = draw()
            if priority > best_priority:
                best, best_priority = index, priority
        del priorities[options[best]]
        return best


class HoldersLast(_Sampling):
    """Whoever holds most locks waits: tasks that take locks in different orders meet in a deadlock.

    The idea of deadlock-directed testing (Joshi et al., PLDI 2009), without a first run that looks
    for the cycle. Ties are drawn.
    """

    name = "holders"
    locks = True

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that lets those go first who hold least."""
        return _HoldersLast(self._stream(run))


class _HoldersLast(_Drawing):
    def order(self, options: Sequence[Lane]) -> int:
        ledger = active_ledger()
        if ledger is None:
            return int(self._stream.random() * len(options))
        held = ledger.held_counts()
        least = min(held.get(option.lane, 0) for option in options if option.lane >= 0)
        free = [
            index
            for index, option in enumerate(options)
            if option.lane >= 0 and held.get(option.lane, 0) == least
        ]
        return free[int(self._stream.random() * len(free))]


class Delays(_Sampling):
    """The default order but for a few drawn delays: one to ``most``, each of drawn length.

    Most bugs need only a few (Emmi, Qadeer & Rakamaric, POPL 2011), and a run of many steps is left
    as it would be in production but for them.
    """

    def __init__(self, seed: int, *, most: int = 3) -> None:
        super().__init__(seed)
        self.name = f"delays:{most}"
        self.horizon = 0
        self._most = most
        self._policy: _Delays | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of delays; the first one only measures how many decisions there are."""
        self._policy = _Delays(self._stream(run), most=self._most, horizon=self.horizon)
        return self._policy

    def finish(self, found: Attempt) -> None:
        """Measure the run."""
        del found
        if self._policy is not None:
            self.horizon = max(self.horizon, self._policy.decisions)


class _Delays(_Drawing):
    def __init__(self, stream: Random, *, most: int, horizon: int) -> None:
        super().__init__(stream)
        self.decisions = 0
        count = min(1 + int(stream.random() * most), horizon)
        self._starts = set(stream.sample(range(1, horizon + 1), count)) if horizon else set()
        self._held: dict[int, int] = {}

    def order(self, options: Sequence[Lane]) -> int:
        self.decisions += 1
        if self.decisions in self._starts:
            # Lengths from one decision to hundreds, short ones more often.
            self._held[options[0].lane] = 1 + int(2 ** (self._stream.random() * 8))
        if not self._held:
            return 0
        for index, option in enumerate(options):
            if option.lane >= 0 and self._held.get(option.lane, 0) <= 0:
                for lane in {one.lane for one in options[:index]}:
                    if lane in self._held:
                        self._held[lane] -= 1
                return index
        self._held.clear()
        return 0


def depth_of(text: str, *, default: int, of: str, most: int = 12) -> int:
    """Read the number after the colon of a strategy's name.

    Raises:
        BadInput: It is no number from 1 to ``most``.
    """
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        msg = f'strategy {of}: the number after ":" must be 1 to {most}, got "{text}"'
        raise BadInput(msg)
    return int(text)
