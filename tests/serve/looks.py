"""What tests of the service look at, and how they let what is under way go on."""

from __future__ import annotations

import asyncio
import sqlite3

from serve import Network, client_directory


async def settle():
    """Let all that waits for nothing but its turn go on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def names(serve, secret):
    """List the names of a user's accounts."""
    return [entry.name for entry in (await serve.list_accounts(secret)).client_accounts]


def rows(serve, secret, query, network=Network.TESTNET):
    """Ask a user's database behind the service's back."""
    path = client_directory(serve.storage_path, secret, network) / "mosaic.sqlite3"
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
