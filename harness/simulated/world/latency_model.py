"""The latency model: what is drawn from a profile, each client's from a stream of its own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from harness.simulated.loop.virtual_time import Drawn

if TYPE_CHECKING:
    from harness.choices.randomness import Randomness
    from harness.simulated.world.distributions import Distribution
    from harness.simulated.world.profile import Profile

__all__ = ["LatencyModel", "executor_options"]


class LatencyModel:
    """Draws latencies; each client's are a stream of its own, so that no user disturbs another."""

    def __init__(self, profile: Profile, *, randomness: Randomness, paired: bool) -> None:
        self.profile = profile
        self._randomness = randomness
        self._paired = paired
        self._twins: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Open the stream of a client; in a paired model every client's draws are the same."""
        if not self._paired:
            return self._randomness.stream(f"client {name}")
        if name not in self._twins:
            self._twins[name] = random.Random(self._randomness.key("paired"))  # noqa: S311
        return self._twins[name]

    def seconds(self, what: str, stream: random.Random) -> Drawn:
        """Draw how long a part of a command takes, in seconds."""
        return self.drawn(getattr(self.profile.latency_ms, what), stream)

    @staticmethod
    def drawn(distribution: Distribution, stream: random.Random) -> Drawn:
        """Draw from a distribution, in seconds."""
        low, high = distribution.bounds
        return Drawn.between(low / 1e3, distribution.draw(stream) / 1e3, high / 1e3)


def executor_options(profile: Profile | None) -> dict[str, Any]:
    """Return the options of a loop whose executors are as a profile says; None for the nominal one.

    What it draws are seconds, no milliseconds: the digests of all runs rest on the last bit.
    """
    if profile is None:
        return {}
    distribution = profile.executor.call_ms.in_seconds
    low_s, high_s = distribution.bounds
    return {
        "executor_workers": profile.executor.workers,
        "executor_latency": lambda stream: Drawn.between(low_s, distribution.draw(stream), high_s),
    }
