"""Claims: nothing happens at a point without a hook, and every point is reached."""

import asyncio
import sqlite3

import pytest

from serve import AccountId, CreateClient, Deadlines, encode_address
from serve.errors import (
    ClientFailed,
    DeskNotFound,
    NodeUnreachable,
    SpawnFailed,
    SpawnTimedOut,
    StoreFailed,
)
from serve.points import POINTS, failure_at, hooked, point
from tests.serve.desks.planted_desk import ANN, TESTNET, plant_desk

OTHER = encode_address(AccountId(bytes([8]) + bytes(6) + b"\x11" + bytes(7)), TESTNET)


class Hook:
    """Notes who comes where; lets named points fail, and others hang."""

    def __init__(self, failures=None, hang=None):
        self.reached = []
        self.failures = failures or {}
        self.hang = hang

    async def arrive(self, name, key):
        self.reached.append(name)
        if name == self.hang:
            await asyncio.Event().wait()
        if name in self.failures:
            raise self.failures[name]

    def failure(self, name, key):
        self.reached.append(name)
        return self.failures.get(name)


async def test_without_a_hook_nothing_happens_at_a_point():
    await point("spawn.before_build")
    assert failure_at("sql.user.list_orders.execute") is None


async def test_a_hook_is_there_for_its_block_and_the_tasks_made_in_it():
    hook = Hook()
    gate = asyncio.Event()

    async def later():
        await gate.wait()
        await point("cache.before_insert")

    with hooked(hook):
        task = asyncio.create_task(later())
    await point("key.before_write")
    gate.set()
    await task
    assert hook.reached == ["cache.before_insert"]


async def test_every_point_is_reached_and_listed(open_serve, clients, tmp_path):
    hook = Hook()
    with hooked(hook):
        await plant_desk(tmp_path)
        await plant_desk(tmp_path, OTHER, state="creating")
        async with open_serve() as service:
            made = await service.create_account_order(
                ANN, CreateClient(network=TESTNET), request_key="one"
            )
            clients.fail("prepare_account", NodeUnreachable("gone"))
            with pytest.raises(NodeUnreachable, match="gone"):
                await service.create_account_order(ANN, CreateClient(network=TESTNET))
            await service.init_desks()
            with pytest.raises(DeskNotFound, match="no desk"):
                await service.get_desk(OTHER)
            await service.list_accounts(ANN)
            await service.list_orders_for_user(ANN)
            await service.get_account_status(ANN, TESTNET, made.account_id)
            assert await service.audit() == ()
    assert set(hook.reached) == set(POINTS)


@pytest.mark.parametrize(
    "name", ["spawn.before_build", "spawn.before_ready", "cache.before_insert"]
)
async def test_a_start_that_fails_at_a_point_leaves_no_client_open(open_serve, clients, name):
    async with open_serve() as service:
        with hooked(Hook({name: SpawnFailed("broke")})), pytest.raises(SpawnFailed, match="broke"):
            await service.get_client(ANN, TESTNET)
        assert clients.occupied == []
        await service.get_client(ANN, TESTNET)
    assert clients.overlaps == []


async def test_a_start_that_hangs_when_built_meets_its_deadline_and_closes_the_client(
    open_serve, clients
):
    async with open_serve(deadlines=Deadlines(spawn_s=0.05)) as service:
        with (
            hooked(Hook(hang="spawn.before_ready")),
            pytest.raises(SpawnTimedOut, match=r"0\.05 s"),
        ):
            await service.get_client(ANN, TESTNET)
        assert clients.occupied == []


async def test_a_locked_database_fails_the_transaction_whole(open_serve):
    locked = sqlite3.OperationalError("database is locked")
    async with open_serve() as service:
        with (
            hooked(Hook({"sql.user.begin_order.execute": locked})),
            pytest.raises(StoreFailed, match="database is locked"),
        ):
            await service.create_account_order(ANN, CreateClient(network=TESTNET))
        assert await service.list_orders_for_user(ANN) == ()
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        assert len(await service.list_orders_for_user(ANN)) == 1


async def test_a_commit_whose_answer_is_lost_makes_no_second_account(open_serve):
    order = CreateClient(network=TESTNET)
    async with open_serve() as service:
        with (
            hooked(Hook({"sql.user.succeed_orders.after_commit": StoreFailed("lost")})),
            pytest.raises(StoreFailed, match="lost"),
        ):
            await service.create_account_order(ANN, order)
        again = await service.create_account_order(ANN, order)
        (only,) = (await service.list_accounts(ANN)).client_accounts
        assert only.account_id == again.account_id
        assert await service.audit() == ()


async def test_a_shutdown_that_fails_before_it_joins_still_closes_every_client(open_serve, clients):
    service = open_serve()
    with (
        hooked(Hook({"shutdown.before_join": ClientFailed("broke")})),
        pytest.raises(ClientFailed, match="broke"),
    ):
        async with service:
            await service.get_client(ANN, TESTNET)
    assert clients.occupied == []
