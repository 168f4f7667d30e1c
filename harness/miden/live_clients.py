"""Own the making of real clients for the node of a run."""

from __future__ import annotations

from serve.domain.address import Network
from serve.miden import MidenClientFactory

__all__ = ["client_factory"]


def client_factory(endpoint: str) -> MidenClientFactory:
    """Make a factory whose clients of every network talk to the one node there is."""
    return MidenClientFactory(dict.fromkeys(Network, endpoint))
