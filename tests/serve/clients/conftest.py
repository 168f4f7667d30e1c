"""A registry of clients in memory, the passing of its time, and who its users are."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from serve import Deadlines, Network
from serve.clients.registry import ClientRegistry
from serve.domain.address import Owner


@pytest.fixture
def make_registry(tmp_path, clients):
    """Make a registry on the test's own path; the arguments are those of ClientRegistry."""

    async def nothing(owner, client):
        pass

    def make(**arguments):
        arguments = {"deadlines": Deadlines(), "on_open": nothing, **arguments}
        return ClientRegistry(tmp_path, clients, admit=nullcontext, **arguments)

    return make


@pytest.fixture
def owner():
    """Name a user by a number."""
    return lambda number: Owner(number.to_bytes(32), Network.TESTNET)


@pytest.fixture
def elapse(forward):
    """Let so many seconds pass, each with all that is then due."""

    async def move(seconds):
        await turns()
        for _ in range(seconds):
            forward(1)
            await turns()

    return move


async def turns():
    for _ in range(30):
        await asyncio.sleep(0)
