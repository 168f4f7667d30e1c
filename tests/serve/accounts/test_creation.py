"""Claims: accounts are made once, shown when they are there, and only to their user."""

import asyncio

import pytest

from serve import (
    CreateClient,
    CreateFaucet,
    CreateLiquidity,
    Network,
    client_directory,
    decode_address,
    encode_address,
)
from serve.domain.account_specs import WalletSpec
from serve.domain.client_values import Asset
from serve.errors import (
    AccountNotFound,
    BadOrder,
    DuplicateRecord,
    NetworkMismatch,
)
from tests.serve.looks import names, rows

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
CLIENT = CreateClient(network=TESTNET, name="Ann")
FAUCET = CreateFaucet(network=TESTNET, token_symbol="ABC", decimals=8, max_supply=1000)


async def test_every_kind_of_account_is_made_listed_and_recorded(open_serve):
    async with open_serve() as serve:
        client = await serve.create_account_order(ANN, CLIENT)
        liquidity = await serve.create_account_order(ANN, CreateLiquidity(network=LOCALNET))
        faucet = await serve.create_account_order(ANN, FAUCET)
        listing = await serve.list_accounts(ANN)
        found = {e.account_id: (e.network, e.account_type, e.name) for e in listing.client_accounts}
        assert found == {
            client.account_id: (TESTNET, "Client", "Ann"),
            faucet.account_id: (TESTNET, "Faucet", "ABC"),
            liquidity.account_id: (LOCALNET, "Liquidity", None),
        }
        orders = await serve.list_orders_for_user(ANN)
        assert [order.order_type for order in orders] == [
            "CreateFaucetAccount",
            "CreateLiquidityAccount",
            "CreateClientAccount",
        ]
        assert {(order.stage, order.status) for order in orders} == {("create", "succeeded")}
        assert await serve.audit() == ()


async def test_a_faucet_becomes_an_owned_asset_with_its_account(open_serve):
    async with open_serve() as serve:
        faucet = await serve.create_account_order(ANN, FAUCET)
        query = "SELECT symbol, account, decimals, max_supply, owned FROM assets"
        assert rows(serve, ANN, query) == [("ABC", faucet.account_id, 8, "1000", 1)]


async def test_ids_are_distinct_and_nothing_is_lost_among_20_users(open_serve):
    users = [bytes([i]) * 32 for i in range(20)]
    async with open_serve() as serve:
        orders = [
            (user, CreateClient(network=network, name=f"{i}-{k}"))
            for i, user in enumerate(users)
            for network in Network
            for k in range(2)
        ]
        results = await asyncio.gather(*(serve.create_account_order(u, o) for u, o in orders))
        assert len({result.account_id for result in results}) == len(orders)
        for i, user in enumerate(users):
            listed = await names(serve, user)
            assert sorted(listed) == [f"{i}-0", f"{i}-0", f"{i}-1", f"{i}-1"]
            assert len(await serve.list_orders_for_user(user)) == 4
        assert await serve.audit() == ()


async def test_listing_shows_the_finished_account_only_while_another_is_parked(open_serve, clients):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, CLIENT)
        for point in ("prepare_account", "add_account", "sync"):
            gate = clients.park(point)
            order = CreateClient(network=TESTNET, name=point)
            parked = asyncio.create_task(serve.create_account_order(ANN, order))
            await gate.reached.wait()
            # None of these would end if it waited for the one that is parked.
            assert point not in await names(serve, ANN)
            assert await serve.list_accounts(BEN)
            assert len(await serve.list_orders_for_user(ANN)) >= 1
            assert await serve.list_desks() == ()
            await serve.get_client(ANN, TESTNET)
            await serve.init_desks()
            assert not parked.done()
            clients.open(point)
            await parked
            assert point in await names(serve, ANN)


async def test_one_users_parked_creation_holds_up_no_other_user(open_serve, clients):
    async with open_serve() as serve:
        await serve.get_client(BEN, TESTNET)
        done = await serve.create_account_order(BEN, CLIENT)
        gate = clients.park("sync")
        parked = asyncio.create_task(serve.create_account_order(ANN, CLIENT))
        await gate.reached.wait()
        status = await serve.get_account_status(BEN, TESTNET, done.account_id)
        assert not parked.done()
        assert status.account_id == done.account_id
        clients.open("sync")
        await parked


async def test_two_equal_orders_at_once_make_two_accounts(open_serve):
    async with open_serve() as serve:
        one, two = await asyncio.gather(
            serve.create_account_order(ANN, CLIENT), serve.create_account_order(ANN, CLIENT)
        )
        assert one.account_id != two.account_id
        assert await names(serve, ANN) == ["Ann", "Ann"]


@pytest.mark.parametrize("point", ["prepare_account", "add_account", "sync"])
async def test_a_creation_under_way_survives_its_callers_cancellation(open_serve, clients, point):
    gate = clients.park(point)
    async with open_serve() as serve:
        task = asyncio.create_task(serve.create_account_order(ANN, CLIENT))
        await gate.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        clients.open(point)
    async with open_serve() as serve:  # The closing of the first waited for the creation's tail.
        (account,) = await (await serve.get_client(ANN, TESTNET)).list_accounts()
        assert (clients.spawned[0].directory / "keystore" / account.account_id.hex).is_file()
        assert await names(serve, ANN) == ["Ann"]
        assert [order.status for order in await serve.list_orders_for_user(ANN)] == ["succeeded"]
        assert await serve.audit() == ()


