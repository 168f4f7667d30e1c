"""Claims: desks in their making are not read; marks of owners share transactions, and only those.

Several processes may open a fresh table at once; each finds or makes its schema.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness import explore
from harness.simulated.simulation import simulate
from serve import Synchronous, owner_identifier
from serve.domain.address import AccountId, Network, encode_address
from serve.errors import DuplicateRecord, ServeClosed, StoreFailed
from serve.points import hooked
from serve.store.sqlite_files import Databases
from serve.store.top_store import SCHEMA, TopStore
from tests.serve.desks.planted_desk import desk_record

if TYPE_CHECKING:
    from serve.domain.records import DeskRecord

MARK = "sql.top.mark_open"


def record(number: int, *, owner: int | None = None, state: str = "active") -> DeskRecord:
    desk = AccountId(bytes([number]) + bytes(6) + b"\x11" + bytes(7))
    return desk_record(
        desk_account=encode_address(desk, Network.LOCALNET),
        owner_identifier=owner_identifier(bytes([owner or number]) * 32),
        network="Localnet",
        state=state,
    )


def sorted_by_account(*records: DeskRecord) -> tuple[DeskRecord, ...]:
    return tuple(sorted(records, key=lambda one: one.desk_account))


class Hook:
    """Counts the transactions of marks, and lets those of the given numbers fail."""

    def __init__(self, *failing: int) -> None:
        self.failing = failing
        self.transactions = 0

    async def arrive(self, name, key):
        pass

    def failure(self, name, key):
        if name != f"{MARK}.execute":
            return None
        self.transactions += 1
        if self.transactions in self.failing:
            return sqlite3.OperationalError(f"transaction {self.transactions} broke")
        return None


@pytest.fixture
async def top(tmp_path):
    databases = Databases(synchronous=Synchronous.OFF)
    yield TopStore(tmp_path, databases)
    await databases.close()


def test_independent_openers_of_a_fresh_desk_table_all_write(tmp_path):
    async def plant(number: int) -> None:
        async with TopStore.opened(tmp_path) as desks:
            await desks.insert_desk(record(number))

    async def main() -> int:
        await asyncio.gather(*(plant(number) for number in range(16)))
        async with TopStore.opened(tmp_path) as desks:
            return len(await desks.list_desks())

    assert asyncio.run(main()) == 16


async def test_a_desk_in_its_making_is_read_by_nobody_until_it_is_complete(top):
    made, begun = record(1, owner=7), record(2, owner=7, state="creating")
    await top.insert_desk(made)
    await top.insert_desk(begun)
    assert await top.list_desks() == (made,)
    assert await top.list_desks_of(made.owner_identifier) == (made,)
    assert await top.find_desk(begun.desk_account) is None
    assert await top.list_creating() == (begun,)
    await top.settle_desk(begun.desk_account, complete=True)
    both = sorted_by_account(made, replace(begun, state="active"))
    assert await top.list_desks() == both
    assert await top.list_desks_of(made.owner_identifier) == both
    assert await top.find_desk(begun.desk_account) == replace(begun, state="active")
    assert await top.list_creating() == ()


async def test_a_desk_that_is_not_to_be_leaves_no_row(top):
    begun = record(2, state="creating")
    await top.insert_desk(begun)
    with pytest.raises(DuplicateRecord, match="has a row already"):
        await top.insert_desk(replace(begun, state="active"))
    await top.settle_desk(begun.desk_account, complete=False)
    assert await top.list_creating() == ()
    await top.insert_desk(begun)
    assert await top.list_creating() == (begun,)


@pytest.mark.parametrize("complete", [True, False])
async def test_an_active_desk_is_not_settled_again(top, complete):
    made = record(1)
    await top.insert_desk(made)
    await top.settle_desk(made.desk_account, complete=complete)
    await top.settle_desk(record(9).desk_account, complete=complete)
    assert await top.list_desks() == (made,)


async def test_a_row_is_in_one_of_two_states(top):
    with pytest.raises(DuplicateRecord):
        await top.insert_desk(record(1, state="half"))
    assert await top.list_desks() == await top.list_creating() == ()


async def test_marks_are_kept_until_they_are_removed(top, tmp_path):
    assert await top.list_open() == ()
    assert list(tmp_path.iterdir()) == []
    for owner, network in (("b", "Testnet"), ("a", "Testnet"), ("a", "Localnet"), ("a", "Testnet")):
        await top.mark_open(owner, network)
    assert await top.list_open() == (("a", "Localnet"), ("a", "Testnet"), ("b", "Testnet"))
    await top.unmark_open([("a", "Testnet"), ("b", "Testnet"), ("c", "Testnet")])
    assert await top.list_open() == (("a", "Localnet"),)
    await top.unmark_open([])
    async with TopStore.opened(tmp_path) as later:
        assert await later.list_open() == (("a", "Localnet"),)


@pytest.mark.parametrize("count", [1, 2, 50])
async def test_marks_that_come_at_once_take_two_transactions_at_most(top, count):
    hook = Hook()
    with hooked(hook):
        await asyncio.gather(*(top.mark_open(f"{number:02}", "Testnet") for number in range(count)))
    assert hook.transactions == min(count, 2)
    assert len(await top.list_open()) == count


async def test_an_error_reaches_those_who_shared_the_transaction_and_nobody_else(top):
    owners = ["first", "x", "y", "z"]
    with hooked(Hook(2)):
        answers = await asyncio.gather(
            *(top.mark_open(owner, "Testnet") for owner in owners), return_exceptions=True
        )
        assert answers[0] is None
        for answer in answers[1:]:
            assert isinstance(answer, StoreFailed)
            assert "transaction 2 broke" in str(answer)
        assert await top.list_open() == (("first", "Testnet"),)
        await asyncio.gather(*(top.mark_open(owner, "Testnet") for owner in owners[2:]))
    assert [owner for owner, _ in await top.list_open()] == ["first", "y", "z"]


@pytest.mark.parametrize("cancelled", range(4))
async def test_a_cancelled_caller_harms_nobody(top, cancelled):
    # The first begins a transaction of its own, the second the one that the others share.
    tasks = [asyncio.create_task(top.mark_open(f"{number}", "Testnet")) for number in range(4)]
    await asyncio.sleep(0)
    tasks[cancelled].cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [number == cancelled for number in range(4)]
    marked = {int(owner) for owner, _ in await top.list_open()}
    assert marked >= set(range(4)) - {cancelled}
    await top.mark_open("later", "Testnet")
    assert ("later", "Testnet") in await top.list_open()


@pytest.mark.parametrize("cancelled", [1, 2, 3])
async def test_who_is_cancelled_while_a_shared_transaction_is_written_harms_nobody(
    tmp_path, cancelled
):
    databases = Databases(synchronous=Synchronous.OFF)
    top, free = TopStore(tmp_path, databases), threading.Event()
    hook = Hook()
    with hooked(hook):
        tasks = [asyncio.create_task(top.mark_open(f"{number}", "Testnet")) for number in range(4)]
        await asyncio.sleep(0)
        # Between the two transactions the file is kept busy.
        parked = databases.database(tmp_path / "mosaic_top.sqlite3", SCHEMA).write(
            lambda _: free.wait(60)
        )
        while hook.transactions < 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        tasks[cancelled].cancel()
        await asyncio.wait((tasks[cancelled],))
        free.set()
        assert await parked
        await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [number == cancelled for number in range(4)]
    assert len(await top.list_open()) == 4
    await databases.close()


async def test_a_closed_store_takes_no_marks(tmp_path):
    databases = Databases(synchronous=Synchronous.OFF)
    top = TopStore(tmp_path, databases)
    first = asyncio.gather(
        *(top.mark_open(f"{number}", "Testnet") for number in range(3)), return_exceptions=True
    )
    await asyncio.sleep(0)
    await databases.close()
    answers = await first
    # What was being written when the closing began is written, the rest told of it.
    assert answers[0] is None
    assert [type(one) for one in answers[1:]] == [ServeClosed] * 2
    with pytest.raises(ServeClosed):
        await top.mark_open("later", "Testnet")


async def come_and_go(path, choices, *, count):
    """Let callers come, and some be cancelled, at any moment; every third transaction breaks."""
    databases = Databases(synchronous=Synchronous.OFF)
    top, hook = TopStore(path, databases), Hook(*range(2, 1_000, 3))

    async def caller(owner):
        await asyncio.sleep(choices.uniform(0, 0.02))
        try:
            await top.mark_open(owner, "Testnet")
        except StoreFailed:
            # A transaction that breaks leaves none of its marks.
            assert (owner, "Testnet") not in await top.list_open()
        else:
            assert (owner, "Testnet") in await top.list_open()

    with hooked(hook):
        tasks = [asyncio.create_task(caller(f"{number}")) for number in range(count)]
        gone = choices.sample(tasks, count // 4)
        for task in gone:
            asyncio.get_running_loop().call_later(choices.uniform(0, 0.03), task.cancel)
        await asyncio.wait(tasks)
    for task in tasks:
        if task.cancelled():
            assert task in gone
        else:
            task.result()
    await databases.close()
    return hook.transactions


@pytest.mark.parametrize("seed", range(15))
def test_whoever_is_told_that_the_mark_is_written_finds_it(tmp_path, seed):
    outcome = simulate(lambda: come_and_go(tmp_path, random.Random(seed), count=60), seed=seed)
    assert outcome.error is None, repr(outcome.error)
    assert 3 <= outcome.value < 45


def test_the_same_in_any_order_of_events(tmp_path):
    runs = itertools.count()

    async def main():
        path = tmp_path / str(next(runs))
        path.mkdir()
        await come_and_go(path, random.Random(1), count=12)

    explore(main, runs=150, adversarial=True)
