"""Claims: clients are shared, started, drained and replaced, never two on a directory."""

import asyncio

import pytest

from serve import CreateClient, Deadlines, Network
from serve.errors import (
    BadSecret,
    ClientClosed,
    NodeUnreachable,
    SpawnFailed,
    SpawnTimedOut,
    StorageInUse,
    UnsupportedNetwork,
)

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET, LOCALNET = Network.TESTNET, Network.LOCALNET
ORDER = CreateClient(network=TESTNET, name="Ann")


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def reached(gate):
    await gate.reached.wait()


def start(*coroutines):
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


@pytest.mark.parametrize("count", [1, 2, 10, 50])
async def test_callers_of_one_key_share_one_spawn(open_serve, clients, count):
    gate = clients.park("spawn")
    async with open_serve() as serve:
        tasks = start(*(serve.get_client(ANN, TESTNET) for _ in range(count)))
        await reached(gate)
        clients.open("spawn")
        handles = await asyncio.gather(*tasks)
        assert clients.spawn_count == 1
        assert all(handle is handles[0] for handle in handles)
        assert await serve.get_client(ANN, TESTNET) is handles[0]


async def test_mixed_operations_share_one_spawn(open_serve, clients):
    async with open_serve() as serve:
        await asyncio.gather(
            serve.get_client(ANN, TESTNET),
            serve.create_account_order(ANN, ORDER),
            serve.client_sync(ANN, TESTNET),
            serve.create_account_order(ANN, ORDER),
        )
        assert clients.spawn_count == 1


async def test_different_keys_never_wait_for_each_other(open_serve, clients):
    directory = "testnet_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"
    gate = clients.park(f"spawn.{directory}")
    async with open_serve() as serve:
        (parked,) = start(serve.create_account_order(ANN, ORDER))
        await reached(gate)
        await serve.get_client(BEN, TESTNET)
        await serve.get_client(ANN, LOCALNET)
        await serve.create_account_order(BEN, ORDER)
        assert not parked.done()
        clients.open(f"spawn.{directory}")
        await parked


async def test_a_failed_spawn_reaches_all_who_joined_and_leaves_nothing(open_serve, clients):
    gate = clients.park("spawn")
    failure = NodeUnreachable("no node")
    failure.__cause__ = OSError("refused")
    clients.fail("spawn", failure)
    async with open_serve() as serve:
        tasks = start(*(serve.get_client(ANN, TESTNET) for _ in range(10)))
        await reached(gate)
        clients.open("spawn")
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in errors] == [NodeUnreachable] * 10
        assert all(isinstance(error.__cause__, OSError) for error in errors)
        assert len({id(error) for error in errors}) == 10
        assert clients.spawn_count == 1
        assert clients.occupied == []


async def test_callers_after_a_failed_spawn_share_one_new_one(open_serve, clients):
    gate = clients.park("spawn")
    clients.fail("spawn", SpawnFailed("once"))
    async with open_serve() as serve:

        async def call_again():
            try:
                return await serve.get_client(ANN, TESTNET)
            except SpawnFailed:
                return await serve.get_client(ANN, TESTNET)

        tasks = start(*(call_again() for _ in range(10)))
        await reached(gate)
        clients.open("spawn")
        handles = await asyncio.gather(*tasks)
        assert all(handle is handles[0] for handle in handles)
        assert clients.spawn_count == 2


async def test_an_error_that_is_none_of_ours_becomes_spawn_failed(open_serve, clients):
    clients.fail("spawn", RuntimeError("a bug"))
    async with open_serve() as serve:
        with pytest.raises(SpawnFailed, match="a bug") as caught:
            await serve.get_client(ANN, TESTNET)
        assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("cancelled", [0, 4, 9])
async def test_cancelling_any_caller_harms_no_other(open_serve, clients, cancelled):
    gate = clients.park("spawn")
    async with open_serve() as serve:
        tasks = start(*(serve.get_client(ANN, TESTNET) for _ in range(10)))
        await reached(gate)
        tasks[cancelled].cancel()
        await settle()
        assert tasks[cancelled].cancelled()
        clients.open("spawn")
        left = [task for task in tasks if task is not tasks[cancelled]]
        handles = await asyncio.gather(*left)
        assert all(handle is handles[0] for handle in handles)
        assert clients.spawn_count == 1


async def test_a_spawn_whose_callers_are_all_cancelled_ends_in_the_cache(open_serve, clients):
    gate = clients.park("spawn")
    async with open_serve() as serve:
        tasks = start(*(serve.get_client(ANN, TESTNET) for _ in range(10)))
        await reached(gate)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        clients.open("spawn")
        await settle()
        handle = await serve.get_client(ANN, TESTNET)
        assert handle.generation == 1
        assert clients.spawn_count == 1


async def test_a_dead_client_is_evicted_and_closed_before_the_next_starts(open_serve, clients):
    clients.fail("node_status", "die")
    async with open_serve() as serve:
        first = await serve.get_client(ANN, TESTNET)
        with pytest.raises(ClientClosed, match="died in node_status"):
            await first.node_status()
        second = await serve.get_client(ANN, TESTNET)
        assert second is not first
        assert (await second.node_status()).chain_tip == 7
        assert clients.spawn_count == 2
        assert clients.overlaps == []


