"""Claims: the service opens, closes and refuses work as it says."""

import asyncio

import pytest

from serve import ClientCreated, CreateClient, Deadlines, Network
from serve.errors import (
    ClientFailed,
    CloseTimedOut,
    NodeUnreachable,
    ServeClosed,
)
from tests.serve.looks import settle

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET = Network.TESTNET
ORDER = CreateClient(network=TESTNET, name="Ann")
OPERATIONS = {
    "get_client": (ANN, TESTNET),
    "create_account_order": (ANN, ORDER),
    "client_sync": (ANN, TESTNET),
    "list_accounts": (ANN,),
    "list_orders_for_user": (ANN,),
    "get_account_status": (ANN, TESTNET, "mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da0"),
    "init_desks": (),
    "list_desks": (),
    "get_desk": ("mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da0",),
    "flush": (),
    "flush_clients_for_secret": (ANN,),
    "drained": (),
    "audit": (),
}


def background_tasks():
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("serve:")}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_every_operation_is_refused_before_opening_and_after_closing(open_serve, name):
    service = open_serve()
    with pytest.raises(ServeClosed, match="not open yet"):
        await getattr(service, name)(*OPERATIONS[name])
    async with service:
        pass
    with pytest.raises(ServeClosed, match="closed, or closing"):
        await getattr(service, name)(*OPERATIONS[name])


async def test_closing_waits_for_what_is_under_way_and_refuses_the_rest(open_serve, clients):
    gate = clients.park("sync")
    async with open_serve() as service:
        handle = await service.get_client(BEN, TESTNET)
        creating = asyncio.create_task(service.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        closing = asyncio.create_task(service.close())
        await asyncio.sleep(0)
        with pytest.raises(ServeClosed, match="closing"):
            await service.list_accounts(ANN)
        with pytest.raises(ServeClosed, match="closing"):
            await handle.list_accounts()
        assert not closing.done()
        clients.open("sync")
        assert (await creating).name == "Ann"
        await closing
        await service.close()
    assert clients.occupied == []
    assert background_tasks() == set()


async def test_what_outlasts_the_drain_is_cancelled_and_decided_at_the_next_start(
    open_serve, clients, forward
):
    gate = clients.park("sync")
    async with open_serve(deadlines=Deadlines(drain_s=5)) as service:
        creating = asyncio.create_task(service.create_account_order(ANN, ORDER))
        await gate.reached.wait()
        closing = asyncio.create_task(service.close())
        await settle()
        assert not closing.done()
        forward(6)
        await settle()
        clients.open("sync")
        await closing
    with pytest.raises(ServeClosed, match="before the operation ended"):
        await creating
    assert background_tasks() == set()
    async with open_serve() as service:
        assert [o.status for o in await service.list_orders_for_user(ANN)] == ["pending"]
        await service.client_sync(ANN, TESTNET)
        assert [e.name for e in (await service.list_accounts(ANN)).client_accounts] == ["Ann"]
        assert await service.audit() == ()


async def test_callers_of_a_spawn_that_outlasts_the_drain_are_told(open_serve, clients):
    gate = clients.park("spawn")
    async with open_serve(deadlines=Deadlines(drain_s=0.05, close_s=0.05)) as service:
        waiting = asyncio.create_task(service.get_client(ANN, TESTNET))
        await gate.reached.wait()
    with pytest.raises(ServeClosed, match="starting client testnet_4vJ9JU1b#1 was cancelled"):
        await waiting
    assert clients.occupied == []
    assert background_tasks() == set()


async def test_a_client_that_does_not_close_is_named_and_all_else_is_closed(open_serve, clients):
    service = open_serve(deadlines=Deadlines(close_s=0.05))
    gate = clients.park("close")
    clients.park("close.killed")  # It does not end even when it is killed.
    with pytest.raises(CloseTimedOut, match=r"did not close in 0\.05 s: testnet_4vJ9JU1b#1"):
        async with service:
            await service.get_client(ANN, TESTNET)
    assert gate.arrivals == 1
    clients.open("close")
    clients.occupied.clear()
    async with open_serve() as again:
        await again.list_accounts(ANN)


async def test_a_shutdown_goes_on_when_its_caller_is_cancelled(open_serve, clients):
    gate = clients.park("close")
    async with open_serve() as service:
        await service.get_client(ANN, TESTNET)
        closing = asyncio.create_task(service.close())
        await gate.reached.wait()
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        clients.open("close")
    assert clients.occupied == []


async def test_a_restart_finds_what_was_there(open_serve):
    async with open_serve() as service:
        made = await service.create_account_order(ANN, ORDER)
        orders = await service.list_orders_for_user(ANN)
    async with open_serve() as service:
        (entry,) = (await service.list_accounts(ANN)).client_accounts
        assert (entry.account_id, entry.name) == (made.account_id, "Ann")
        assert await service.list_orders_for_user(ANN) == orders
        again = await service.create_account_order(ANN, ORDER)
        assert again.account_id != made.account_id
        assert await service.audit() == ()


async def test_one_users_dead_node_leaves_the_others_working(open_serve, clients):
    clients.fail("spawn.testnet_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi", NodeUnreachable("x"))
    async with open_serve() as service:
        results = await asyncio.gather(
            service.create_account_order(ANN, ORDER),
            service.create_account_order(BEN, ORDER),
            return_exceptions=True,
        )
        assert isinstance(results[0], ClientFailed)
        assert isinstance(results[1], ClientCreated)
        assert results[1].name == "Ann"
        assert (await service.create_account_order(ANN, ORDER)).name == "Ann"
