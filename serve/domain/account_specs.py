"""What a client has to build: a wallet or a faucet, its storage and its key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["AccountSpec", "FaucetSpec", "KeyScheme", "StorageMode", "WalletSpec"]


class KeyScheme(StrEnum):
    """How an account signs. Falcon is the original's; ECDSA proves about nine times as fast."""

    FALCON = "falcon"
    ECDSA = "ecdsa"


class StorageMode(StrEnum):
    """Where an account's state lives: only its commitment on chain, or all of it."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSpec:
    """A wallet to be built: the account behind Client and Liquidity."""

    storage_mode: StorageMode = StorageMode.PRIVATE
    key_scheme: KeyScheme = KeyScheme.FALCON


@dataclass(frozen=True, slots=True, kw_only=True)
class FaucetSpec:
    """A fungible faucet to be built.

    ``symbol``: 1 to 6 letters A-Z. ``decimals``: 0 to 12. ``max_supply``: 1 to 2^63 - 2^31 base
    units.
    """

    symbol: str
    decimals: int
    max_supply: int
    storage_mode: StorageMode = StorageMode.PUBLIC
    key_scheme: KeyScheme = KeyScheme.FALCON


AccountSpec = WalletSpec | FaucetSpec
