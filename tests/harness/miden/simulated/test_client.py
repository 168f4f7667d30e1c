"""The simulated client: a bounded queue, what it tells the audit of its store, and its times."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.choices.randomness import Randomness
from harness.miden.simulated.client import SimulatedClientFactory
from harness.miden.simulated.cores import Cores
from harness.miden.simulated.node import SimulatedNode
from harness.runs.opening import open_backend
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.world.latency_model import LatencyModel
from harness.simulated.world.profile_reading import nominal_profile
from serve import Network
from serve.clients.command_times import heard_times
from serve.domain.account_specs import WalletSpec
from serve.errors import ClientBusy, ClientClosed, NodeUnreachable
from tests.there import there

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


async def heard(command):
    """Await a command; return what its client told of it."""
    with heard_times() as told:
        await asyncio.gather(command, return_exceptions=True)
    (times,) = told
    return times


def test_a_command_behind_another_waits_in_the_queue_for_as_long_as_that_takes(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        first, second = await asyncio.gather(
            *(asyncio.create_task(heard(one)) for one in (client.sync(), client.sync()))
        )
        assert first.queued_s == 0
        assert second.queued_s == pytest.approx(first.service_s)
        assert first.service_s > 0
        await client.close()

    run(body)


def test_times_are_those_of_the_models_cores_and_node(run):
    async def body(factory):
        told: list[Any]
        with heard_times() as told:
            client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        (spawn,) = told
        assert 0 < there(spawn.node_s) < there(spawn.service_s)
        prepare = await heard(client.prepare_account(WalletSpec()))
        assert 0 < there(prepare.cpu_s) < there(prepare.service_s)
        assert prepare.node_s == 0
        sync = await heard(client.sync())
        assert sync.node_s == pytest.approx(sync.service_s)
        assert sync.cpu_s is None, "the model gives it no core"
        await client.close()

    run(body)


def test_a_command_that_waits_for_a_core_works_no_longer_for_it(run):
    async def body(factory):
        factory.node.cores = Cores(factory.node.environment, count=1, slice_s=None)
        clients = [
            await factory.spawn(Path(f"localnet_{name}"), Network.LOCALNET, dial_timeout_s=1)
            for name in "ab"
        ]
        one, other = await asyncio.gather(
            *(asyncio.create_task(heard(each.prepare_account(WalletSpec()))) for each in clients)
        )
        assert one.queued_s == other.queued_s == 0
        assert other.service_s > 1.5 * other.cpu_s
        for each in clients:
            await each.close()

    run(body)


def test_a_command_that_fails_tells_its_times_and_a_killed_one_does_not(run):
    async def body(factory):
        client = await factory.spawn(HOME, Network.LOCALNET, dial_timeout_s=1)
        factory.node.become("cut")
        failed = await heard(client.sync())
        assert failed.node_s == failed.service_s > 0
        factory.node.become("heal")
        with heard_times() as told:
            waiting = asyncio.create_task(client.sync())
            await asyncio.sleep(1e-3)
            client.kill()
            with pytest.raises(ClientClosed):
                await waiting
        assert told == []

    run(body)
