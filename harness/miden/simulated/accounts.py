"""The accounts of a simulated client: which the real library refuses, and the ids they get."""

from __future__ import annotations

import hashlib

from serve.domain.account_specs import AccountSpec, FaucetSpec, StorageMode
from serve.domain.address import AccountId
from serve.errors import InvalidInput

__all__ = ["account_id_of", "refuse_bad"]

# What the real client refuses. Not serve's own bounds, which are under test.
SUPPLY_MAX = 2**63 - 2**31
DECIMALS_MAX = 12
SYMBOL_LETTERS_MAX = 6


def refuse_bad(spec: AccountSpec) -> None:
    """Refuse a faucet that the real library refuses."""
    if not isinstance(spec, FaucetSpec):
        return
    letters = spec.symbol
    if not (letters.isascii() and letters.isalpha() and letters.isupper()) or not (
        1 <= len(letters) <= SYMBOL_LETTERS_MAX
    ):
        msg = f'symbol: must be 1 to {SYMBOL_LETTERS_MAX} letters A-Z, got "{letters}"'
        raise InvalidInput(msg)
    if not 0 <= spec.decimals <= DECIMALS_MAX:
        raise InvalidInput(f"decimals: must be 0 to {DECIMALS_MAX}, got {spec.decimals}")
    if not 1 <= spec.max_supply <= SUPPLY_MAX:
        raise InvalidInput(f"max_supply: must be 1 to {SUPPLY_MAX}, got {spec.max_supply}")


def account_id_of(seed: str, mode: StorageMode) -> AccountId:
    """Make an id of the real layout (version 1), unique to its seed, with the mode's bit."""
    digest = bytearray(hashlib.sha256(seed.encode()).digest()[:15])
    digest[7] = (digest[7] & 0b1110_0000) | (0b0001_0000 * (mode is StorageMode.PUBLIC)) | 1
    digest[8] &= 0b0111_1111
    return AccountId(bytes(digest))
