"""Claims: a client that hangs is killed and replaced, wherever it hangs; a slow one is not."""

import asyncio
from typing import Any, cast

import pytest

from serve import Deadlines, Network
from serve.clients.timed_client import TimedClient
from serve.errors import (
    ClientBusy,
    ClientClosed,
    CloseTimedOut,
    CommandTimedOut,
    InvalidInput,
    NodeUnreachable,
    SpawnFailed,
    SpawnTimedOut,
)
from serve.points import hooked

ANN, TESTNET = bytes([1]) * 32, Network.TESTNET
LIMITS = Deadlines(spawn_s=5, command_s=5, close_s=3, drain_s=3)


def start(*coroutines):
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


async def test_a_client_that_hangs_in_a_command_is_killed_and_replaced(open_serve, clients, elapse):
    clients.fail("list_accounts", "hang")
    async with open_serve(deadlines=LIMITS) as serve:
        handle = await serve.get_client(ANN, TESTNET)
        (waiting,) = start(handle.list_accounts())
        await elapse(5)
        with pytest.raises(
            CommandTimedOut, match="command list_accounts of client testnet_4vJ9JU1"
        ):
            waiting.result()
        assert await handle.list_accounts() == ()
        assert clients.kills == clients.spawned[:1]
        assert clients.spawn_count == 2
        assert clients.overlaps == []
        assert await serve.audit() == ()


async def test_who_waits_behind_the_command_that_hangs_is_told_that_the_client_ended(
    open_serve, clients, elapse
):
    clients.fail("list_accounts", "hang")
    async with open_serve(deadlines=LIMITS) as serve:
        handle = await serve.get_client(ANN, TESTNET)
        first = asyncio.create_task(handle.list_accounts())
        await elapse(3)
        later = start(handle.node_status(), serve.client_sync(ANN, TESTNET))
        await elapse(2)
        errors = await asyncio.gather(first, *later, return_exceptions=True)
        assert [type(error) for error in errors] == [CommandTimedOut, ClientClosed, ClientClosed]
        assert (await serve.client_sync(ANN, TESTNET)).block_number == 7


async def test_a_long_queue_in_front_of_a_command_is_no_hang(open_serve, clients, elapse):
    clients.park("node_status")
    clients.park("list_accounts")
    async with open_serve(deadlines=LIMITS) as serve:
        handle = await serve.get_client(ANN, TESTNET)
        first, behind = start(handle.node_status(), handle.list_accounts())
        await elapse(3)
        clients.open("node_status")
        await elapse(2)
        assert (await first).chain_tip == 7
        with pytest.raises(CommandTimedOut, match="list_accounts"):
            behind.result()
        clients.open("list_accounts")
        assert await handle.list_accounts() == ()
        assert clients.kills == []
        assert clients.spawn_count == 1


@pytest.mark.parametrize(
    ("told", "is_killed"),
    [
        (ClientBusy("full"), True),
        (InvalidInput("no such account"), True),
        (NodeUnreachable("gone"), False),
        (CommandTimedOut("the client's own limit"), False),
        (None, False),
    ],
)
async def test_a_refusal_is_no_answer_and_any_other_error_is_one(elapse, told, is_killed):
    class Client:
        kills = 0

        async def list_accounts(self):
            await asyncio.Event().wait()

        async def node_status(self):
            if told is not None:
                raise told

        def kill(self):
            self.kills += 1

    client = Client()
    timed = TimedClient(cast("Any", client), command_s=5, label="ann#1")
    (waiting,) = start(timed.list_accounts())
    await elapse(3)
    await asyncio.gather(timed.node_status(), return_exceptions=True)
    await elapse(2)
    with pytest.raises(CommandTimedOut):
        waiting.result()
    assert client.kills == is_killed


async def test_a_flushed_client_that_hangs_is_killed_once_its_close_takes_too_long(
    open_serve, clients, elapse
):
    clients.fail("list_accounts", "hang")
    async with open_serve(deadlines=LIMITS) as serve:
        handle = await serve.get_client(ANN, TESTNET)
        (waiting,) = start(handle.list_accounts())
        await elapse(1)
        waiting.cancel()
        await serve.flush()
        (drained, again) = start(serve.drained(), handle.list_accounts())
        await elapse(2)
        assert not drained.done()
        await elapse(1)
        assert await again == ()
        await drained
        assert len(clients.kills) == 1
        assert clients.overlaps == []
        assert ["did not close in 3 s" in fault for fault in await serve.audit()] == [True]


