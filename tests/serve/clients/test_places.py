"""Claims: no more clients than may run; who waits for a place gets it in turn; the idle end."""

import asyncio

import pytest

from serve import Deadlines
from serve.errors import ClientBusy, CloseTimedOut, InvalidInput, ServeClosed

LIMITS = Deadlines(spawn_s=5, command_s=5, close_s=3, drain_s=3)


def start(*coroutines):
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


@pytest.fixture
def running(make_registry, owner):
    """A registry with two places, and who has a live client in it."""
    registry = make_registry(deadlines=LIMITS, clients_max=2)

    async def use(*numbers):
        for number in numbers:
            (await registry.lease(owner(number))).release()

    def live():
        return [int.from_bytes(one.secret) for one, _ in registry.live_clients()]

    registry.use_once, registry.live = use, live
    return registry


@pytest.mark.parametrize("options", [{"clients_max": 0}, {"idle_s": 0.0}, {"idle_s": -1.0}])
def test_bad_limits_are_refused(make_registry, options):
    with pytest.raises(InvalidInput, match="clients_max must be >= 1, idle_s > 0"):
        make_registry(**options)


@pytest.mark.parametrize("at_once", [1, 10])
async def test_a_thousand_users_once_each_leave_no_more_clients_than_may_run(
    make_registry, owner, clients, at_once
):
    registry = make_registry(clients_max=4)
    peak = 0

    async def use(numbers):
        nonlocal peak
        for number in numbers:
            with await registry.lease(owner(number)) as lease:
                await lease.client.list_accounts()
                peak = max(peak, len(clients.occupied))

    await asyncio.gather(*(use(range(first, 1000, at_once)) for first in range(at_once)))
    assert clients.spawn_count == 1000
    assert peak == 4
    assert len(registry.live_clients()) == len(clients.occupied) == 4
    assert clients.overlaps == []
    await registry.close(3)
    assert clients.occupied == []


async def test_the_client_that_was_idle_for_longest_makes_room(running):
    await running.use_once(1, 2, 1, 3)
    assert running.live() == [1, 3]
    assert running.faults == ()


async def test_a_client_in_use_does_not_make_room(running, owner):
    with await running.lease(owner(1)):
        await running.use_once(2, 3, 4)
        assert running.live() == [1, 4]


async def test_starts_get_places_in_order_of_arrival(running, owner, elapse):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    waiting = start(*(running.lease(owner(number)) for number in (3, 4, 5)))
    await elapse(1)
    assert running.is_starting
    for lease, next_one in zip(held, waiting, strict=False):
        lease.release()
        await elapse(1)
        assert next_one.done()
    assert running.live() == [3, 4]
    assert not waiting[2].done()
    # Who comes later does not overtake.
    (late,) = start(running.lease(owner(6)))
    waiting[0].result().release()
    await elapse(1)
    assert (waiting[2].done(), late.done()) == (True, False)
    waiting[1].result().release()
    (await late).release()


async def test_a_wait_for_a_place_ends_with_client_busy(running, owner, elapse):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    waiting = start(running.lease(owner(3)), running.lease(owner(3)))
    await elapse(4)
    assert not any(one.done() for one in waiting)
    await elapse(1)
    for one in waiting:
        with pytest.raises(ClientBusy, match="one of 2 clients in use took longer than 5 s"):
            one.result()
    held[0].release()
    await running.use_once(3)
    assert running.live() == [2, 3]


async def test_who_gives_up_waiting_gets_no_place_and_takes_none(running, owner, clients, elapse):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    gone, other, joined = start(*(running.lease(owner(number)) for number in (3, 4, 4)))
    await elapse(1)
    gone.cancel()
    other.cancel()
    await elapse(1)
    assert not running.has_slot(owner(3))
    assert running.has_slot(owner(4))
    held[0].release()
    (await joined).release()
    assert clients.spawn_count == 3
    assert running.live() == [2, 4]


async def test_a_caller_joins_no_start_that_everybody_has_left(running, owner, elapse):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    (gone,) = start(running.lease(owner(3)))
    await elapse(1)
    gone.cancel()
    (fresh,) = start(running.lease(owner(3)))
    held[0].release()
    (await fresh).release()
    assert running.live() == [2, 3]


async def test_a_flush_serves_who_waits_for_a_place_and_lets_that_client_end(
    running, owner, clients, elapse
):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    (waiting,) = start(running.lease(owner(3)))
    await elapse(1)
    assert running.flush() == 2
    held[0].release()
    with await waiting as lease:
        assert await lease.client.list_accounts() == ()
    held[1].release()
    await running.drained()
    assert clients.occupied == []
    assert running.restless() == ()


async def test_a_close_refuses_who_waits_for_a_place(running, owner, clients, elapse):
    for number in (1, 2):
        await running.lease(owner(number))
    waiting = start(running.lease(owner(3)), running.lease(owner(4)))
    await elapse(1)
    (closing,) = start(running.close(3))
    await elapse(3)
    await closing
    for one in waiting:
        with pytest.raises(ServeClosed):
            one.result()
    assert clients.spawn_count == 2
    assert clients.occupied == []


async def test_a_close_serves_who_waits_for_a_place_if_there_is_time(running, owner, elapse):
    held = [await running.lease(owner(number)) for number in (1, 2)]
    (waiting,) = start(running.lease(owner(3)))
    await elapse(1)
    (closing,) = start(running.close(3))
    await elapse(1)
    for lease in held:
        lease.release()
    (await waiting).release()
    await closing


async def test_a_client_that_does_not_end_keeps_its_place(running, clients, elapse):
    await running.use_once(1, 2)
    for point in ("close", "close.killed"):
        clients.park(point)
    (waiting,) = start(running.use_once(3))
    # The first idle client is told to close, then killed; it is stuck: the second's turn comes.
    await elapse(5)
    assert clients.kills == clients.spawned[:1]
    with pytest.raises(ClientBusy):
        await waiting
    clients.open("close.killed")
    await elapse(4)
    await running.use_once(3)
    assert running.live() == [2, 3]
    (stuck, again) = ("close" in clients.gates, len(clients.kills))
    assert (stuck, again) == (True, 1)


async def test_a_client_that_is_idle_for_long_ends_when_the_registry_is_next_used(
    make_registry, owner, clients, elapse
):
    registry = make_registry(clients_max=9, idle_s=600)
    for number in (1, 2, 3):
        (await registry.lease(owner(number))).release()
    held = await registry.lease(owner(3))
    await elapse(599)
    (await registry.lease(owner(2))).release()
    assert len(registry.live_clients()) == 3
    await elapse(1)
    assert len(registry.live_clients()) == 3  # Nothing happens by itself.
    with await registry.lease(owner(4)):
        assert [one for one, _ in registry.live_clients()] == [owner(2), owner(3), owner(4)]
    held.release()
    await elapse(600)
    # Who comes back after long still finds a client.
    with await registry.lease(owner(3)) as lease:
        assert lease.handle.generation == 3
    await registry.drained()
    assert len(clients.occupied) == 1


async def test_all_places_stuck_is_told_by_the_close(running, clients, elapse):
    await running.use_once(1)
    for point in ("close", "close.killed"):
        clients.park(point)
    (closing,) = start(running.close(3))
    await elapse(10)
    with pytest.raises(CloseTimedOut, match="clients did not close in 3 s: testnet_"):
        closing.result()
    clients.open("close.killed")
    await elapse(1)
    assert clients.occupied == []
