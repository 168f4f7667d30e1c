"""A user on a network: the key of clients, directories and databases."""

from __future__ import annotations

from typing import NamedTuple

from serve.domain.address import Network, owner_identifier
from serve.errors import UnsupportedNetwork

__all__ = ["Owner"]


class Owner(NamedTuple):
    """A user, by their secret, on a network."""

    secret: bytes
    network: Network

    @classmethod
    def of(cls, secret: bytes, network: Network | str) -> Owner:
        """Check both halves.

        Raises:
            BadSecret: Not 32 bytes.
            UnsupportedNetwork: Neither a ``Network`` nor its exact text.
        """
        owner_identifier(secret)
        try:
            return cls(secret, Network(network))
        except ValueError as error:
            raise UnsupportedNetwork(
                f"network must be Testnet or Localnet, got {network!r}"
            ) from error

    @property
    def label(self) -> str:
        """A short name for messages and tasks: the network and the owner's first characters."""
        return f"{self.network.directory_prefix}_{owner_identifier(self.secret)[:8]}"
