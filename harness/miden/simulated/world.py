"""A simulated world: a Miden node, and a factory of clients that talk to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.choices.randomness import Randomness
from harness.miden.simulated.client import SimulatedClientFactory
from harness.miden.simulated.node import SimulatedNode
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.world.latency_model import LatencyModel
from harness.simulated.world.profile_reading import nominal_profile

if TYPE_CHECKING:
    from harness.simulated.world.profile import Profile

__all__ = ["simulated_world"]


def simulated_world(
    label: str, *, seed: int, paired: bool, profile: Profile | None = None
) -> _SimulatedWorld:
    """Make a world on the running virtual loop, with the latencies of a profile."""
    figures = nominal_profile() if profile is None else profile
    model = LatencyModel(figures, randomness=Randomness(seed), paired=paired)
    loop = running_virtual_loop()
    return _SimulatedWorld(SimulatedNode(loop.environment, model, label=label))


class _SimulatedWorld:
    """A simulated node with a factory of clients."""

    def __init__(self, node: SimulatedNode) -> None:
        self._node = node
        self.clients = SimulatedClientFactory(node, running_virtual_loop())

    async def set_node(self, state: str) -> None:
        """Cut the node off, freeze, heal or restart it, or make it or the disk slow."""
        self._node.become("heal" if state == "slow_disk" else state)
        running_virtual_loop().executors.slow = state == "slow_disk"
