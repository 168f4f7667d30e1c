"""A diagnosis says why a wait does not end: lost wake-ups, closed gates, who could act, nobody."""

from __future__ import annotations

import asyncio
import re

import pytest

from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.wait_graph import diagnose, render
from harness.simulated.simulation import simulate
from tests.harness.jumping_loop import run_jumping

HERE = r"tests/harness/diagnosis/test_wait_reasons\.py:\d+ in "


class Service:
    def __init__(self):
        self.ready = asyncio.Event()
        self.changed = asyncio.Condition()
        self.inbox = asyncio.Queue()
        self.outbox = asyncio.Queue(1)
        self.urgent = asyncio.PriorityQueue()
        self.gate = asyncio.Barrier(3)
        self.answer = None

    async def wait_ready(self):
        await self.ready.wait()

    async def wait_changed(self):
        async with self.changed:
            await self.changed.wait()

    async def wait_for_changed(self):
        async with self.changed:
            await self.changed.wait_for(lambda: False)

    async def notify(self):
        async with self.changed:
            self.changed.notify()

    async def pulse(self):
        await asyncio.sleep(0.3)
        self.ready.set()
        self.ready.clear()


def stuck(body):
    """Run a body to where nothing can happen; return what its waits are, and why, by task."""

    async def main():
        await body(Service())

    outcome = simulate(main, seed=1)
    assert outcome.diagnosis is not None
    return {one.task: one for one in outcome.diagnosis.blocked}


def test_an_event_that_was_set_and_cleared_before_is_a_lost_wake_up():
    async def body(service):
        await service.pulse()
        await asyncio.sleep(0.2)
        await asyncio.create_task(service.wait_ready(), name="late")

    reason = stuck(body)["late"].reason
    assert re.match(
        rf"lost wake-up: `Service\.ready\.set\(\)` at {HERE}Service\.pulse at 0\.300 s,"
        rf" undone by clear\(\) at {HERE}Service\.pulse, came before late's wait at 0\.500 s",
        reason,
    )


class Gate:
    """Stands open from its making."""

    def __init__(self):
        self.is_open = asyncio.Event()
        self.is_open.set()

    def close(self):
        self.is_open.clear()

    async def enter(self):
        await self.is_open.wait()


def test_a_gate_that_was_closed_is_told_with_who_closed_it_and_is_no_lost_wake_up():
    async def body(service):
        gate = Gate()

        async def close():
            await asyncio.sleep(1)
            gate.close()

        closer = asyncio.create_task(close(), name="closer")
        await gate.enter()
        await closer
        await asyncio.create_task(gate.enter(), name="late")

    assert re.fullmatch(
        rf"it was cleared at {HERE}Gate\.close by closer at 1\.000 s, and not set since;"
        r" nobody left can set it",
        stuck(body)["late"].reason,
    )


def test_a_state_that_begins_set_was_not_lost_to_who_clears_it_for_a_round():
    async def body(service):
        gate = Gate()

        async def run_round():
            gate.close()
            await asyncio.sleep(1)
            await gate.enter()

        await asyncio.create_task(run_round(), name="round")

    reason = stuck(body)["round"].reason
    assert re.match(
        rf"it was cleared at {HERE}Gate\.close by round itself at 0\.000 s, and not set", reason
    )


@pytest.mark.parametrize("passes", [False, True], ids=["nobody took it", "somebody passed"])
def test_a_set_that_was_undone_is_named_only_if_nobody_had_taken_it(passes):
    async def body(service):
        async def signal():
            service.ready.set()

        async def reset():
            if passes:
                await service.ready.wait()
            await asyncio.sleep(1)
            service.ready.clear()

        await asyncio.create_task(signal(), name="signal")
        await asyncio.create_task(reset(), name="reset")
        await asyncio.create_task(service.wait_ready(), name="late")

    undid = "" if passes else rf", which undid set\(\) at {HERE}\S+signal by signal at 0\.000 s"
    assert re.match(
        rf"it was cleared at {HERE}\S+reset by reset at 1\.000 s{undid}, and not set since",
        stuck(body)["late"].reason,
    )


def test_a_pulse_that_woke_somebody_else_is_told_with_how_many_it_woke():
    async def body(service):
        first = asyncio.create_task(service.wait_ready())
        await service.pulse()
        await first
        await asyncio.create_task(service.wait_ready(), name="late")

    assert re.match(
        rf"it was cleared at {HERE}Service\.pulse by task-1 at 0\.300 s, just after set\(\) at"
        rf" {HERE}Service\.pulse woke 1, and not set since",
        stuck(body)["late"].reason,
    )


def test_an_event_that_nobody_ever_set_is_no_lost_wake_up():
    async def body(service):
        await asyncio.create_task(service.wait_ready(), name="late")

    assert stuck(body)["late"].reason == "nobody left can set it"


def test_a_notify_that_found_nobody_is_a_lost_wake_up():
    async def body(service):
        await service.notify()
        await asyncio.sleep(1)
        await asyncio.create_task(service.wait_changed(), name="late")

    one = stuck(body)["late"]
    assert one.waits_for == "Condition.wait Service.changed"
    assert re.match(
        rf"lost wake-up: `Service\.changed\.notify\(\)` at {HERE}Service\.notify at 0\.000 s came"
        r" before late's wait at 1\.000 s",
        one.reason,
    )