async def test_a_creation_cancelled_at_any_step_is_whole_or_was_never_begun(
    open_serve, clients, monkeypatch
):
    def run_inline(_, work):
        answer = loop.create_future()
        loop.call_soon(lambda: answer.set_result(work()))
        return answer

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", run_inline)  # So that steps can be counted.
    outcomes = []
    async with open_serve() as serve:
        for steps in range(100):
            task = asyncio.create_task(serve.create_account_order(ANN, CLIENT))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            outcomes.append(task.cancelled())
            await serve.settled()  # The next equal order would join one that goes on.
    assert outcomes == sorted(outcomes, reverse=True)
    assert 10 < sum(outcomes) < 90
    async with open_serve() as serve:
        await serve.get_client(ANN, TESTNET)
        orders = await serve.list_orders_for_user(ANN)
        held = clients.disks[clients.spawned[0].directory]
        assert {order.status for order in orders} == {"succeeded"}
        assert len(orders) == len(held) == len(await names(serve, ANN))
        assert await serve.audit() == ()


async def test_rows_are_written_before_each_effect(open_serve, clients):
    async with open_serve() as serve:
        for point, expected in (
            ("prepare_account", [("pending", None)]),
            ("add_account", [("pending", "pending")]),
            ("sync", [("pending", "pending")]),
        ):
            gate = clients.park(point)
            order = CreateClient(network=LOCALNET, name=point)
            parked = asyncio.create_task(serve.create_account_order(ANN, order))
            await gate.reached.wait()
            query = (
                "SELECT orders.status, accounts.status FROM orders LEFT JOIN accounts"
                f" ON accounts.id = orders.account WHERE order_json LIKE '%{point}%'"
            )
            assert rows(serve, ANN, query, LOCALNET) == expected
            clients.open(point)
            await parked


async def test_an_id_handed_out_twice_is_refused(open_serve, clients):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, CLIENT)
        clients.ids = 0
        with pytest.raises(DuplicateRecord, match="has a row already"):
            await serve.create_account_order(ANN, CLIENT)
        assert await names(serve, ANN) == ["Ann"]
        statuses = [order.status for order in await serve.list_orders_for_user(ANN)]
        assert statuses == ["failed", "succeeded"]


async def test_the_status_of_an_account_names_its_kind_and_assets(open_serve, clients):
    async with open_serve() as serve:
        faucet = await serve.create_account_order(ANN, FAUCET)
        clients.assets = (Asset(faucet=decode_address(faucet.account_id)[1], amount=5),)
        client = await serve.create_account_order(ANN, CLIENT)
        status = await serve.get_account_status(ANN, TESTNET, client.account_id + "_qpzry")
        assert status.account_id == client.account_id
        assert (status.storage_mode, status.account_type) == ("private", "Client")
        assert [(a.faucet, a.amount, a.fungible) for a in status.assets] == [
            (faucet.account_id, 5, True)
        ]


async def test_an_account_without_a_row_is_of_unknown_kind(open_serve, clients):
    async with open_serve() as serve:
        await serve.get_client(ANN, TESTNET)
        account_id = await clients.spawned[0].prepare_account(WalletSpec())
        await clients.spawned[0].add_account(account_id)
        address = encode_address(account_id, TESTNET)
        status = await serve.get_account_status(ANN, TESTNET, address)
        assert status.account_type == "Unknown"


async def test_an_address_of_another_network_is_refused(open_serve):
    async with open_serve() as serve:
        client = await serve.create_account_order(ANN, CLIENT)
        with pytest.raises(NetworkMismatch, match="on Testnet, but Localnet"):
            await serve.get_account_status(ANN, LOCALNET, client.account_id)


async def test_reading_about_an_unknown_user_creates_nothing(open_serve, clients, tmp_path):
    async with open_serve() as serve:
        client = await serve.create_account_order(ANN, CLIENT)
        before = sorted(tmp_path.iterdir())
        assert (await serve.list_accounts(BEN)).client_accounts == ()
        assert await serve.list_orders_for_user(BEN) == ()
        with pytest.raises(AccountNotFound, match="not among this user's"):
            await serve.get_account_status(BEN, TESTNET, client.account_id)
        assert sorted(tmp_path.iterdir()) == before
        assert clients.spawn_count == 1


async def test_users_see_and_touch_only_what_is_theirs(open_serve, tmp_path):
    zero_led = bytes(3) + bytes([9]) * 29
    users = [ANN, BEN, bytes(32), zero_led]
    async with open_serve() as serve:
        for index, user in enumerate(users):
            await serve.create_account_order(user, CreateClient(network=TESTNET, name=str(index)))
        for index, user in enumerate(users):
            assert await names(serve, user) == [str(index)]
            query = "SELECT name FROM accounts"
            assert rows(serve, user, query) == [(str(index),)]
    directories = sorted(client_directory(tmp_path, user, TESTNET) for user in users)
    assert sorted(path for path in tmp_path.iterdir() if path.is_dir()) == directories


async def test_orders_are_listed_newest_first_across_networks(open_serve):
    async with open_serve() as serve:
        for index in range(6):
            network = LOCALNET if index % 2 else TESTNET
            await serve.create_account_order(ANN, CreateClient(network=network, name=str(index)))
        orders = await serve.list_orders_for_user(ANN)
        assert [order.order_json.count(f'"{5 - i}"') for i, order in enumerate(orders)] == [1] * 6
        assert len({order.sequence for order in orders}) == 6


async def test_what_is_no_order_is_refused_before_anything_happens(open_serve, clients):
    async with open_serve() as serve:
        with pytest.raises(BadOrder, match="got dict"):
            await serve.create_account_order(ANN, {"CreateClient": {"network": "Testnet"}})
        assert clients.spawn_count == 0
