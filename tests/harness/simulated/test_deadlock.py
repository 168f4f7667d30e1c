"""A deadlock is found at once, exactly, and described so that it can be mended."""

from __future__ import annotations

import asyncio
import re

import pytest
import simpy

from harness.errors import Deadlock
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.simulation import run, simulate
from tests.there import there

HERE = r"tests/harness/simulated/test_deadlock\.py:\d+ in "


class Bank:
    def __init__(self):
        self.accounts = {"ann": asyncio.Lock(), "bob": asyncio.Lock()}
        self._ledger = asyncio.Lock()
        self._ready = asyncio.Event()
        self._inbox = asyncio.Queue()
        self._seats = asyncio.Semaphore(1)
        self._changed = asyncio.Condition()
        self._answer = None

    async def transfer(self, source, target):
        async with self.accounts[source]:
            await asyncio.sleep(1)
            async with self.accounts[target]:
                pass

    async def audit(self):
        async with self._ledger:
            await self.audit_again()

    async def audit_again(self):
        async with self._ledger:
            pass

    async def wait_ready(self):
        await self._ready.wait()

    async def take(self):
        return await self._inbox.get()

    async def sit(self):
        async with self._seats:
            await self.stand()

    async def stand(self):
        await self._seats.acquire()

    async def watch(self):
        async with self._changed:
            await self._changed.wait()

    async def ask(self):
        self._answer = asyncio.get_running_loop().create_future()
        await self._answer


def text_of(main):
    with pytest.raises(Deadlock) as caught:
        run(main, seed=1)
    return str(caught.value)


def stuck(main):
    outcome = simulate(main, seed=1)
    assert outcome.pause is Pause.STUCK
    diagnosis = there(outcome.diagnosis)
    assert diagnosis.exact
    return diagnosis


async def cross():
    bank = Bank()
    async with asyncio.TaskGroup() as group:
        group.create_task(bank.transfer("ann", "bob"), name="there")
        group.create_task(bank.transfer("bob", "ann"), name="back")


def test_crossed_locks_name_locks_holders_lines_and_the_cycle():
    text = text_of(cross)
    for line in (
        r"seed 1: nothing is ready and nothing is scheduled, and main\(\) has not ended",
        r"there waits for Lock Bank\.accounts\['bob'\] at " + HERE + r"Bank\.transfer",
        r"held by back at " + HERE + r"Bank\.transfer",
        r"back waits for Lock Bank\.accounts\['ann'\] at " + HERE + r"Bank\.transfer",
        r"cycle: there -> back -> there",
    ):
        assert re.search(line, text), text


def test_crossed_locks_are_found_at_the_moment_they_close():
    diagnosis = stuck(cross)
    assert diagnosis.at_s == 1.0
    assert diagnosis.cycle == ("there", "back")
    assert [one.task for one in diagnosis.blocked] == ["task-1", "there", "back"]


def test_a_task_that_waits_for_its_own_lock_is_a_cycle_of_one():
    diagnosis = stuck(lambda: Bank().audit())
    (blocked,) = diagnosis.blocked
    assert diagnosis.cycle == ("task-1",)
    assert blocked.waits_for == "Lock Bank._ledger"
    assert re.fullmatch(HERE + r"Bank\.audit_again", blocked.where)
    assert re.fullmatch("task-1 at " + HERE + r"Bank\.audit", blocked.holders[0])


def test_a_task_that_takes_its_own_last_seat_is_a_cycle_of_one():
    diagnosis = stuck(lambda: Bank().sit())
    assert diagnosis.cycle == ("task-1",)
    assert diagnosis.blocked[0].waits_for == "Semaphore Bank._seats"


