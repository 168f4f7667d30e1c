"""The cores of a machine, shared by all clients: whole works in line, or turns for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy

from harness.simulated.loop.virtual_time import Drawn

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["Cores"]

# Less than this is left of a work only because seconds are no whole numbers.
REST_S = 1e-9


class Cores:
    """So many cores. Without ``slice_s`` each work keeps its core to its end, first come first.

    With it, a work gives its core up after so many seconds if others wait, and whichever has had
    least so far is next: much like an operating system, where all are slowed down alike.
    """

    def __init__(
        self, environment: simpy.Environment, *, count: int, slice_s: float | None
    ) -> None:
        self._environment = environment
        self._slice_s = slice_s
        self._cores = simpy.PriorityResource(environment, capacity=count)

    def compute(self, parts: Sequence[Drawn]) -> Generator[simpy.Event, Any, None]:
        """Keep a core busy for some parts of a work, one after another."""
        if self._slice_s is not None:
            yield from self._in_turns(parts, self._slice_s)
            return
        for part in parts:
            with self._cores.request(priority=0) as core:
                yield core
                yield self._environment.timeout(part)

    def _in_turns(
        self, parts: Sequence[Drawn], slice_s: float
    ) -> Generator[simpy.Event, Any, None]:
        turns, left = 0, float(sum(parts))
        sooner = left - sum(one.low_s for one in parts)
        later = sum(one.high_s for one in parts) - left
        while left > REST_S:
            with self._cores.request(priority=turns) as core:
                yield core
                while left > slice_s:
                    yield self._environment.timeout(slice_s)
                    turns, left = turns + 1, left - slice_s
                    if self._cores.queue:
                        break
                else:
                    # What was drawn may be another in a search: then its last turn is.
                    rest = Drawn.between(max(0.0, left - sooner), left, left + later)
                    yield self._environment.timeout(rest)
                    left = 0.0
