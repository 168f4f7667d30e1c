"""The real Miden client behind the port of clients, on a native extension."""

from serve.miden.client import MidenClient
from serve.miden.factory import MidenClientFactory

__all__ = ["MidenClient", "MidenClientFactory"]