@pytest.mark.parametrize(
    ("method", "waits_for"),
    [
        ("wait_ready", "Event.wait Bank._ready"),
        ("take", "Queue.get Bank._inbox"),
        ("watch", "Condition.wait Bank._changed"),
        ("ask", "Future Bank._answer"),
    ],
)
def test_what_nobody_will_do_is_named(method, waits_for):
    async def main():
        await getattr(Bank(), method)()

    diagnosis = stuck(main)
    (blocked,) = diagnosis.blocked
    assert blocked.waits_for == waits_for
    assert blocked.where.endswith(f"Bank.{method}")
    assert blocked.holders == ()
    assert diagnosis.cycle == ()


def test_a_lost_wake_up_is_told_as_a_wait_for_the_event():
    async def main():
        ready = asyncio.Event()

        async def announce():
            ready.set()
            ready.clear()

        async def wait():
            await asyncio.sleep(1)
            await ready.wait()

        await asyncio.gather(announce(), wait())

    diagnosis = stuck(main)
    assert [one.waits_for for one in diagnosis.blocked] == [
        "all of 2 gathered",
        "Event.wait ready (of test_a_lost_wake_up_is_told_as_a_wait_for_the_event."
        "<locals>.main.<locals>.wait)",
    ]
    assert diagnosis.blocked[0].holders[0].startswith("task-3 at ")


def test_tasks_that_await_each_other_are_a_cycle():
    async def main():
        tasks = []

        async def wait_for(index):
            await asyncio.sleep(0)
            await tasks[index]

        tasks += [asyncio.create_task(wait_for(1)), asyncio.create_task(wait_for(0))]
        await asyncio.wait(tasks)

    diagnosis = stuck(main)
    assert diagnosis.cycle == ("task-2", "task-3")
    assert diagnosis.blocked[1].waits_for == "task task-3"


def test_a_wait_for_a_simpy_event_is_named():
    async def main():
        loop = running_virtual_loop()
        cores = simpy.Resource(loop.environment, capacity=1)
        cores.request()
        await loop.future_of(cores.request())

    assert stuck(main).blocked[0].waits_for == "SimPy event Request"


def test_a_wait_behind_shield_and_wait_for_is_followed():
    async def main():
        bank = Bank()
        inner = asyncio.create_task(bank.take())
        await asyncio.shield(inner)

    diagnosis = stuck(main)
    assert diagnosis.blocked[0].waits_for == "shielded task-2"
    assert diagnosis.blocked[1].waits_for == "Queue.get Bank._inbox"


def test_the_time_limit_ends_a_run_with_an_inexact_diagnosis():
    async def main():
        asyncio.create_task(asyncio.sleep(1e9), name="sleeper")  # noqa: RUF006 - ended with main
        await Bank().wait_ready()

    outcome = simulate(main, seed=1, time_limit_s=60)
    assert outcome.pause is Pause.TIME_LIMIT
    assert outcome.virtual_s == 60.0
    diagnosis = there(outcome.diagnosis)
    assert not diagnosis.exact
    assert [one.waits_for for one in diagnosis.blocked] == [
        "Event.wait Bank._ready",
        "sleep(1000000000.0)",
    ]


def test_after_a_deadlock_what_is_left_is_cancelled_and_cleans_up():
    cleaned = []

    async def main():
        try:
            await Bank().wait_ready()
        finally:
            await asyncio.sleep(5)
            cleaned.append(True)

    outcome = simulate(main, seed=1)
    assert cleaned == [True]
    assert outcome.virtual_s == 0.0
    assert outcome.unhandled == ()


def test_a_task_that_will_not_be_cancelled_does_not_hang_the_end():
    async def main():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    outcome = simulate(main, seed=1)
    assert outcome.pause is Pause.STUCK
    assert outcome.unhandled == ("task-1 did not end when it was cancelled",)


def test_many_sound_users_of_two_locks_are_not_accused():
    async def main():
        bank = Bank()
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(bank.transfer("ann", "bob"))

    outcome = simulate(main, seed=1)
    assert outcome.diagnosis is None
    assert outcome.error is None
