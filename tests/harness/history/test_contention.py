"""The contention profile: who held, who waited, what it explains; and what the ledger gives it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.diagnosis.lock_ledger import LockLedger
from harness.history.contention import contention, culprit, loss
from harness.history.records import (
    Command,
    History,
    LockHold,
    LockWait,
    Measurement,
    NodeKind,
    Operation,
    Outcome,
    Pacing,
)
from harness.simulated.simulation import simulate
from tests.harness.jumping_loop import run_jumping
from tests.there import there


def hold(begin_s, end_s, lock="Serve._lock", **others):
    fields = {"task": "t", "where": "s.py:1 in f", "held_await": "`await x()` at s.py:2"}
    return LockHold(lock=lock, begin_s=begin_s, end_s=end_s, **(fields | others))


def wait(begin_s, end_s, lock="Serve._lock", **others):
    return LockWait(
        lock=lock, begin_s=begin_s, end_s=end_s, **({"task": "w", "where": "s.py:1 in f"} | others)
    )


def history(*, holds=(), waits=(), **others):
    return History(
        node=NodeKind.SIMULATED, lock_holds=tuple(holds), lock_waits=tuple(waits), end_s=100.0,
        **others,
    )  # fmt: skip


def timings(sequential_s, together_s, *, succeeded=2, begin_s=10.0):
    fields = {"phase": "p", "round": 0, "succeeded": succeeded, "failed": 0, "begin_s": begin_s}
    return [
        Measurement(pacing=Pacing.SEQUENTIAL, duration_s=sequential_s, **fields),
        Measurement(pacing=Pacing.TOGETHER, duration_s=together_s, **fields),
    ]


def test_times_of_overlapping_waits_are_added_up_and_joined():
    found = history(
        holds=[hold(0, 4), hold(4, 6)],
        waits=[wait(1, 4, task="a"), wait(2, 6, task="b"), wait(8, 9, task="c")],
    )
    (one,) = contention(found)
    assert (one.held_s, one.hold_count) == (6, 2)
    assert (one.wait_count, one.waited_s, one.blocked_s) == (3, 8, 5)
    assert one.waiters == ("a", "b", "c")


def test_two_locks_of_one_name_are_told_apart():
    found = history(holds=[hold(0, 4, number=1), hold(0, 1, number=2)], waits=[wait(0, 4)])
    assert [(one.number, one.blocked_s) for one in contention(found)] == [(1, 0), (2, 0)]


def test_only_the_stretch_that_was_asked_for_counts():
    found = history(holds=[hold(0, 8)], waits=[wait(1, None)])
    (one,) = contention(found, within=(2, 5))
    assert (one.held_s, one.blocked_s) == (3, 3)
    assert contention(found, within=(8, 9)) == ()


def test_the_await_of_the_longest_holds_is_named():
    short = hold(0, 1, held_await="`await short()` at s.py:3")
    (one,) = contention(history(holds=[short, hold(1, 5)]))
    assert one.held_await == "`await x()` at s.py:2"


def test_the_loss_is_what_lies_over_the_nth_part():
    found = there(loss(timings(8.0, 5.0, succeeded=4)))
    assert (found.ideal_s, found.lost_s) == (2.0, 3.0)


def test_the_culprit_is_told_with_its_await_and_its_share():
    found = history(holds=[hold(10, 14)], waits=[wait(10, 11.5), wait(90, 95)])
    told = culprit(found, timings(4.0, 4.0))
    assert told == (
        "Serve._lock was held for 4.000 s of 4.000 s, across `await x()` at s.py:2;"
        " it explains 75 % of the loss (2.000 s over the ideal 2.000 s)"
    )


def test_a_lock_for_which_nobody_waited_explains_nothing():
    assert culprit(history(holds=[hold(10, 14)]), timings(4.0, 4.0)) is None


def test_a_share_is_never_more_than_all():
    found = history(holds=[hold(10, 14)], waits=[wait(10, 14)])
    assert "explains 100 %" in there(culprit(found, timings(4.0, 4.0)))


def test_without_loss_there_is_no_culprit():
    found = history(holds=[hold(10, 14)], waits=[wait(10, 14)])
    assert culprit(found, timings(4.0, 2.0)) is None


@pytest.mark.parametrize(("apart", "named"), [(True, True), (False, False)])
def test_one_task_that_gave_every_command_in_turn_is_named(apart, named):
    def command(begin_s, end_s):
        return Command(
            client=0, key={}, name="sync", task="worker", begin_s=begin_s, end_s=end_s,
            outcome=Outcome.RETURNED,
        )  # fmt: skip

    def operation(number, user):
        return Operation(
            number=number, step="s", call="c", user=user, phase="p", task=user, begin_s=10.0,
            end_s=14.0, outcome=Outcome.RETURNED,
        )  # fmt: skip

    found = history(
        commands=(command(10.0, 12.0), command(12.0 if apart else 11.0, 14.0)),
        operations=(operation(0, "a"), operation(1, "b")),
    )
    told = culprit(found, timings(4.0, 4.0))
    assert (told is not None and "one task, worker, gave all 2 commands" in told) is named


class Desk:
    def __init__(self):
        self._lock = asyncio.Lock()

    async def slow(self, for_s):
        await asyncio.sleep(for_s)

    async def serve(self):
        async with self._lock:
            await self.slow(
                0.01,
            )


def test_the_ledger_tells_who_waited_for_what_and_the_text_of_the_await():
    async def main(ledger):
        desk = Desk()
        tasks = [asyncio.create_task(desk.serve(), name=name) for name in ("first", "second")]
        await asyncio.sleep(0.005)
        loop = asyncio.get_running_loop()
        ledger.sample(loop.time())
        (pending,) = ledger.all_waits(loop.time())
        await asyncio.gather(*tasks)
        return pending

    with LockLedger() as ledger:
        pending = run_jumping(main(ledger))
    (wait,) = ledger.waits
    first, second = ledger.holds
    assert (pending.task, pending.end_s) == ("second", None)
    assert (wait.lock, wait.task, wait.number) == ("Desk._lock", "second", first.number)
    assert wait.end_s == second.begin_s
    assert re.fullmatch(
        r"`await self.slow\(0.01,\)` at tests/harness/history/test_contention\.py:\d+",
        there(first.held_await),
    )
    assert (first.kind, first.permits) == ("Lock", 1)


class Archive:
    def __init__(self):
        self._pool = ThreadPoolExecutor(1)

    def _write(self):
        return None

    async def store(self):
        await asyncio.get_running_loop().run_in_executor(self._pool, self._write)


def test_an_executor_with_one_worker_is_told_like_a_lock():
    async def main():
        archive = Archive()
        tasks = [asyncio.create_task(archive.store(), name=name) for name in ("a", "b")]
        await asyncio.gather(*tasks)

    ran = simulate(main, seed=1)
    first, second = ran.lock_holds
    (wait,) = ran.lock_waits
    assert (first.lock, first.kind, wait.task) == ("Archive._pool", "executor", "b")
    assert (wait.begin_s, wait.end_s) == (0.0, first.end_s)
    assert second.begin_s == first.end_s
    assert re.fullmatch(
        r"`Archive\._write` on its one worker, called at"
        r" tests/harness/history/test_contention\.py:\d+ in Archive\.store",
        there(first.held_await),
    )


def test_permits_of_a_semaphore_are_counted():
    async def main():
        seats = asyncio.Semaphore(3)
        async with seats, seats:
            await asyncio.sleep(0.002)

    with LockLedger() as ledger:
        run_jumping(main())
    assert {one.permits for one in ledger.holds} == {3}
