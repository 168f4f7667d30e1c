"""The simulated client: a bounded queue, and what it tells the audit of its store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.choices.randomness import Randomness
from harness.miden.simulated.client import SimulatedClientFactory
from harness.miden.simulated.node import SimulatedNode
from harness.runs.opening import open_backend
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.world.latency_model import LatencyModel
from harness.simulated.world.profile_reading import nominal_profile
from serve import Network
from serve.domain.account_specs import WalletSpec
from serve.errors import ClientBusy, ClientClosed, NodeUnreachable

HOME = Path("localnet_home")


@pytest.fixture
def run():
    """Run a body with a factory whose clients have room for two commands that wait."""

    def make(body):
        async def main():
            loop = running_virtual_loop()
            model = LatencyModel(nominal_profile(), randomness=Randomness(7), paired=False)
            node = SimulatedNode(loop.environment, model, label="here")
            await body(SimulatedClientFactory(node, loop, queue_length_max=2))

        ran = open_backend("simulated", needs_node=True).prepare(seed=7).carry_out(main)
        if ran.error is not None:
            raise ran.error

    return make


async def filled(client):
    """Have a client do one command while two more wait, which is all that it has room for."""
    taken = [asyncio.create_task(client.sync())]
    await asyncio.sleep(1e-6)  # The client has begun with it, so that it waits no more.
    taken += [asyncio.create_task(client.sync()) for _ in range(2)]
    await asyncio.sleep(0)
    return taken


def test_a_full_queue_is_busy_at_once_and_harms_nobody_in_it(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        taken = await filled(client)
        with pytest.raises(ClientBusy, match="2 commands wait already; try later"):
            await client.sync()
        assert [one.block_number for one in await asyncio.gather(*taken)] == [1, 1, 1]
        await client.sync()
        await client.close()

    run(body)


def test_a_client_killed_while_commands_wait_ends_them_and_itself(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        taken = await filled(client)
        taken[1].cancel()
        client.kill()
        ended = await asyncio.gather(*taken, return_exceptions=True)
        assert [type(one) for one in ended] == [ClientClosed, asyncio.CancelledError, ClientClosed]
        second = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        await second.sync()
        await second.close()

    run(body)


def test_a_restart_breaks_each_clients_connection_once(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        await client.sync()
        factory.node.become("restart")
        with pytest.raises(NodeUnreachable, match="refused the connection"):
            await client.sync()
        factory.node.become("heal")
        with pytest.raises(NodeUnreachable, match="the node was restarted"):
            await client.sync()
        await client.sync()
        await client.close()

    run(body)


def test_an_account_without_its_key_is_named(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        kept, lost = [await client.prepare_account(WalletSpec()) for _ in range(2)]
        await client.add_account(kept)
        await client.add_account(lost)
        assert factory.keyless(HOME.name) == ()
        factory.stores[HOME.name].keys.discard(lost)
        assert factory.keyless(HOME.name) == (lost,)
        await client.close()

    run(body)
