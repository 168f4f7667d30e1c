"""Claims: what an earlier process left is decided once, before anything else passes."""

import asyncio
import gc
import sqlite3
from contextlib import closing

import pytest

from serve import CreateClient, Deadlines, Network, client_directory
from serve.errors import ClientFailed, NodeUnreachable, RecoveryTimedOut, StoreFailed
from serve.points import hooked
from tests.serve.accounts.test_lost_answers import LOCKED, Failing
from tests.serve.looks import names

ANN = bytes([1]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
ORDER = CreateClient(network=TESTNET, name="x")
OTHER = CreateClient(network=TESTNET, name="other")


def change(path, statement, *values, network=TESTNET):
    file = client_directory(path, ANN, network) / "mosaic.sqlite3"
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement, values).fetchall()


async def leave_unfinished(open_serve, clients, path):
    """Leave an order of an earlier process that a sync has to finish, and no mark of its owner."""
    clients.fail("sync", NodeUnreachable("away"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="away"):
            await serve.create_account_order(ANN, ORDER)
    with closing(sqlite3.connect(path / "mosaic_top.sqlite3")) as connection, connection:
        connection.execute("DELETE FROM open_owners")


async def test_a_sync_and_an_order_at_once_recover_once(open_serve, clients, tmp_path):
    await leave_unfinished(open_serve, clients, tmp_path)
    async with open_serve() as serve:
        clients.fail("list_accounts", ClientFailed("busy"))
        await serve.get_client(ANN, TESTNET)
        await asyncio.gather(
            serve.client_sync(ANN, TESTNET), serve.create_account_order(ANN, OTHER)
        )
        await serve.create_account_order(ANN, ORDER)
        assert sorted(await names(serve, ANN)) == ["other", "x", "x"]
        assert await serve.audit() == ()


async def test_no_order_and_no_sync_passes_a_recovery_that_is_owed(open_serve, clients, tmp_path):
    await leave_unfinished(open_serve, clients, tmp_path)
    async with open_serve() as serve:
        clients.fail("list_accounts", *[ClientFailed("busy")] * 3)
        await serve.get_client(ANN, TESTNET)
        synced = len([one for one in clients.log if one[:2] == ("start", "sync")])
        with pytest.raises(ClientFailed, match="busy"):
            await serve.client_sync(ANN, TESTNET)
        with pytest.raises(ClientFailed, match="busy"):
            await serve.create_account_order(ANN, OTHER)
        assert len([one for one in clients.log if one[:2] == ("start", "sync")]) == synced
        assert len(await serve.list_orders_for_user(ANN)) == 1
        await serve.client_sync(ANN, TESTNET)
        assert sorted(await names(serve, ANN)) == ["x"]


async def test_a_start_does_not_wait_for_a_slow_recovery_longer_than_for_a_spawn(
    open_serve, clients, tmp_path, forward
):
    await leave_unfinished(open_serve, clients, tmp_path)
    limits = Deadlines(spawn_s=1, recovery_s=20, command_s=100)
    async with open_serve(deadlines=limits) as serve:
        gate = clients.park("list_accounts")
        opening = asyncio.create_task(serve.get_client(ANN, TESTNET))
        await gate.reached.wait()
        forward(1.1)
        await opening
        syncing = asyncio.create_task(serve.client_sync(ANN, TESTNET))
        forward(20)
        # The recovery under way has ended at its deadline; the sync's own begins, and does, too.
        for _ in range(200):
            await asyncio.sleep(0)
        forward(21)
        with pytest.raises(RecoveryTimedOut, match="took longer than 20 s"):
            await syncing
        clients.open("list_accounts")
        await serve.client_sync(ANN, TESTNET)
        assert sorted(await names(serve, ANN)) == ["x"]


async def test_the_start_decides_what_was_left_though_its_owner_does_not_come_back(
    open_serve, clients
):
    clients.fail("sync", NodeUnreachable("away"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="away"):
            await serve.create_account_order(ANN, ORDER)
    async with open_serve() as serve:
        await serve.settled()
        assert sorted(await names(serve, ANN)) == ["x"]
        assert await serve.audit() == ()
    spawned = clients.spawn_count
    async with open_serve() as serve:
        await serve.settled()
    assert clients.spawn_count == spawned  # Nothing was left, so no client was started.


async def test_a_start_that_cannot_decide_leaves_it_to_the_next(open_serve, clients):
    clients.fail("sync", *[NodeUnreachable("away")] * 2)
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="away"):
            await serve.create_account_order(ANN, ORDER)
    async with open_serve() as serve:
        await serve.settled()
        assert sorted(await names(serve, ANN)) == []
    async with open_serve() as serve:
        await serve.settled()
        assert sorted(await names(serve, ANN)) == ["x"]


async def test_orders_of_unknown_kinds_are_left_alone(open_serve, clients, tmp_path):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, ORDER)
    change(
        tmp_path,
        "INSERT INTO orders (sequence, uuid, order_type, order_json, stage, status, created_at)"
        " VALUES (9e18, 'u', 'LiquidityOffer', '{}', 'create', 'pending', '2026-01-01 00:00:00')",
    )
    async with open_serve() as serve:
        await serve.get_client(ANN, TESTNET)
        await serve.client_sync(ANN, TESTNET)
        await serve.create_account_order(ANN, OTHER)
        assert await serve.audit() == ()
        (offer,) = [one for one in await serve.list_orders_for_user(ANN) if one.uuid == "u"]
        assert (offer.status, offer.error) == ("pending", None)