async def test_commands_queued_behind_a_death_fail_and_their_callers_go_on(open_serve, clients):
    gate = clients.park("node_status")
    clients.fail("node_status", "die")
    async with open_serve() as serve:
        handle = await serve.get_client(ANN, TESTNET)
        tasks = start(handle.node_status(), handle.list_accounts(), handle.list_accounts())
        await reached(gate)
        clients.open("node_status")
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in errors] == [ClientClosed] * 3
        assert await handle.list_accounts() == ()
        assert clients.spawn_count == 2
        assert clients.overlaps == []


async def test_flush_lets_the_operation_under_way_end_before_a_new_client_starts(
    open_serve, clients
):
    gate = clients.park("prepare_account")
    async with open_serve() as serve:
        other = await serve.get_client(BEN, TESTNET)
        (first,) = start(serve.create_account_order(ANN, ORDER))
        await reached(gate)
        assert await serve.flush_clients_for_secret(ANN) == 1
        assert await serve.flush_clients_for_secret(ANN) == 0
        (second,) = start(serve.create_account_order(ANN, ORDER))
        await settle()
        assert not first.done()
        assert clients.spawn_count == 2
        clients.open("prepare_account")
        results = await asyncio.gather(first, second)
        assert results[0].account_id != results[1].account_id
        assert clients.overlaps == []
        assert clients.spawn_count == 3
        assert await serve.get_client(BEN, TESTNET) is other
        assert len((await serve.list_accounts(ANN)).client_accounts) == 2


async def test_flush_during_a_spawn_serves_its_callers_and_is_not_resurrected(open_serve, clients):
    gate = clients.park("spawn")
    async with open_serve() as serve:
        (first,) = start(serve.create_account_order(ANN, ORDER))
        (joined,) = start(serve.get_client(ANN, TESTNET))
        await reached(gate)
        assert await serve.flush() == 0
        (later,) = start(serve.get_client(ANN, TESTNET))
        await settle()
        clients.open("spawn")
        await first
        old, new = await asyncio.gather(joined, later)
        assert (old.generation, new.generation) == (1, 2)
        assert await old.list_accounts() == await new.list_accounts()
        assert await serve.get_client(ANN, TESTNET) is new
        assert clients.overlaps == []
        assert len(clients.occupied) == 1


async def test_flush_counts_live_clients_and_drained_waits_for_their_end(open_serve, clients):
    gate = clients.park("close")
    async with open_serve() as serve:
        for secret in (ANN, BEN):
            for network in Network:
                await serve.get_client(secret, network)
        assert await serve.flush_clients_for_secret(ANN) == 2
        assert await serve.flush() == 2
        (waiting,) = start(serve.drained())
        await settle()
        assert gate.arrivals == 4
        assert not waiting.done()
        clients.open("close")
        await waiting
        assert clients.occupied == []


async def test_a_handle_outlives_the_flush_of_its_client(open_serve, clients):
    async with open_serve() as serve:
        handle = await serve.get_client(ANN, TESTNET)
        await serve.flush()
        assert await handle.list_accounts() == ()
        assert clients.spawn_count == 2
        assert clients.overlaps == []


async def test_a_hanging_spawn_ends_with_its_own_error_and_a_later_one_works(
    open_serve, clients, forward
):
    gate = clients.park("spawn")
    async with open_serve(deadlines=Deadlines(spawn_s=5)) as serve:
        (waiting,) = start(serve.get_client(ANN, TESTNET))
        await reached(gate)
        forward(6)
        with pytest.raises(SpawnTimedOut, match=r"starting client testnet_4vJ9JU1b#1 took longer"):
            await waiting
        clients.open("spawn")
        await serve.get_client(ANN, TESTNET)
        assert clients.overlaps == []


async def test_a_client_that_fails_to_close_is_reported_and_replaced(open_serve, clients):
    clients.fail("close", OSError("disk gone"))
    async with open_serve() as serve:
        await serve.get_client(ANN, TESTNET)
        clients.occupied.clear()
        await serve.flush()
        await serve.get_client(ANN, TESTNET)
        assert any("closing client" in fault for fault in await serve.audit())


async def test_an_answer_that_the_client_dropped_is_client_closed(open_serve, clients):
    clients.fail("node_status", asyncio.CancelledError())
    async with open_serve() as serve:
        handle = await serve.get_client(ANN, TESTNET)
        with pytest.raises(ClientClosed, match="lost its answer"):
            await handle.node_status()


async def test_a_foreign_network_text_and_a_bad_secret_are_refused(open_serve):
    async with open_serve() as serve:
        assert await serve.get_client(ANN, "Testnet") is await serve.get_client(ANN, TESTNET)
        with pytest.raises(UnsupportedNetwork, match="got 'Mainnet'"):
            await serve.get_client(ANN, "Mainnet")
        with pytest.raises(BadSecret, match="32 bytes"):
            await serve.get_client(b"short", TESTNET)


async def test_a_second_serve_on_the_same_path_is_refused(open_serve, tmp_path):
    async with open_serve():
        with pytest.raises(StorageInUse, match=r"\.mosaic\.lock: held by another Serve"):
            async with open_serve():
                raise AssertionError
    async with open_serve() as serve:
        assert await serve.list_desks() == ()
