"""The strategy that has tasks wait the longer, the more locks they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.diagnosis.lock_ledger import active_ledger
from harness.search.strategies.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane, OrderPolicy

__all__ = ["HoldersLast"]


class HoldersLast(Sampling):
    """Whoever holds most locks waits: tasks that take locks in different orders meet in a deadlock.

    The idea of deadlock-directed testing (Joshi et al., PLDI 2009), without a first run that looks
    for the cycle. Ties are drawn.
    """

    name = "holders"
    locks = True

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that lets those go first who hold least."""
        return _HoldersLast(self.stream(run))


class _HoldersLast(Drawing):
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
