"""The simulated node: its RPC workers, its blocks, and whether it can be reached."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import simpy

from harness.miden.simulated.cores import Cores
from harness.simulated.world.profile import Command
from serve.domain.client_values import NodeStatus
from serve.errors import CommandTimedOut, DialTimedOut, NodeUnreachable

if TYPE_CHECKING:
    import random
    from collections.abc import Generator, Sequence

    from harness.simulated.world.latency_model import LatencyModel

__all__ = ["SimulatedNode"]

VERSION = "simulated"
# What a command takes of which a profile says nothing.
NOTHING = Command()
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
        slice_ms = model.profile.core_slice_ms
        self.cores = Cores(
            environment,
            count=model.profile.cores,
            slice_s=None if slice_ms is None else slice_ms / 1e3,
        )
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

    def takes(
        self, command: str, stream: random.Random, *, on_a_core: Sequence[str] = ()
    ) -> Generator[simpy.Event, Any, float | None]:
        """Take a command's parts that keep a core busy, and what it takes besides its parts.

        Returns the seconds on a core, or None for a command that the model gives none.
        """
        besides: Command = getattr(self.model.profile.command, command) or NOTHING
        works = [self.model.seconds(part, stream) for part in on_a_core]
        if besides.cpu_ms is not None:
            works.append(self.model.drawn(besides.cpu_ms, stream))
        if works:
            yield from self.cores.compute(works)
        if besides.wait_ms is not None:
            yield self.environment.timeout(self.model.drawn(besides.wait_ms, stream))
        return float(sum(works)) if works else None

    def _refuse_if_cut(self, stream: random.Random) -> Generator[simpy.Event, Any, None]:
        if self.state in ("cut", "restart"):
            yield self.environment.timeout(self.model.seconds("refused", stream))
            raise NodeUnreachable("the node refused the connection")