async def test_no_client_starts_beside_one_that_does_not_end_even_when_killed(
    open_serve, clients, elapse
):
    for point in ("close", "close.killed"):
        clients.park(point)
    async with open_serve(deadlines=LIMITS) as serve:
        handle = await serve.get_client(ANN, TESTNET)
        await serve.flush()
        (early,) = start(serve.get_client(ANN, TESTNET))
        await elapse(5)
        assert not early.done()
        await elapse(1)
        for waiting in (early, *start(serve.get_client(ANN, TESTNET))):
            with pytest.raises(CloseTimedOut, match="none is started on its directory"):
                await waiting
        assert clients.spawn_count == 1
        for point in ("close", "close.killed"):
            clients.open(point)
        await elapse(1)
        assert await handle.list_accounts() == ()
        assert clients.overlaps == []


async def test_the_shutdown_kills_clients_that_hang(open_serve, clients, elapse):
    clients.fail("list_accounts", "hang", "hang")
    serve = open_serve(deadlines=LIMITS)
    await serve.__aenter__()
    handles = [await serve.get_client(bytes([one]) * 32, TESTNET) for one in (1, 2)]
    hung = start(*(handle.list_accounts() for handle in handles))
    await elapse(1)
    (closing,) = start(serve.close())
    # Operations drain, then clients, then their closes have their time, and the killed end at once.
    await elapse(9)
    await closing
    assert len(clients.kills) == 2
    assert clients.occupied == []
    errors = await asyncio.gather(*hung, return_exceptions=True)
    assert {type(error) for error in errors} <= {CommandTimedOut, ClientClosed}


class HangsAt:
    """A hook that holds whoever comes to a point for ever."""

    def __init__(self, name):
        self.name = name

    async def arrive(self, name, key):
        if name == self.name:
            await asyncio.Event().wait()

    def failure(self, name, key):
        return None


async def test_a_start_that_is_cut_kills_its_client_though_that_would_not_close(
    open_serve, clients, elapse
):
    clients.fail("close", "hang")
    async with open_serve(deadlines=LIMITS) as serve:
        with hooked(HangsAt("spawn.before_ready")):
            (waiting,) = start(serve.get_client(ANN, TESTNET))
        await elapse(5)
        with pytest.raises(SpawnTimedOut, match="took longer than 5 s"):
            waiting.result()
        clients.fail("close")
        await serve.get_client(ANN, TESTNET)
        assert clients.kills == clients.spawned[:1]
        assert clients.overlaps == []


async def test_a_failed_start_is_told_at_once_and_its_slot_is_free_once_the_client_has_ended(
    make_registry, owner, clients, elapse
):
    async def fails(owner, client):
        raise SpawnFailed("no recovery")

    registry = make_registry(deadlines=LIMITS, on_open=fails)
    clients.park("close.killed")
    with pytest.raises(SpawnFailed, match="no recovery"):
        await registry.lease(owner(1))
    (again,) = start(registry.lease(owner(1)))
    await elapse(2)
    assert clients.spawn_count == 1
    clients.open("close.killed")
    with pytest.raises(SpawnFailed, match="no recovery"):
        await again
    assert clients.spawn_count == 2
    assert clients.overlaps == []
    await elapse(1)
    assert not registry.has_slot(owner(1))


async def test_a_client_that_hangs_while_it_is_opened_is_replaced(
    make_registry, owner, clients, elapse
):
    async def asks(owner, client):
        await asyncio.gather(client.list_accounts(), return_exceptions=True)

    clients.fail("list_accounts", "hang")
    registry = make_registry(deadlines=LIMITS, on_open=asks)
    (first,) = start(registry.lease(owner(1)))
    await elapse(5)
    with first.result() as lease, pytest.raises(ClientClosed):
        await lease.client.sync()
    with await registry.lease(owner(1)) as lease:
        assert (await lease.client.sync()).block_number == 7
    assert clients.spawn_count == 2
    assert clients.overlaps == []
