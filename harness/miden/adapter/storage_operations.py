"""The operations of the serve core's adapter that look at its storage from outside."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from serve import AccountId, DeskRecord, Network, Serve, ServeError
from serve.domain.address import client_directory, encode_address, owner_identifier
from serve.store.top_store import TopStore

if TYPE_CHECKING:
    from pathlib import Path

    from serve.clients.port import ClientFactory

__all__ = ["StorageOperations"]

ASSETS = "SELECT symbol, account, decimals, max_supply, owned FROM assets ORDER BY symbol, account"


class StorageOperations:
    """What no caller of Serve may do: open its storage twice, and read rows past it."""

    def __init__(self, opened: Serve, clients: ClientFactory) -> None:
        self._serve = opened
        self._clients = clients

    async def open_twice(self) -> str:
        """Open and close a second Serve on the same storage.

        Returns "opened", or the class of the error that it met.
        """
        try:
            async with Serve(self._serve.storage_path, self._clients):
                return "opened"
        except ServeError as error:
            return type(error).__name__

    async def enter_again(self) -> str:
        """Enter the open Serve once more; returns "entered", or the class of the error."""
        try:
            await self._serve.__aenter__()
        except ServeError as error:
            return type(error).__name__
        return "entered"

    async def plant_desk(self, name: str, secret: bytes, network: str) -> str:
        """Write the row of a desk, whose address is made from its name; return the address."""
        place = Network.parse(network)
        address = encode_address(_planted_id(name), place)
        record = DeskRecord(
            desk_account=address,
            owner_identifier=owner_identifier(secret),
            owner_account=None,
            path=str(client_directory(self._serve.storage_path, secret, place)),
            network=place.value,
            base_code="BTC",
            base_issuer=encode_address(_planted_id("BTC"), place),
            quote_code="USDC",
            quote_issuer=encode_address(_planted_id("USDC"), place),
        )
        async with TopStore.opened(self._serve.storage_path) as desks:
            await desks.insert_desk(record)
        return address

    async def asset_rows(self, secret: bytes, network: str) -> list[dict[str, Any]]:
        """Read a user's assets from the rows, by symbol and account."""
        directory = client_directory(self._serve.storage_path, secret, Network.parse(network))
        return await asyncio.to_thread(_assets, directory / "mosaic.sqlite3")


def _assets(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(ASSETS)]


def _planted_id(name: str) -> AccountId:
    """Make the id of a public account of version 1 from a name."""
    raw = bytearray(hashlib.sha256(name.encode()).digest()[:15])
    raw[7] = 0x11
    raw[8] &= 0x7F
    return AccountId(bytes(raw))
