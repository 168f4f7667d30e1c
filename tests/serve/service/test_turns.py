"""Claims: an owner's orders and syncs take turns; what has not begun ends with its last caller."""

import asyncio

import pytest

from serve import CreateClient, Network
from serve.errors import ClientBusy, ClientClosed
from tests.serve.looks import settle

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
ORDER = CreateClient(network=TESTNET, name="Ann")


def begun(clients, name):
    return len([one for one in clients.log if one[:2] == ("start", name)])


async def test_syncs_whose_callers_are_gone_are_not_carried_out(open_serve, clients):
    async with open_serve() as serve:
        gate = clients.park("prepare_account")
        parked = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        syncs = [asyncio.create_task(serve.client_sync(ANN, TESTNET)) for _ in range(50)]
        await settle()
        for sync in syncs:
            sync.cancel()
        await asyncio.wait(syncs)
        assert all(sync.cancelled() for sync in syncs)
        clients.open("prepare_account")
        await parked
        assert begun(clients, "sync") == 1  # The creation's own.
        await serve.client_sync(ANN, TESTNET)
        assert await serve.audit() == ()


async def test_equal_syncs_that_wait_are_one_and_each_caller_may_leave(open_serve, clients):
    async with open_serve() as serve:
        gate = clients.park("prepare_account")
        parked = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        syncs = [asyncio.create_task(serve.client_sync(ANN, TESTNET)) for _ in range(10)]
        await settle()
        syncs[0].cancel()
        syncs[4].cancel()
        await settle()
        clients.open("prepare_account")
        await parked
        answers = await asyncio.gather(*syncs, return_exceptions=True)
        assert [type(one).__name__ for one in answers].count("SyncSummary") == 8
        assert begun(clients, "sync") == 2


async def test_a_sync_under_way_is_not_joined(open_serve, clients):
    async with open_serve() as serve:
        gate = clients.park("sync")
        first = asyncio.create_task(serve.client_sync(ANN, TESTNET))
        await gate.reached.wait()
        second = asyncio.create_task(serve.client_sync(ANN, TESTNET))
        await settle()
        clients.open("sync")
        await asyncio.gather(first, second)
        assert begun(clients, "sync") == 2


async def test_owners_do_not_wait_for_each_other(open_serve, clients):
    async with open_serve() as serve:
        await serve.get_client(ANN, LOCALNET)
        await serve.get_client(BEN, TESTNET)
        gate = clients.park("prepare_account")
        parked = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        await serve.client_sync(ANN, LOCALNET)
        await serve.client_sync(BEN, TESTNET)
        clients.open("prepare_account")
        await parked


async def test_an_order_whose_client_dies_before_its_turn_leaves_no_row(open_serve, clients):
    async with open_serve() as serve:
        gate = clients.park("prepare_account")
        clients.fail("prepare_account", "die")
        first = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        second = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await settle()
        clients.open("prepare_account")
        for creating in (first, second):
            with pytest.raises(ClientClosed, match="died"):
                await creating
        assert [one.status for one in await serve.list_orders_for_user(ANN)] == ["failed"]
        await serve.create_account_order(ANN, ORDER)
        assert await serve.audit() == ()


async def test_a_lane_has_an_end(open_serve, clients):
    async with open_serve() as serve:
        gate = clients.park("prepare_account")
        parked = asyncio.create_task(serve.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        waiting = [
            asyncio.create_task(
                serve.create_account_order(ANN, CreateClient(network=TESTNET, name=str(number)))
            )
            for number in range(1_025)
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = [one for one in waiting if one.done()]
        with pytest.raises(ClientBusy, match="1024 others wait already"):
            await refused
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        clients.open("prepare_account")
        await parked
        assert len(await serve.list_orders_for_user(ANN)) == 1
