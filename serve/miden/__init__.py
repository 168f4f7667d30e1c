"""Own the live Client: the real Miden client behind serve's seam, on a native extension."""

from serve.miden.client import MidenClient
from serve.miden.factory import MidenClientFactory

__all__ = ["MidenClient", "MidenClientFactory"]
