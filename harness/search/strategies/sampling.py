"""What strategies that draw have in common: a random stream a run, and what is drawn."""

from __future__ import annotations

import _random
from random import Random
from typing import TYPE_CHECKING

from harness.choices.kinds import ChoiceKind
from harness.search.strategies.port import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane

__all__ = ["Drawing", "Sampling"]


# How likely time runs ahead of a task that is ready, or something arrives between two passes.
AHEAD_CHANCE = 1 / 16
# How likely a fault or a cancellation strikes where one can.
STRIKE_CHANCE = 1 / 24


class Drawing:
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


class Sampling(Strategy):
    """What strategies that sample have in common."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # For all runs, which follow one another: to make another costs a tenth of a short run.
        self._numbers = Random(0)  # noqa: S311 - not secrets

    def stream(self, run: int) -> Random:
        """Return the random numbers of a run; the same object for every run, seeded anew."""
        # Past Random's own seed(), which also takes what is no number: it costs as much again.
        _random.Random.seed(self._numbers, self.seed << 64 | run)
        return self._numbers
