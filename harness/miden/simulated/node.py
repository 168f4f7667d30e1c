"""The simulated node: its RPC workers, its blocks, and whether it can be reached."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import simpy

from serve.domain.client_values import NodeStatus
from serve.errors import CommandTimedOut, DialTimedOut, NodeUnreachable

if TYPE_CHECKING:
    import random
    from collections.abc import Generator

    from harness.simulated.world.latency_model import LatencyModel

__all__ = ["SimulatedNode"]

VERSION = "simulated"
# The factor by which a slow node lengthens calls.
SLOW = 8.0


class SimulatedNode:
    """A node whose workers are a SimPy resource, so that calls queue for them as in reality.

    Blocks come at the profile's interval and are computed from the clock: no process ticks.
    """

    def __init__(self, environment: simpy.Environment, model: LatencyModel, *, label: str) -> None:
        self.environment = environment
        self.model = model
        self.state = "heal"
        self.restarts = 0
        self.cores = simpy.Resource(environment, capacity=model.profile.cores)
        self.genesis = "0x" + hashlib.sha256(f"genesis {label}".encode()).hexdigest()
        self._workers = simpy.Resource(environment, capacity=model.profile.rpc_workers)
        self._born_s = environment.now

    def become(self, state: str) -> None:
        """Be well ("heal"), refuse ("cut"), never answer ("freeze"), be "slow", or "restart".

        A restarting node refuses until it is well again, and earlier connections are broken.
        """
        self.state = state
        self.restarts += state == "restart"

    @property
    def block_number(self) -> int:
        """The chain's tip; 1 at the start, as a real node has it."""
        elapsed_ms = (self.environment.now - self._born_s) * 1e3
        return 1 + int(elapsed_ms // self.model.profile.block_interval_ms)

    def status(self) -> NodeStatus:
        """The answer to a status request."""
        return NodeStatus(
            version=VERSION, genesis_commitment=self.genesis, chain_tip=self.block_number
        )

    def dial(self, stream: random.Random, *, timeout_s: float) -> Generator[simpy.Event, Any, None]:
        """Connect.

        Raises:
            NodeUnreachable: The node refuses.
            DialTimedOut: It does not answer within ``timeout_s``.
        """
        yield from self._refuse_if_cut(stream)
        if self.state == "freeze":
            yield self.environment.timeout(timeout_s)
            raise DialTimedOut(f"the node did not take the connection within {timeout_s:g} s")
        yield self.environment.timeout(self.model.seconds("dial", stream))

    def calls(self, count: int, stream: random.Random) -> Generator[simpy.Event, Any, None]:
        """Make calls one after another, each on a worker of the node.

        Raises:
            NodeUnreachable: The node refuses.
            CommandTimedOut: It does not answer within the profile's request timeout.
        """
        for _ in range(count):
            yield from self._refuse_if_cut(stream)
            with self._workers.request() as worker:
                yield worker
                yield self.environment.timeout(self.model.seconds("rpc", stream))
                if self.state == "slow":
                    yield self.environment.timeout(SLOW * self.model.seconds("rpc", stream))
            yield from self._refuse_if_cut(stream)
            if self.state == "freeze":
                limit_s = self.model.profile.request_timeout_ms / 1e3
                yield self.environment.timeout(limit_s)
                raise CommandTimedOut(f"the node did not answer within {limit_s:g} s")

    def compute(self, what: str, stream: random.Random) -> Generator[simpy.Event, Any, float]:
        """Keep one of the machine's cores busy; return for how many seconds."""
        with self.cores.request() as core:
            yield core
            busy_s = self.model.seconds(what, stream)
            yield self.environment.timeout(busy_s)
            return busy_s

    def _refuse_if_cut(self, stream: random.Random) -> Generator[simpy.Event, Any, None]:
        if self.state in ("cut", "restart"):
            yield self.environment.timeout(self.model.seconds("refused", stream))
            raise NodeUnreachable("the node refused the connection")
