"""Claims: a request that is made again with its key is answered, and never carried out twice."""

import asyncio

import pytest

from serve import CreateClient, CreateFaucet, Network
from serve.errors import ClientFailed, InvalidInput, NodeUnreachable, RequestKeyReused
from tests.serve.looks import names, settle

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
ORDER = CreateClient(network=TESTNET, name="Ann")
FAUCET = CreateFaucet(network=TESTNET, token_symbol="ABC", decimals=8, max_supply=1000)


async def statuses(serve, secret=ANN):
    return [order.status for order in await serve.list_orders_for_user(secret)]


async def test_a_request_that_is_done_is_answered_again_by_the_next_process_too(
    open_serve, clients
):
    async with open_serve() as serve:
        first = await serve.create_account_order(ANN, ORDER, request_key="r")
        assert await serve.create_account_order(ANN, ORDER, request_key="r") == first
        faucet = await serve.create_account_order(ANN, FAUCET, request_key="f")
    spawns = clients.spawn_count
    async with open_serve() as serve:
        assert await serve.create_account_order(ANN, ORDER, request_key="r") == first
        assert await serve.create_account_order(ANN, FAUCET, request_key="f") == faucet
        assert clients.spawn_count == spawns  # It is answered from its row.
        assert sorted(await names(serve, ANN)) == ["ABC", "Ann"]


async def test_equal_requests_at_once_with_one_key_are_one(open_serve, clients):
    async with open_serve() as serve:
        made = await asyncio.gather(
            *(serve.create_account_order(ANN, ORDER, request_key="r") for _ in range(5))
        )
        assert len({one.account_id for one in made}) == 1
        assert await names(serve, ANN) == ["Ann"]
        assert await statuses(serve) == ["succeeded"]


async def test_keys_are_those_of_a_user_on_a_network(open_serve):
    async with open_serve() as serve:
        other = CreateClient(network=LOCALNET, name="Ann")
        made = [
            await serve.create_account_order(ANN, ORDER, request_key="r"),
            await serve.create_account_order(ANN, other, request_key="r"),
            await serve.create_account_order(BEN, ORDER, request_key="r"),
            await serve.create_account_order(ANN, ORDER, request_key="s"),
            await serve.create_account_order(ANN, ORDER),
        ]
        assert len({one.account_id for one in made}) == 5


async def test_a_key_of_another_order_is_refused_and_nothing_is_made(open_serve, clients):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, ORDER, request_key="r")
        other = CreateClient(network=TESTNET, name="Other")
        with pytest.raises(RequestKeyReused, match="belongs to the order"):
            await serve.create_account_order(ANN, other, request_key="r")
        gate = clients.park("prepare_account")
        parked = asyncio.create_task(serve.create_account_order(ANN, ORDER, request_key="s"))
        await gate.reached.wait()
        late = asyncio.create_task(serve.create_account_order(ANN, other, request_key="s"))
        await settle()
        clients.open("prepare_account")
        await parked
        with pytest.raises(RequestKeyReused, match="belongs to the order"):
            await late
        assert await names(serve, ANN) == ["Ann", "Ann"]


async def test_a_caller_told_of_a_failure_finds_what_a_sync_has_finished_since(open_serve, clients):
    clients.fail("sync", NodeUnreachable("down"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.create_account_order(ANN, ORDER, request_key="r")
        await serve.client_sync(ANN, TESTNET)
        assert await names(serve, ANN) == ["Ann"]
        made = await serve.create_account_order(ANN, ORDER, request_key="r")
        listing = await serve.list_accounts(ANN)
        assert [entry.account_id for entry in listing.client_accounts] == [made.account_id]
        assert await serve.audit() == ()


@pytest.mark.parametrize("key", ["r", None])
@pytest.mark.parametrize("point", ["prepare_account", "add_account", "sync"])
async def test_a_caller_that_gave_up_and_asks_again_gets_the_one_under_way(
    open_serve, clients, point, key
):
    async with open_serve() as serve:
        gate = clients.park(point)
        gone = asyncio.create_task(serve.create_account_order(ANN, ORDER, request_key=key))
        await gate.reached.wait()
        gone.cancel()
        await asyncio.wait([gone])
        again = asyncio.create_task(serve.create_account_order(ANN, ORDER, request_key=key))
        await settle()
        assert not again.done()
        clients.open(point)
        made = await again
        listing = await serve.list_accounts(ANN)
        assert [entry.account_id for entry in listing.client_accounts] == [made.account_id]
        assert await statuses(serve) == ["succeeded"]


@pytest.mark.parametrize("key", ["r", None])
async def test_an_unfinished_request_is_finished_by_its_retry(open_serve, clients, key):
    clients.fail("sync", NodeUnreachable("down"), NodeUnreachable("down"))
    async with open_serve() as serve:
        for _ in range(2):
            with pytest.raises(NodeUnreachable, match="down"):
                await serve.create_account_order(ANN, ORDER, request_key=key)
        await serve.create_account_order(ANN, ORDER, request_key=key)
        assert await names(serve, ANN) == ["Ann"]
        assert await statuses(serve) == ["succeeded"]


async def test_a_key_is_not_taken_for_an_equal_order_without_one(open_serve, clients):
    clients.fail("sync", NodeUnreachable("down"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.create_account_order(ANN, ORDER, request_key="r")
        await serve.create_account_order(ANN, ORDER)
        await serve.create_account_order(ANN, ORDER, request_key="r")
        assert await names(serve, ANN) == ["Ann", "Ann"]


async def test_a_request_that_has_failed_is_tried_anew_with_its_key(open_serve, clients):
    clients.fail("prepare_account", ClientFailed("no entropy"))
    async with open_serve() as serve:
        with pytest.raises(ClientFailed, match="no entropy"):
            await serve.create_account_order(ANN, ORDER, request_key="r")
        await serve.create_account_order(ANN, ORDER, request_key="r")
        assert await names(serve, ANN) == ["Ann"]
        assert await statuses(serve) == ["succeeded", "failed"]


async def test_a_key_left_by_an_earlier_process_is_known(open_serve, clients):
    clients.fail("sync", NodeUnreachable("down"))
    async with open_serve() as serve:
        with pytest.raises(NodeUnreachable, match="down"):
            await serve.create_account_order(ANN, ORDER, request_key="r")
    async with open_serve() as serve:
        made = await serve.create_account_order(ANN, ORDER, request_key="r")
        assert await serve.create_account_order(ANN, ORDER, request_key="r") == made
        assert await names(serve, ANN) == ["Ann"]


async def test_callers_that_share_a_failure_get_an_error_each(open_serve, clients):
    clients.fail("prepare_account", ClientFailed("no entropy"))
    async with open_serve() as serve:
        errors = await asyncio.gather(
            *(serve.create_account_order(ANN, ORDER, request_key="r") for _ in range(3)),
            return_exceptions=True,
        )
        assert [str(error) for error in errors] == ["no entropy"] * 3
        assert len({id(error) for error in errors}) == 3


@pytest.mark.parametrize("key", ["", "x" * 201, 3, b"r", "\ud800"])
async def test_what_is_no_key_is_refused(open_serve, clients, key):
    async with open_serve() as serve:
        with pytest.raises(InvalidInput, match="1 to 200 characters"):
            await serve.create_account_order(ANN, ORDER, request_key=key)
        assert clients.spawn_count == 0
