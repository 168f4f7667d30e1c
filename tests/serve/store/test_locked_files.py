"""Claims: a file that another program has locked delays nobody but those who want that file.

Most runs are on the virtual loop, where seconds pass at once. Another connection holds the locks.
"""

import asyncio
import gc
import sqlite3
from contextlib import ExitStack, contextmanager

import pytest

from harness.simulated.simulation import simulate
from serve import Network, Synchronous
from serve.domain.address import Owner
from serve.errors import ServeClosed, StoreFailed
from serve.store.sqlite_files import Database, Databases
from serve.store.user_store import UserStore
from tests.serve.store.numbers_file import SCHEMA, insert, select


def opened(**arguments):
    return Databases(synchronous=Synchronous.OFF, **arguments)


def make_file(path):
    """Make a file with the tables and no rows."""

    async def main():
        databases = opened()
        await databases.database(path, SCHEMA).write(lambda _: None)
        await databases.close()

    asyncio.run(main())
    return path


@contextmanager
def another(path, *statements):
    """Open a file as another program does, and leave it as the statements leave it."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
        yield connection
    finally:
        connection.close()


def in_virtual_time(main):
    outcome = simulate(main, seed=5)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.diagnosis is None, outcome.diagnosis
    return outcome.value


WRITE_LOCK = ("BEGIN IMMEDIATE",)
# No other connection reads a file in this mode.
READ_LOCK = ("PRAGMA locking_mode=EXCLUSIVE", "BEGIN IMMEDIATE", "INSERT INTO numbers VALUES (7)")


@pytest.mark.parametrize("count", [8, 20])
@pytest.mark.parametrize(
    ("lock", "is_read"), [(WRITE_LOCK, False), (READ_LOCK, True)], ids=["writes", "reads"]
)
def test_locked_files_hold_no_thread_and_delay_no_other_file(tmp_path, count, lock, is_read):
    free = make_file(tmp_path / "free.sqlite3")
    locked = [make_file(tmp_path / f"{number}.sqlite3") for number in range(count)]

    async def main():
        databases = opened(workers=8)
        files = [databases.database(path, SCHEMA) for path in locked]
        jobs = [one.read(select, absent=[]) if is_read else one.write(insert(1)) for one in files]
        for number in range(10):
            await databases.database(free, SCHEMA).write(insert(number))
        listed = await databases.database(free, SCHEMA).read(select, absent=[])
        ended = [job for job in jobs if job.done()]
        holders.close()
        await asyncio.gather(*jobs)
        await databases.close()
        return listed, ended

    # In real time: what would take the threads from the others is SQLite itself.
    with ExitStack() as holders:
        for path in locked:
            holders.enter_context(another(path, *lock))
        listed, ended = asyncio.run(main())
    assert listed == list(range(10))
    assert ended == []


def test_a_job_is_done_once_the_lock_is_released(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        job = database.write(insert(1))
        await asyncio.sleep(4.5)
        assert not job.done()
        holder.execute("ROLLBACK")
        await job
        done_s = asyncio.get_running_loop().time()
        found = await database.read(select, absent=[])
        await databases.close()
        return done_s, found

    with another(path, *WRITE_LOCK) as holder:
        done_s, found = in_virtual_time(main)
    assert found == [1]
    # The longest pause between two tries is 100 ms.
    assert 4.5 < done_s < 4.7


def test_a_job_fails_when_the_file_was_locked_for_five_seconds_and_the_next_one_is_tried(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        loop = asyncio.get_running_loop()
        first, second = database.write(insert(1)), database.write(insert(2))
        with pytest.raises(StoreFailed, match=r"x\.sqlite3: database is locked") as caught:
            await first
        assert 5 < loop.time() < 5.2
        assert type(caught.value) is StoreFailed
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert not second.done()
        holder.execute("ROLLBACK")
        await second
        assert loop.time() < 5.4
        found = await database.read(select, absent=[])
        await databases.close()
        return found

    with another(path, *WRITE_LOCK) as holder:
        assert in_virtual_time(main) == [2]


def test_jobs_of_one_file_keep_their_order_through_the_tries(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        jobs = [database.write(insert(number)) for number in range(5)]
        await asyncio.sleep(1)
        jobs += [database.write(insert(number)) for number in range(5, 10)]
        ended = []
        for number, job in enumerate(jobs):
            job.add_done_callback(lambda _, number=number: ended.append(number))
        await asyncio.sleep(1)
        holder.execute("ROLLBACK")
        await asyncio.gather(*jobs)
        found = await database.read(select, absent=[])
        await databases.close()
        return ended, found

    with another(path, *WRITE_LOCK) as holder:
        ended, found = in_virtual_time(main)
    assert ended == found == list(range(10))


def test_a_waiting_job_whose_caller_is_cancelled_is_not_done(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        jobs = [database.write(insert(number)) for number in range(3)]
        await asyncio.sleep(1)
        jobs[0].cancel()
        holder.execute("ROLLBACK")
        await asyncio.wait(jobs)
        found = await database.read(select, absent=[])
        await databases.close()
        return [job.cancelled() for job in jobs], found

    with another(path, *WRITE_LOCK) as holder:
        assert in_virtual_time(main) == ([True, False, False], [1, 2])


def test_a_file_whose_only_waiting_job_is_cancelled_comes_to_rest(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        job = database.write(insert(1))
        await asyncio.sleep(1)
        job.cancel()
        await asyncio.sleep(1)
        assert not database.busy
        await databases.close()

    with another(path, *WRITE_LOCK):
        in_virtual_time(main)


@pytest.mark.parametrize("is_released", [True, False])
def test_closing_finishes_a_job_that_waits_to_be_tried_again(tmp_path, is_released):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        job = databases.database(path, SCHEMA).write(insert(1))
        await asyncio.sleep(1)
        closing = asyncio.create_task(databases.close())
        await asyncio.sleep(1)
        assert not closing.done()
        if is_released:
            holder.execute("ROLLBACK")
        await closing
        assert asyncio.get_running_loop().time() < (2.2 if is_released else 5.2)
        with pytest.raises(ServeClosed):
            databases.database(path, SCHEMA).write(insert(2))
        return isinstance(job.exception(), StoreFailed)

    with another(path, *WRITE_LOCK) as holder:
        assert in_virtual_time(main) is not is_released


def test_a_waiting_job_ends_when_its_closing_is_cut_short(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")

    async def main():
        databases = opened()
        jobs = [databases.database(path, SCHEMA).write(insert(number)) for number in range(2)]
        await asyncio.sleep(1)
        closing = asyncio.create_task(databases.close())
        await asyncio.sleep(1)
        closing.cancel()
        await asyncio.wait([closing, *jobs])
        assert asyncio.get_running_loop().time() < 2.2
        return [type(job.exception()) for job in jobs]

    with another(path, *WRITE_LOCK):
        assert in_virtual_time(main) == [ServeClosed, ServeClosed]


def test_a_failure_on_purpose_is_final_even_if_it_says_locked(tmp_path):
    path = make_file(tmp_path / "x.sqlite3")
    with (
        another(path, *WRITE_LOCK),
        another(path, "PRAGMA busy_timeout=0") as refused,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        refused.execute("BEGIN IMMEDIATE")
    failure = caught.value
    tries = []

    async def main():
        databases = opened()
        database = databases.database(path, SCHEMA)
        with pytest.raises(StoreFailed, match="database is locked"):
            await database.write(tries.append, failure=failure)
        with pytest.raises(StoreFailed, match="database is locked"):
            await database.read(tries.append, absent=None, failure=failure)
        await databases.close()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main) < 0.1
    assert len(tries) == 1


def test_a_file_in_its_making_is_waited_for_without_a_thread(tmp_path):
    path = tmp_path / "x.sqlite3"

    async def main():
        databases = opened(workers=1)
        first = databases.database(path, SCHEMA).write(insert(1))
        await databases.database(tmp_path / "free.sqlite3", SCHEMA).write(insert(2))
        assert not first.done()
        holder.execute("ROLLBACK")
        await first
        await databases.close()

    # A reader of a file without a write-ahead log: the switch to one is refused meanwhile.
    with another(path, "BEGIN", "SELECT count(*) FROM sqlite_schema") as holder:
        in_virtual_time(main)
    with another(path) as connection:
        assert select(connection) == [1]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def objects(path):
    """Return the objects of files under a path; those of other tests may still be in memory."""
    gc.collect()
    found = (one for one in gc.get_objects() if isinstance(one, Database))
    return [one for one in found if one.path.is_relative_to(path)]


async def test_the_listings_of_strangers_leave_no_object_behind(tmp_path):
    databases = opened(workers=8)
    users = UserStore(tmp_path, databases)
    for number in range(2_000):
        owner = Owner(number.to_bytes(32, "big"), Network.TESTNET)
        assert await users.list_accounts(owner) == ()
    # A thread lets go of its last job a moment after the answer.
    assert len(objects(tmp_path)) <= 8
    await databases.close()
    assert list(tmp_path.iterdir()) == []


async def test_an_open_file_keeps_its_object_until_it_is_closed(tmp_path):
    databases = opened(open_files_max=2)
    for number in range(5):
        await databases.database(tmp_path / f"{number}.sqlite3", SCHEMA).write(insert(number))
    while len(objects(tmp_path)) > 2:  # noqa: ASYNC110 - threads close the others
        await asyncio.sleep(0.01)
    kept = sorted(one.path.name for one in objects(tmp_path))
    assert kept == ["3.sqlite3", "4.sqlite3"]
    await databases.close()
    assert not any(one.connected for one in objects(tmp_path))
