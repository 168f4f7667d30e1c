"""Locks and permits whose taker has ended are told with who took them; no sound use of them is."""

from __future__ import annotations

import asyncio
import re

import pytest

from harness.diagnosis.ended_holders import is_orphan, permits_left
from harness.diagnosis.lock_ledger import LockLedger
from harness.simulated.simulation import simulate
from tests.harness.jumping_loop import run_jumping

HERE = r"tests/harness/diagnosis/test_ended_holders\.py:\d+ in "


class Desk:
    def __init__(self, permits=1):
        self.lock = asyncio.Lock()
        self.changed = asyncio.Condition()
        self.slots = asyncio.Semaphore(permits)

    async def take(self, thing, *, after_s=0.0, error=None):
        await thing.acquire()
        await asyncio.sleep(after_s)
        if error is not None:
            raise error

    async def use(self, thing):
        await thing.acquire()
        await asyncio.sleep(1)
        thing.release()

    async def want(self, thing):
        async with thing:
            pass


def stuck(body):
    """Run a body to where nothing can happen; return what its waits are by task."""
    outcome = simulate(body, seed=1)
    assert outcome.diagnosis is not None
    return {one.task: one for one in outcome.diagnosis.blocked}


async def end(work, *, name, cancel_after_s=None):
    task = asyncio.create_task(work, name=name)
    if cancel_after_s is not None:
        await asyncio.sleep(cancel_after_s)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("what", ["lock", "changed", "slots"])
@pytest.mark.parametrize(
    ("cancel_after_s", "error", "told"),
    [
        (None, None, "returned"),
        (0.5, None, "was cancelled"),
        (None, LookupError("lost"), "raised LookupError"),
    ],
)
def test_who_took_it_and_how_that_task_ended_is_told(what, cancel_after_s, error, told):
    async def body():
        desk = Desk()
        thing = getattr(desk, what)
        work = desk.take(thing, after_s=1, error=error)
        await end(work, name="first", cancel_after_s=cancel_after_s)
        await asyncio.create_task(desk.want(thing), name="second")

    second = stuck(body)["second"]
    assert second.holders == ()
    assert re.fullmatch(
        rf"it was taken at {HERE}Desk\.take by first at 0\.000 s, and first {told} without giving"
        r" it back; nobody is left to release it",
        second.reason,
    )


def test_of_many_permits_each_that_is_gone_is_told():
    async def body():
        desk = Desk(permits=2)
        await end(desk.take(desk.slots), name="a")
        await end(desk.take(desk.slots, error=LookupError()), name="b")
        await asyncio.create_task(desk.want(desk.slots), name="c")

    assert re.match(
        rf"2 of its 2 permits were taken and not given back, at {HERE}Desk\.take by a at 0\.000 s"
        rf" \(it returned\), at {HERE}Desk\.take by b at 0\.000 s \(it raised LookupError\); no",
        stuck(body)["c"].reason,
    )


def test_a_permit_that_is_gone_is_told_beside_one_that_somebody_holds():
    async def body():
        desk = Desk(permits=2)

        async def hold():
            async with desk.slots:
                await asyncio.Event().wait()

        await end(desk.take(desk.slots), name="a")
        holding = asyncio.create_task(hold(), name="b")
        await asyncio.sleep(1)
        await asyncio.gather(holding, asyncio.create_task(desk.want(desk.slots), name="c"))

    waiting = stuck(body)["c"]
    assert [holder.partition(" at ")[0] for holder in waiting.holders] == ["b"]
    assert re.fullmatch(
        rf"1 of its 2 permits was taken at {HERE}Desk\.take by a at 0\.000 s, and a returned"
        r" without giving it back",
        waiting.reason,
    )


def test_a_semaphore_that_others_release_is_a_signal_and_its_takers_owe_nothing():
    async def body():
        desk = Desk()
        await end(desk.take(desk.slots), name="consumer")
        desk.slots.release()
        await end(desk.take(desk.slots), name="another")
        await asyncio.create_task(desk.want(desk.slots), name="late")

    assert stuck(body)["late"].reason == "nobody left can release it"


def test_who_took_it_for_another_has_not_ended():
    async def body():
        desk = Desk()

        async def hold():
            await asyncio.wait_for(desk.lock.acquire(), 5)
            await asyncio.Event().wait()

        holding = asyncio.create_task(hold(), name="holder")
        await asyncio.sleep(1)
        await asyncio.gather(holding, asyncio.create_task(desk.want(desk.lock), name="late"))

    assert stuck(body)["late"].reason is None


async def left_by(body):
    with LockLedger() as ledger:
        await body()
        return permits_left(ledger, [one for one in ledger.all_held() if is_orphan(one)])


def leaks(body):
    return run_jumping(left_by(body))


def test_a_lock_that_its_line_gave_back_before_and_now_does_not_is_left():
    class Shop(Desk):
        async def pay(self, *, forget):
            await self.lock.acquire()
            await asyncio.sleep(0.001)
            if not forget:
                self.lock.release()

    async def body():
        shop = Shop()
        await end(shop.pay(forget=False), name="one")
        await end(shop.pay(forget=True), name="two")

    (leak,) = leaks(body)
    assert (leak.kind, leak.name) == ("lock", "Shop.lock")
    assert re.search(HERE + r".*Shop\.pay$", leak.made_at)
    assert re.fullmatch(r"two at [\d.]+ s, which returned", leak.where)


def test_a_permit_that_an_error_keeps_from_being_given_back_is_left_the_first_time():
    class Pool:
        def __init__(self):
            self.free = asyncio.BoundedSemaphore(3)

        async def run(self):
            await self.free.acquire()
            await asyncio.sleep(0)
            raise LookupError
            self.free.release()

    async def body():
        await end(Pool().run(), name="one")

    assert [(one.kind, one.name) for one in leaks(body)] == [("permit", "Pool.free")]


async def tickets_that_are_used_up():
    desk = Desk(permits=3)
    for name in "ab":
        await end(desk.take(desk.slots), name=name)


async def a_signal_from_another():
    desk = Desk()
    await end(desk.take(desk.slots), name="consumer")
    desk.slots.release()
    await end(desk.take(desk.slots), name="consumer")


async def closed_by_taking_all():
    desk = Desk(permits=2)
    await asyncio.gather(desk.use(desk.slots), desk.use(desk.slots))

    async def drain():
        for _ in range(2):
            await desk.slots.acquire()

    await end(drain(), name="drain")


async def held_by_who_lives():
    desk = Desk()
    await desk.lock.acquire()


async def begun_by_one_and_ended_by_another():
    first, second = Desk(), Desk()
    await end(first.take(first.lock, after_s=0.001), name="begins")
    first.lock.release()
    await end(second.take(second.lock, after_s=0.001), name="begins")


async def in_a_block():
    desk = Desk()
    await end(desk.want(desk.lock), name="a")
    await end(desk.want(desk.changed), name="b")


@pytest.mark.parametrize(
    "body",
    [
        tickets_that_are_used_up,
        a_signal_from_another,
        closed_by_taking_all,
        held_by_who_lives,
        begun_by_one_and_ended_by_another,
        in_a_block,
    ],
)
def test_what_is_not_to_be_given_back_is_not_left(body):
    assert leaks(body) == []