async def test_an_order_of_a_known_kind_that_cannot_be_read_has_failed(
    open_serve, clients, tmp_path
):
    await leave_unfinished(open_serve, clients, tmp_path)
    change(tmp_path, "UPDATE orders SET order_json = '{'")
    async with open_serve() as serve:
        await serve.client_sync(ANN, TESTNET)
        (order,) = await serve.list_orders_for_user(ANN)
        assert order.status == "failed"
        assert "JSONDecodeError" in order.error


async def test_a_failed_order_never_rises(open_serve, clients):
    clients.fail("prepare_account", ClientFailed("no entropy"))
    lost = Failing(sql__user__fail_order__after_commit=[StoreFailed("lost")])
    async with open_serve() as serve:
        with hooked(lost), pytest.raises(ClientFailed, match="no entropy"):
            await serve.create_account_order(ANN, ORDER)
        await serve.create_account_order(ANN, ORDER)
        orders = await serve.list_orders_for_user(ANN)
        assert [(one.status, one.error) for one in orders] == [
            ("succeeded", None),
            ("failed", "ClientFailed: no entropy"),
        ]
        assert sorted(await names(serve, ANN)) == ["x"]
        assert await serve.audit() == ()


@pytest.mark.parametrize("by", ["sync", "order", "start"])
async def test_a_failure_that_could_not_be_written_is_decided_next(open_serve, clients, by):
    clients.fail("prepare_account", ClientFailed("no entropy"))
    locked = Failing(sql__user__fail_order__execute=[LOCKED])
    async with open_serve() as serve:
        with hooked(locked), pytest.raises(ClientFailed, match="no entropy") as caught:
            await serve.create_account_order(ANN, ORDER)
        assert "is still marked pending" in caught.value.__notes__[0]
        assert [one.status for one in await serve.list_orders_for_user(ANN)] == ["pending"]
        assert await serve.audit() == ()
        if by == "sync":
            await serve.client_sync(ANN, TESTNET)
        elif by == "order":
            await serve.create_account_order(ANN, OTHER)
        else:
            await serve.close()
            serve = await open_serve().__aenter__()  # noqa: PLW2901
            await serve.settled()
        *_, order = await serve.list_orders_for_user(ANN)
        assert order.status == "failed"
        assert by == "start" or order.error == "ClientFailed: no entropy"
        assert await serve.audit() == ()
        await serve.close()


async def test_one_account_that_fails_hinders_no_others_sync(open_serve, clients):
    clients.fail("sync", NodeUnreachable("away"), NodeUnreachable("away"))
    async with open_serve() as serve:
        for order in (ORDER, OTHER):
            with pytest.raises(NodeUnreachable, match="away"):
                await serve.create_account_order(ANN, order)
        clients.fail("add_account", *[ClientFailed("broken")] * 4)
        clients.fail("prepare_account", None)
        with pytest.raises(ClientFailed, match="broken"):
            await serve.create_account_order(ANN, CreateClient(network=TESTNET, name="third"))
        await serve.client_sync(ANN, TESTNET)
        assert sorted(await names(serve, ANN)) == ["other", "x"]
        await serve.client_sync(ANN, TESTNET)
        await serve.client_sync(ANN, TESTNET)
        await serve.client_sync(ANN, TESTNET)
        assert sorted(await names(serve, ANN)) == ["other", "third", "x"]


async def test_orders_stay_in_order_across_networks_though_the_clock_goes_back(
    open_serve, tmp_path
):
    async with open_serve() as serve:
        for name, network in (("1", TESTNET), ("2", LOCALNET)):
            await serve.create_account_order(ANN, CreateClient(network=network, name=name))
    # As if the clock had been ahead by ten days in the first life, and were set right since.
    for network in (TESTNET, LOCALNET):
        change(tmp_path, "UPDATE orders SET sequence = sequence + 864e9", network=network)
    async with open_serve() as serve:
        await serve.create_account_order(ANN, CreateClient(network=TESTNET, name="3"))
        orders = await serve.list_orders_for_user(ANN)
        assert [order.order_json.split('"name":"')[1][0] for order in orders] == ["3", "2", "1"]


async def test_an_order_that_ends_while_old_orders_are_counted_leaves_nothing_unawaited(
    open_serve, recwarn
):
    lost = Failing(sql__user__last_sequence__execute=[LOCKED])
    async with open_serve() as serve:
        with hooked(lost), pytest.raises(StoreFailed, match="locked"):
            await serve.create_account_order(ANN, ORDER)
        gc.collect()
        await serve.create_account_order(ANN, ORDER)
        assert await names(serve, ANN) == ["x"]
    assert [one for one in recwarn if "never awaited" in str(one.message)] == []
