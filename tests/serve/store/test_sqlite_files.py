"""Claims: SQLite files are worked on off the loop, in order, never locked, never half-written."""

import asyncio
import resource
import sqlite3
import threading

import pytest

from serve import CreateClient, Network, Synchronous, client_directory
from serve.errors import InvalidInput, ServeClosed, StoreFailed
from serve.store.sqlite_files import Databases
from tests.serve.store.numbers_file import SCHEMA, insert, select

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET = Network.TESTNET
ORDER = CreateClient(network=TESTNET, name="Ann")


@pytest.fixture
def databases():
    return Databases(synchronous=Synchronous.OFF, open_files_max=2, workers=4)


async def test_eight_tasks_on_one_fresh_file_meet_no_error(databases, tmp_path):
    database = databases.database(tmp_path / "a" / "x.sqlite3", SCHEMA)

    async def work(task):
        for k in range(20):
            await database.write(insert(task * 100 + k))
            assert task * 100 + k in await database.read(select, absent=[])

    await asyncio.gather(*(work(task) for task in range(8)))
    assert len(await database.read(select, absent=[])) == 160
    await databases.close()


async def test_sqlite_runs_off_the_loops_thread(databases, tmp_path):
    database = databases.database(tmp_path / "x.sqlite3", SCHEMA)
    threads = await database.write(lambda _: threading.current_thread())
    assert threads is not threading.current_thread()
    assert threads.name.startswith("serve-store")
    await databases.close()


async def test_a_waiting_disk_holds_up_neither_the_loop_nor_another_file(databases, tmp_path):
    free = threading.Event()
    slow = databases.database(tmp_path / "slow.sqlite3", SCHEMA)
    fast = databases.database(tmp_path / "fast.sqlite3", SCHEMA)
    parked = slow.write(lambda _: free.wait(60))
    queued = [slow.write(insert(n)) for n in range(10)]
    await fast.write(insert(1))
    assert not parked.done()
    free.set()
    assert await parked
    await asyncio.gather(*queued)
    await databases.close()


async def test_jobs_of_one_file_run_in_order_and_a_cancelled_one_is_skipped(databases, tmp_path):
    free = threading.Event()
    database = databases.database(tmp_path / "x.sqlite3", SCHEMA)
    parked = database.write(lambda _: free.wait(60))
    jobs = [database.write(insert(n)) for n in range(5)]
    jobs[2].cancel()
    free.set()
    await parked
    await asyncio.wait(jobs)
    assert await database.read(select, absent=[]) == [0, 1, 3, 4]
    await databases.close()


async def test_a_failed_transaction_leaves_nothing_not_even_the_schema(databases, tmp_path):
    database = databases.database(tmp_path / "x.sqlite3", SCHEMA)

    def fail(connection):
        insert(1)(connection)
        raise StoreFailed("on purpose")

    with pytest.raises(StoreFailed, match="on purpose"):
        await database.write(fail)
    assert await database.read(select, absent="blank") == "blank"
    await database.write(insert(2))
    assert await database.read(select, absent=[]) == [2]
    await databases.close()


async def test_reading_creates_no_file(databases, tmp_path):
    database = databases.database(tmp_path / "a" / "x.sqlite3", SCHEMA)
    assert await database.read(select, absent="nothing") == "nothing"
    assert list(tmp_path.iterdir()) == []
    await databases.close()


async def test_a_blank_file_is_read_anew_when_another_has_written_it(databases, tmp_path):
    path = tmp_path / "x.sqlite3"
    path.touch()
    database = databases.database(path, SCHEMA)
    assert await database.read(select, absent="blank") == "blank"
    other = Databases(synchronous=Synchronous.OFF, workers=1)
    await other.database(path, SCHEMA).write(insert(1))
    assert await database.read(select, absent="blank") == [1]
    for one in (other, databases):
        await one.close()


async def test_only_so_many_files_stay_open(databases, tmp_path):
    files = [databases.database(tmp_path / f"{n}.sqlite3", SCHEMA) for n in range(10)]
    for number, database in enumerate(files):
        await database.write(insert(number))
    # Threads close them.
    while sum(database.connected for database in files) > 2:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    assert sum(database.connected for database in files) == 2
    for number, database in enumerate(files):
        assert await database.read(select, absent=[]) == [number]
    await databases.close()
    assert not any(database.connected for database in files)


