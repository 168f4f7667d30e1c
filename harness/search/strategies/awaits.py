"""The strategy that keeps a task back as long as can be, at each await in turn, then two."""

from __future__ import annotations

from collections import deque
from itertools import combinations
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind
from harness.search.failures.schedule_recorder import ScheduleRecorder
from harness.search.failures.tape import Deviation, Tape
from harness.search.failures.tape_policy import TapePolicy
from harness.search.strategies.port import Strategy

if TYPE_CHECKING:
    from harness.choices.policies import OrderPolicy
    from harness.search.subjects.attempt import Attempt

__all__ = ["EachAwait"]

# Of so many places all pairs are tried once each has been tried alone.
PAIRS_OF = 20


class EachAwait(Strategy):
    """For each source line at which a task was seen to wait: one task kept back there, for long.

    The first run, in the default order, finds the lines. A bug that shows when one task is slow at
    the wrong moment is found in as many runs as there are lines, times four. After that all tasks
    that come to a line are kept back there until they are alone (all have looked, then all act),
    and at last two tasks at two lines.
    """

    name = "awaits"

    def __init__(self, seed: int) -> None:
        del seed
        self._recorder: ScheduleRecorder | None = None
        self.delays: deque[tuple[Deviation, ...]] | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of a delay or two; the first has none, and looks for the lines."""
        del run
        if self.delays is None:
            policy = TapePolicy(Tape(seed=0))
            self._recorder = ScheduleRecorder()
            self.watcher = self._recorder.watching(policy)
            return policy
        delay = self.delays.popleft() if self.delays else ()
        policy = TapePolicy(Tape(seed=0, schedule=delay))
        self.watcher = policy
        self.exhausted = not self.delays
        return policy

    def finish(self, found: Attempt) -> None:
        """Learn the lines from the first run."""
        del found
        if self._recorder is not None:
            sites = self._recorder.sites()
            alone = [(site,) for site in sites]
            pairs = combinations(sites[:PAIRS_OF], 2)
            self.delays = deque([*alone, *self._recorder.gatherings(), *pairs])
            self._recorder = None
            self.exhausted = not self.delays

    def learned(self) -> dict[str, Any]:
        """Return the delays that are still to be tried; None before the first run."""
        delays = self.delays
        return {
            "delays": None if delays is None else [[list(one) for one in each] for each in delays]
        }

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what ``learned`` returned."""
        if plain["delays"] is not None:
            self.delays = deque(tuple(map(_deviation, each)) for each in plain["delays"])
            self.exhausted = not self.delays


def _deviation(plain: list[Any]) -> Deviation:
    kind, where, nth, value = plain
    return Deviation(ChoiceKind(kind), where, nth, value)
