"""Claims: a creation that stops half-way has failed or is finished later, and is never lost."""

import asyncio

import pytest

from serve import (
    ClientCreated,
    CreateClient,
    CreateFaucet,
    Network,
    client_directory,
    decode_address,
    encode_address,
)
from serve.errors import (
    ClientFailed,
    NodeUnreachable,
)
from tests.serve.looks import names, rows

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
CLIENT = CreateClient(network=TESTNET, name="Ann")
FAUCET = CreateFaucet(network=TESTNET, token_symbol="ABC", decimals=8, max_supply=1000)


async def test_a_failed_preparation_fails_the_order_and_shows_nothing(open_serve, clients):
    clients.fail("prepare_account", ClientFailed("no entropy"))
    async with open_serve() as serve:
        with pytest.raises(ClientFailed, match="no entropy"):
            await serve.create_account_order(ANN, CLIENT)
        assert await names(serve, ANN) == []
        (order,) = await serve.list_orders_for_user(ANN)
        assert (order.status, order.error) == ("failed", "ClientFailed: no entropy")
        assert await serve.audit() == ()


@pytest.mark.parametrize("point", ["add_account", "sync"])
async def test_a_retry_takes_up_the_unfinished_account(open_serve, clients, point):
    clients.fail(point, NodeUnreachable("node is down"), NodeUnreachable("still down"))
    async with open_serve() as serve:
        for text in ("node is down", "still down"):
            with pytest.raises(NodeUnreachable, match=text):
                await serve.create_account_order(ANN, CLIENT)
            assert await names(serve, ANN) == []
            assert [o.status for o in await serve.list_orders_for_user(ANN)] == ["pending"]
            assert await serve.audit() == ()
        result = await serve.create_account_order(ANN, CLIENT)
        (account,) = await (await serve.get_client(ANN, TESTNET)).list_accounts()
        assert result == ClientCreated(
            account_id=encode_address(account.account_id, TESTNET), name="Ann"
        )
        assert await names(serve, ANN) == ["Ann"]
        assert [o.status for o in await serve.list_orders_for_user(ANN)] == ["succeeded"]


async def test_an_unequal_order_does_not_take_up_the_unfinished_account(open_serve, clients):
    clients.fail("sync", NodeUnreachable("node is down"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.create_account_order(ANN, CLIENT)
        await serve.create_account_order(ANN, CreateClient(network=TESTNET, name="Other"))
        assert await names(serve, ANN) == ["Other"]


async def test_a_sync_finishes_the_unfinished_accounts(open_serve, clients):
    clients.fail("sync", NodeUnreachable("down"), NodeUnreachable("down"))
    clients.fail("add_account", ClientFailed("busy"), None)
    async with open_serve() as serve:
        for order in (CLIENT, FAUCET):
            with pytest.raises(ClientFailed, match=r"busy|down"):
                await serve.create_account_order(ANN, order)
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.client_sync(ANN, TESTNET)
        assert await names(serve, ANN) == []
        assert (await serve.client_sync(ANN, TESTNET)).block_number == 7
        assert sorted(await names(serve, ANN)) == ["ABC", "Ann"]
        assert len(rows(serve, ANN, "SELECT * FROM assets")) == 1
        assert await serve.audit() == ()


async def test_a_prepared_account_lost_with_its_client_is_made_afresh(open_serve, clients):
    clients.fail("add_account", "die")
    async with open_serve() as serve:
        with pytest.raises(ClientFailed, match="died in add_account"):
            await serve.create_account_order(ANN, CLIENT)
        await serve.create_account_order(ANN, CLIENT)
        assert await names(serve, ANN) == ["Ann"]
        statuses = [order.status for order in await serve.list_orders_for_user(ANN)]
        assert statuses == ["succeeded", "failed"]
        assert await serve.audit() == ()


async def test_a_sync_drops_a_prepared_account_lost_with_its_client(open_serve, clients):
    clients.fail("add_account", "die")
    async with open_serve() as serve:
        with pytest.raises(ClientFailed, match="died in add_account"):
            await serve.create_account_order(ANN, CLIENT)
        await serve.client_sync(ANN, TESTNET)
        assert [o.status for o in await serve.list_orders_for_user(ANN)] == ["failed"]
        assert rows(serve, ANN, "SELECT * FROM accounts") == []


async def test_the_next_process_finishes_an_account_that_the_client_holds(open_serve, clients):
    clients.fail("sync", NodeUnreachable("down"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.create_account_order(ANN, FAUCET)
    clients.fail("sync", NodeUnreachable("still down"))
    async with open_serve() as serve:
        await serve.settled()
        assert [o.status for o in await serve.list_orders_for_user(ANN)] == ["pending"]
        assert await serve.audit() == ()
        result = await serve.create_account_order(ANN, FAUCET)
        assert clients.disks[clients.spawned[0].directory].keys() == {
            decode_address(result.account_id)[1]
        }
        assert await names(serve, ANN) == ["ABC"]


@pytest.mark.parametrize("point", ["prepare_account", "add_account"])
async def test_the_next_process_fails_an_order_whose_account_never_came_to_be(
    open_serve, clients, point
):
    clients.park(point)
    async with open_serve() as serve:
        task = asyncio.create_task(serve.create_account_order(ANN, CLIENT))
        await clients.gates[point].reached.wait()
        # The end of a process: what it had on disk is all that is left of it.
        copy = serve.storage_path / "copy"
        copy.mkdir()
        source = client_directory(serve.storage_path, ANN, TESTNET)
        for name in ("mosaic.sqlite3", "mosaic.sqlite3-wal"):
            target = copy / source.name
            target.mkdir(exist_ok=True)
            (target / name).write_bytes((source / name).read_bytes())
        clients.open(point)
        await task
    async with open_serve(copy) as serve:
        await serve.get_client(ANN, TESTNET)
        (order,) = await serve.list_orders_for_user(ANN)
        assert order.status == "failed"
        assert "the service ended before" in order.error
        assert rows(serve, ANN, "SELECT * FROM accounts") == []
        assert await serve.audit() == ()