def test_a_notify_that_woke_somebody_else_was_not_lost():
    async def body(service):
        first = asyncio.create_task(service.wait_changed())
        await asyncio.sleep(1)
        await service.notify()
        await first
        await asyncio.create_task(service.wait_changed(), name="late")

    assert stuck(body)["late"].reason == "nobody left can notify it"


def test_a_notify_that_woke_one_of_many_is_told_to_the_others():
    async def body(service):
        tasks = [asyncio.create_task(service.wait_changed(), name=name) for name in ("a", "b")]
        await asyncio.sleep(1)
        await service.notify()
        await asyncio.gather(*tasks)

    assert re.match(
        rf"lost wake-up: `Service\.changed\.notify\(\)` at {HERE}Service\.notify at 1\.000 s"
        r" woke 1 of 2 that waited",
        stuck(body)["b"].reason,
    )


def test_who_looks_at_a_predicate_first_lost_nothing():
    async def body(service):
        await service.notify()
        await asyncio.create_task(service.wait_for_changed(), name="late")

    assert stuck(body)["late"].reason == "nobody left can notify it"


def test_who_looks_in_a_loop_under_the_lock_lost_nothing():
    async def body(service):
        async def take():
            async with service.changed:
                while service.answer is None:
                    await service.changed.wait()

        await service.notify()
        await asyncio.create_task(take(), name="late")

    assert stuck(body)["late"].reason == "nobody left can notify it"


def test_who_waits_in_a_loop_around_the_lock_may_have_lost_something():
    async def body(service):
        async def take():
            while service.answer is None:
                async with service.changed:
                    await service.changed.wait()

        await service.notify()
        await asyncio.create_task(take(), name="late")

    assert stuck(body)["late"].reason.startswith("lost wake-up: `service.changed.notify()`")


def test_items_that_were_taken_and_never_done_are_counted():
    async def body(service):
        for item in range(3):
            service.inbox.put_nowait(item)
        service.inbox.get_nowait()
        service.inbox.get_nowait()
        service.inbox.task_done()
        await asyncio.create_task(service.inbox.join(), name="joiner")

    reason = stuck(body)["joiner"].reason
    assert reason.startswith("1 taken without a task_done(), 1 left in it")


@pytest.mark.parametrize(
    ("start", "waits_for", "reason"),
    [
        (lambda s: s.inbox.get(), "Queue.get", "it is empty; nobody left can put into it"),
        (lambda s: s.urgent.get(), "PriorityQueue.get", "it is empty; nobody left can"),
        (lambda s: s.gate.wait(), "Barrier.wait", "1 of 3 have come; nobody left can come"),
    ],
    ids=["queue", "priority queue", "barrier"],
)
def test_each_primitive_is_told_with_its_state(start, waits_for, reason):
    async def body(service):
        async def use():
            await start(service)

        await asyncio.create_task(use(), name="user")

    one = stuck(body)["user"]
    assert one.waits_for.startswith(waits_for)
    assert one.reason.startswith(reason)


def test_a_full_queue_is_told_with_what_lies_in_it():
    async def body(service):
        async def fill():
            while True:
                await service.outbox.put(1)

        await asyncio.create_task(fill(), name="filler")

    assert stuck(body)["filler"].reason == "it is full, with 1; nobody left can take from it"


def test_a_future_that_only_its_waiter_holds_is_told_so():
    async def body(service):
        del service

        async def ask():
            await asyncio.get_running_loop().create_future()

        await asyncio.create_task(ask(), name="asker")

    told = "nobody but its waiter holds it, so nobody can resolve it"
    assert stuck(body)["asker"].reason == told


def test_a_future_that_lies_elsewhere_is_not_said_to_be_lost():
    async def body(service):
        async def ask():
            service.answer = asyncio.get_running_loop().create_future()
            await service.answer

        await asyncio.create_task(ask(), name="asker")

    assert stuck(body)["asker"].reason == "nobody left can resolve it"


def test_a_task_that_could_act_but_is_stuck_itself_is_named():
    async def body(service):
        async def other():
            await service.inbox.get()
            service.ready.set()

        async def waiter():
            await service.ready.wait()

        await asyncio.gather(
            asyncio.create_task(other(), name="other"), asyncio.create_task(waiter(), name="waiter")
        )

    told = "only other could set it, and is stuck as well"
    assert stuck(body)["waiter"].reason == told


def test_a_running_task_that_could_act_is_named_on_any_loop():
    async def main():
        service = Service()

        async def setter():
            await asyncio.sleep(0.05)
            service.ready.set()

        async def waiter():
            await service.ready.wait()

        tasks = [
            asyncio.create_task(setter(), name="setter"),
            asyncio.create_task(waiter(), name="waiter"),
        ]
        await asyncio.sleep(0.01)
        found = diagnose()
        await asyncio.gather(*tasks)
        return found

    with LockLedger():
        diagnosis = run_jumping(main())
    reasons = {one.task: one.reason for one in diagnosis.blocked}
    assert reasons == {"setter": None, "waiter": "setter could set it"}
    assert "setter could set it" in render(diagnosis)


def test_asyncio_is_put_back():
    owners: list[object] = [asyncio.Event.set, asyncio.Event.clear, asyncio.Event.wait]
    owners += [asyncio.Condition.notify, asyncio.Condition.wait]
    with LockLedger():
        assert asyncio.Event.set is not owners[0]
    assert owners == [
        asyncio.Event.set,
        asyncio.Event.clear,
        asyncio.Event.wait,
        asyncio.Condition.notify,
        asyncio.Condition.wait,
    ]
