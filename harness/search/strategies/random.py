"""The strategy that draws every choice."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from harness.search.strategies.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from harness.choices.policies import Lane, OrderPolicy

__all__ = ["RandomWalk"]


# With more lanes than this a byte is too coarse to choose one fairly.
FEW_LANES = 16


class RandomWalk(Sampling):
    """Every choice is drawn: any order is possible, those with many switches are likely."""

    name = "random"

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy that draws."""
        return _RandomWalk(self, run)


class _RandomWalk(Drawing):
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
        return self._strategy.stream(self._run)

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
