"""The strategy of what happens by default, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.choices.kinds import DefaultPolicy
from harness.search.strategies.sampling import Sampling

if TYPE_CHECKING:
    from harness.choices.policies import OrderPolicy

__all__ = ["DefaultOrder"]


class DefaultOrder(Sampling):
    """What happens by default, once: asyncio's own order, nominal latencies, no fault."""

    name = "default"
    default_first = True
    kept = ("exhausted",)

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that always chooses the default."""
        del run
        self.exhausted = True
        return DefaultPolicy()
