"""Clients of the world that a test is given, and accounts that are made quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.miden.adapter.recorded_clients import Hold, Holdable
from serve import Network
from serve.domain.account_specs import FaucetSpec, KeyScheme, WalletSpec

if TYPE_CHECKING:
    from pathlib import Path

    from harness.backends.port import World
    from serve.clients.port import Client

NETWORK = Network.LOCALNET
WALLET = WalletSpec(key_scheme=KeyScheme.ECDSA)
FAUCET = FaucetSpec(symbol="TOK", decimals=8, max_supply=1_000, key_scheme=KeyScheme.ECDSA)


async def spawned(world: World, folder: Path, name: str = "localnet_a") -> Client:
    client: Client = await world.clients.spawn(folder / name, NETWORK, dial_timeout_s=10.0)
    return client


def held(client: Client) -> Hold:
    """Let the client's next command stop inside it."""
    assert isinstance(client, Holdable)
    return client.hold_next()