async def test_files_use_a_write_ahead_log_and_keep_their_mark(databases, tmp_path):
    path = tmp_path / "x.sqlite3"
    await databases.database(path, SCHEMA).write(insert(1))
    await databases.close()
    connection = sqlite3.connect(path)
    for pragma, value in (("journal_mode", "wal"), ("application_id", 77), ("user_version", 1)):
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    connection.close()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", list(Synchronous))
async def test_every_durability_is_set_on_the_connection(tmp_path, value):
    databases = Databases(synchronous=value)
    database = databases.database(tmp_path / "x.sqlite3", SCHEMA)
    pragma = "PRAGMA synchronous"
    seen = await database.write(lambda connection: connection.execute(pragma).fetchone()[0])
    assert seen == {"OFF": 0, "NORMAL": 1, "FULL": 2}[value]
    await databases.close()


async def test_a_closed_store_refuses_work(databases, tmp_path):
    database = databases.database(tmp_path / "x.sqlite3", SCHEMA)
    await databases.close()
    with pytest.raises(ServeClosed, match="closed"):
        await database.write(insert(1))


async def test_a_closing_that_is_cut_short_breaks_nothing_that_is_under_way(tmp_path):
    databases = Databases(synchronous=Synchronous.OFF, open_files_max=1)
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    free = threading.Event()
    files = [databases.database(tmp_path / f"{number}.sqlite3", SCHEMA) for number in range(3)]
    parked = [one.write(lambda _: free.wait(60)) for one in files]
    closing = asyncio.create_task(databases.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait((closing,))
    # More files are open than may be, and no thread takes work any more.
    free.set()
    assert await asyncio.gather(*parked) == [True] * 3
    await asyncio.sleep(0)
    assert errors == []


@pytest.mark.parametrize("name", ["open_files_max", "workers"])
def test_a_limit_below_one_is_refused(name):
    with pytest.raises(InvalidInput, match=f"{name} must be >= 1, got 0"):
        Databases(**{name: 0})  # type: ignore[arg-type]


def spoil_text(path):
    path.write_bytes(b"this is no database" * 100)


def spoil_foreign(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE accounts (id TEXT)")
    connection.close()


def spoil_newer(path):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id={0x4D4F5355}")
    connection.execute("PRAGMA user_version=3")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_text, "file is not a database"),
        (spoil_foreign, "not a mosaic.sqlite3 file of this service"),
        (spoil_newer, "schema version must be 1 to 2, got 3"),
        (lambda path: path.mkdir(), "unable to open database file"),
    ],
)
async def test_a_spoiled_file_is_reported_with_its_path_and_harms_nobody_else(
    open_serve, tmp_path, spoil, reason
):
    path = client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3"
    path.parent.mkdir()
    spoil(path)
    async with open_serve() as serve:
        for operation in (
            serve.list_accounts(ANN),
            serve.list_orders_for_user(ANN),
            serve.create_account_order(ANN, ORDER),
            serve.client_sync(ANN, TESTNET),
        ):
            with pytest.raises(StoreFailed, match=reason) as caught:
                await operation
            assert str(path) in str(caught.value)
        handle = await serve.get_client(ANN, TESTNET)
        assert await handle.list_accounts() == ()
        await serve.create_account_order(BEN, ORDER)
        assert len(await serve.audit()) == 1


async def test_a_file_put_right_works_again_and_the_owed_recovery_is_made(open_serve, tmp_path):
    path = client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3"
    path.parent.mkdir()
    spoil_text(path)
    async with open_serve() as serve:
        with pytest.raises(StoreFailed, match="not a database"):
            await serve.create_account_order(ANN, ORDER)
        path.unlink()
        await serve.create_account_order(ANN, ORDER)
        assert len((await serve.list_accounts(ANN)).client_accounts) == 1
        assert await serve.audit() == ()


async def test_a_full_disk_fails_the_operation_and_nothing_else(open_serve, clients):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, ORDER)
        handle = await serve.get_client(ANN, TESTNET)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        # No file may grow beyond one page: what a full disk does to a write-ahead log.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        try:
            with pytest.raises(StoreFailed, match=r"mosaic\.sqlite3: .*(full|I/O)"):
                await serve.create_account_order(ANN, ORDER)
            with pytest.raises(StoreFailed, match=r"mosaic_top\.sqlite3: .*(full|I/O)"):
                await serve.create_account_order(BEN, ORDER)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert len(await handle.list_accounts()) == 1
        for user, count in ((ANN, 2), (BEN, 1)):
            await serve.create_account_order(user, ORDER)
            assert len((await serve.list_accounts(user)).client_accounts) == count
        assert await serve.audit() == ()


async def test_sqlite_errors_never_reach_callers_of_serve(open_serve, tmp_path):
    async with open_serve() as serve:
        await serve.create_account_order(ANN, ORDER)
        path = client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DROP TABLE accounts")
        connection.close()
        with pytest.raises(StoreFailed, match="no such table: accounts"):
            await serve.list_accounts(ANN)
