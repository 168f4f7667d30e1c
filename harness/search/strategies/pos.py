"""The strategy of a drawn priority for each step (partial-order sampling)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.strategies.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from harness.choices.policies import Lane, OrderPolicy

__all__ = ["PartialOrderSampling"]


class PartialOrderSampling(Sampling):
    """Partial-order sampling in its basic form: every step has a priority of its own.

    A step draws its priority when it becomes ready and keeps it until it runs; the highest goes on.
    Unlike a random walk, whose chance to keep a ready step back falls with every decision, it keeps
    one back for long as easily as for short (Yuan, Yang & Gu, CAV 2018).
    """

    name = "pos"

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of priorities a step."""
        return _PartialOrderSampling(self.stream(run))


class _PartialOrderSampling(Drawing):
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
