"""The strategy of the default order but for a few drawn delays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.strategies.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from harness.choices.policies import Lane, OrderPolicy
    from harness.search.subjects.attempt import Attempt

__all__ = ["Delays"]


class Delays(Sampling):
    """The default order but for a few drawn delays: one to ``most``, each of drawn length.

    Most bugs need only a few (Emmi, Qadeer & Rakamaric, POPL 2011), and a run of many steps is left
    as it would be in production but for them.
    """

    kept = ("horizon",)

    def __init__(self, seed: int, *, most: int = 3) -> None:
        super().__init__(seed)
        self.name = f"delays:{most}"
        self.horizon = 0
        self._most = most
        self._policy: _Delays | None = None

    def begin(self, run: int) -> OrderPolicy:
        """Return a policy of delays; the first one only measures how many decisions there are."""
        self._policy = _Delays(self.stream(run), most=self._most, horizon=self.horizon)
        return self._policy

    def finish(self, found: Attempt) -> None:
        """Measure the run."""
        del found
        if self._policy is not None:
            self.horizon = max(self.horizon, self._policy.decisions)


class _Delays(Drawing):
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
