"""The claims about the lock ledger, on stock asyncio: it needs no simulation."""

from __future__ import annotations

import asyncio
import re

import pytest

from harness.diagnosis.lock_ledger import LockLedger, active_ledger
from harness.errors import HarnessBug
from tests.harness.jumping_loop import run_jumping
from tests.there import there

HERE = r"tests/harness/diagnosis/test_lock_ledger\.py:\d+ in "


class Service:
    def __init__(self):
        self.lock = asyncio.Lock()
        self.by_user: dict[object, asyncio.Lock] = {"ann": asyncio.Lock()}
        self.seats = asyncio.BoundedSemaphore(2)
        self.changed = asyncio.Condition()

    async def work(self):
        async with self.lock:
            await self.slow_call()

    async def slow_call(self):
        await asyncio.sleep(0.02)

    async def serve(self, user):
        async with self.by_user[user]:
            await asyncio.sleep(0.01)

    async def sit(self):
        async with self.seats:
            await asyncio.sleep(0.01)

    async def watch(self):
        async with self.changed:
            await self.changed.wait()
            await asyncio.sleep(0.01)


def test_a_hold_tells_lock_task_time_and_line():
    async def main():
        service = Service()
        await asyncio.create_task(service.work(), name="worker")

    with LockLedger() as ledger:
        run_jumping(main())
    (hold,) = ledger.holds
    assert (hold.lock, hold.task) == ("Service.lock", "worker")
    assert there(hold.end_s) - hold.begin_s == pytest.approx(0.02)
    assert re.fullmatch(HERE + r"Service\.work", hold.where)


def test_a_sample_tells_across_which_line_it_was_held():
    async def main(ledger):
        service = Service()
        task = asyncio.create_task(service.work())
        await asyncio.sleep(0.01)
        ledger.sample(asyncio.get_running_loop().time())
        await task

    with LockLedger() as ledger:
        run_jumping(main(ledger))
    assert re.fullmatch(HERE + r"Service\.slow_call", there(ledger.holds[0].across))


def test_samples_of_a_long_hold_are_few():
    async def main(ledger):
        lock = asyncio.Lock()
        async with lock:
            (hold,) = ledger.holders_of(lock)
            looks = 0
            for tick in range(1, 10_000):
                now = hold.begin_s + tick
                looks += ledger.sample_due_s <= now
                ledger.sample(now)
            return looks

    with LockLedger() as ledger:
        assert run_jumping(main(ledger)) < 20


def test_the_holder_is_known_while_it_holds_and_gone_after():
    async def main(ledger):
        service = Service()
        task = asyncio.create_task(service.work(), name="worker")
        await asyncio.sleep(0)
        (hold,) = ledger.holders_of(service.lock)
        await task
        return hold.task_name, ledger.holders_of(service.lock)

    with LockLedger() as ledger:
        assert run_jumping(main(ledger)) == ("worker", ())


def test_all_holders_of_a_semaphore_are_known():
    async def main(ledger):
        service = Service()
        tasks = [asyncio.create_task(service.sit(), name=name) for name in ("a", "b", "c")]
        await asyncio.sleep(0)
        names = [hold.task_name for hold in ledger.holders_of(service.seats)]
        await asyncio.gather(*tasks)
        return names

    with LockLedger() as ledger:
        assert run_jumping(main(ledger)) == ["a", "b"]
    assert [hold.lock for hold in ledger.holds] == ["Service.seats"] * 3


def test_a_lock_in_a_dictionary_is_named_with_its_key():
    with LockLedger() as ledger:
        run_jumping(Service().serve("ann"))
    assert ledger.holds[0].lock == "Service.by_user['ann']"


def test_a_key_that_cannot_be_written_yet_is_named_by_its_class():
    class Halfway:
        def __repr__(self):
            raise AttributeError("not there yet")

    service, key = Service(), Halfway()
    with LockLedger() as ledger:
        service.by_user[key] = asyncio.Lock()
        run_jumping(service.serve(key))
    assert ledger.holds[0].lock == "Service.by_user[a Halfway]"


