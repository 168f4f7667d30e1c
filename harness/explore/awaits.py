"""Own the strategy that keeps one task back as long as can be, at each await in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explore.schedule_recorder import ScheduleRecorder
from harness.explore.tape import Tape
from harness.explore.tape_policy import TapePolicy

if TYPE_CHECKING:
    from harness.explore.attempt import Attempt
    from harness.explore.policies import OrderPolicy, StepWatcher
    from harness.explore.tape import Deviation

__all__ = ["EachAwait"]


class EachAwait:
    """For each source line at which a task was seen to wait: one task kept back there, for long.

    The first run, in the default order, finds the lines. A bug that shows when one task is slow at
    the wrong moment is found in as many runs as there are lines, times two.
    """

    name = "awaits"
    locks = False

    def __init__(self, seed: int) -> None:
        del seed
        self.exhausted = False
        self.watcher: StepWatcher | None = None
        self._recorder: ScheduleRecorder | None = None
        self._sites: list[Deviation] | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy with one delay; the first one has none, and looks for the lines."""
        del run
        if self._sites is None:
            policy = TapePolicy(Tape(seed=0))
            self._recorder = ScheduleRecorder()
            self.watcher = self._recorder.watching(policy)
            return policy
        delay = [self._sites.pop(0)] if self._sites else []
        policy = TapePolicy(Tape(seed=0, schedule=tuple(delay)))
        self.watcher = policy
        self.exhausted = not self._sites
        return policy

    def finish(self, found: Attempt) -> None:
        """Learn the lines from the first run."""
        del found
        if self._recorder is not None:
            self._sites = self._recorder.sites()
            self._recorder = None
            self.exhausted = not self._sites
