"""Miden as the partner of services: a node and its clients, simulated or real."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from harness.errors import CouldNotRun
from harness.systems.imports import needing_serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.backends.port import World
    from harness.miden.node.shared_node import SharedNode

__all__ = ["miden"]

CLIENT = "mosaic-miden-client"
CLIENT_ADVICE = (
    "the real client is not installed: pip install ./serve/miden/native (needs cargo), or run"
    " tox -e integration, which does it"
)


class _Miden:
    """Makes simulated worlds with a Miden node, and starts real nodes."""

    def check(self) -> None:
        """See that mosaic-serve is there, whose clients both kinds of worlds have.

        Raises:
            BadInput: It is not.
        """
        who = "system: a service that asks for clients of a Miden node"
        with needing_serve(who, otherwise="rename its parameter clients"):
            import_module("serve.clients")

    def simulate(self, label: str, *, seed: int, paired: bool, profile: Any = None) -> World:
        """Make a simulated node and a factory of clients, on the running virtual loop."""
        from harness.miden.simulated.world import simulated_world  # noqa: PLC0415 - brings SimPy

        return simulated_world(label, seed=seed, paired=paired, profile=profile)

    @contextmanager
    def start(self, progress: Callable[[str], None]) -> Iterator[_LiveMiden]:
        """Use the node that runs already, or start one; the last user removes it.

        Raises:
            CouldNotRun: The real client or Docker is missing, or no node could be started.
        """
        try:
            versions = {CLIENT: version(CLIENT)}
        except PackageNotFoundError as error:
            raise CouldNotRun(CLIENT_ADVICE) from error
        from harness.miden.node.shared_node import shared_node  # noqa: PLC0415 - brings Docker

        with shared_node(progress=progress) as node:
            yield _LiveMiden(node, versions | {"miden-node": node.version})


class _LiveMiden:
    """A real Miden node in use."""

    def __init__(self, node: SharedNode, versions: dict[str, str]) -> None:
        self.versions = versions
        self.endpoint = node.endpoint
        self._node = node
        self._cpu = node.cpu()

    def clients(self, endpoint: str) -> Any:
        """Make a factory whose clients all talk to this node, whatever their network."""
        from serve.domain.address import Network  # noqa: PLC0415 - only for live runs
        from serve.miden import MidenClientFactory  # noqa: PLC0415 - needs the extension

        return MidenClientFactory(dict.fromkeys(Network, endpoint))

    def logs(self, tail: int) -> str:
        """Return the last lines of the node's log, or a line that says why there is none."""
        return self._node.logs(tail)

    def cpu_s(self) -> float | None:
        """CPU seconds of the node's container, or None if the harness did not start it."""
        return self._cpu.used_s() if self._cpu is not None else None

    def check_alive(self) -> None:
        """Ask the node for its status.

        Raises:
            CouldNotRun: It does not answer.
        """
        from harness.miden.node.status import ask_status  # noqa: PLC0415 - brings gRPC

        ask_status(self.endpoint)


miden = _Miden()