def test_a_condition_is_not_held_while_it_waits():
    async def main(ledger):
        service, lock = Service(), asyncio.Lock()
        service.changed = asyncio.Condition(lock)
        task = asyncio.create_task(service.watch(), name="watcher")
        await asyncio.sleep(0.01)
        waiting = ledger.holders_of(lock)
        async with service.changed:
            service.changed.notify()
        await task
        return waiting

    with LockLedger(hold_min_s=0.005) as ledger:
        assert run_jumping(main(ledger)) == ()
    (hold,) = ledger.holds
    assert (hold.lock, hold.task) == ("Service.changed", "watcher")


def test_a_hold_of_no_duration_is_not_recorded(monkeypatch):
    async def main():
        loop = asyncio.get_running_loop()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now)
        lock = asyncio.Lock()
        async with lock:
            await asyncio.sleep(0)

    with LockLedger() as ledger:
        run_jumping(main())
    assert ledger.holds == []


def test_a_hold_that_is_no_longer_than_the_least_is_not_recorded():
    async def main():
        service = Service()
        await asyncio.gather(service.work(), service.sit())
        async with service.lock:
            pass

    with LockLedger(hold_min_s=0.005) as ledger:
        run_jumping(main())
    assert sorted(hold.lock for hold in ledger.holds) == ["Service.lock", "Service.seats"]


def test_holds_beyond_the_bound_are_dropped():
    async def main():
        service = Service()
        await asyncio.gather(*(service.sit() for _ in range(6)))

    with LockLedger(holds_max=2) as ledger:
        run_jumping(main())
    assert len(ledger.holds) == 2


def test_a_hold_that_lasts_is_told_without_an_end():
    async def main(ledger):
        service = Service()
        task = asyncio.create_task(service.work())
        await asyncio.sleep(0.005)
        holds = ledger.all_holds(asyncio.get_running_loop().time())
        await task
        return holds

    with LockLedger() as ledger:
        (hold,) = run_jumping(main(ledger))
    assert hold.end_s is None
    assert hold.lock == "Service.lock"


def test_a_lock_released_by_another_task_has_no_holder():
    async def main(ledger):
        lock = asyncio.Lock()
        await asyncio.create_task(lock.acquire())
        lock.release()
        return ledger.holders_of(lock), lock.locked()

    with LockLedger() as ledger:
        assert run_jumping(main(ledger)) == ((), False)


def test_a_failed_or_cancelled_acquire_holds_nothing():
    async def main(ledger):
        lock = asyncio.Lock()
        async with lock:
            waiter = asyncio.create_task(lock.acquire())
            await asyncio.sleep(0)
            waiter.cancel()
            await asyncio.gather(waiter, return_exceptions=True)
        with pytest.raises(RuntimeError, match="not acquired"):
            lock.release()
        return ledger.holders_of(lock)

    with LockLedger() as ledger:
        assert run_jumping(main(ledger)) == ()


def test_asyncio_is_put_back_even_after_an_error():
    methods: list[object] = [asyncio.Lock.acquire, asyncio.Lock.release]
    methods += [asyncio.Semaphore.acquire, asyncio.Semaphore.release]
    ledger = LockLedger()
    with pytest.raises(KeyError, match="inside"), ledger:
        raise KeyError("inside" if active_ledger() is ledger else "not opened")
    assert active_ledger() is None
    assert methods == [
        asyncio.Lock.acquire,
        asyncio.Lock.release,
        asyncio.Semaphore.acquire,
        asyncio.Semaphore.release,
    ]


def test_a_second_ledger_at_once_is_refused():
    with LockLedger(), pytest.raises(HarnessBug, match="open already"), LockLedger():
        pass
    assert active_ledger() is None


def test_a_condition_made_inside_works_outside():
    async def make():
        return asyncio.Condition()

    with LockLedger():
        condition = run_jumping(make())

    async def use():
        async with condition:
            return condition.locked()

    assert run_jumping(use())


def test_locks_of_one_name_keep_their_numbers_when_others_are_gone():
    async def main():
        for _ in range(3):
            await Service().work()

    with LockLedger() as ledger:
        run_jumping(main())
    assert len({hold.number for hold in ledger.holds}) == 3
