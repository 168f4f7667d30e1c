"""Claims: files of release 0.1.0 are brought to this release's version whole, or stay as they are.

The files are made with the statements of that release, which stand here as it had them.
"""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from serve import AccountId, DeskRecord, Network, Synchronous, client_directory, encode_address
from serve.domain.address import Owner, owner_identifier
from serve.domain.records import AccountKind, OrderStatus
from serve.errors import StoreFailed
from serve.store.sqlite_files import Databases
from serve.store.top_store import TopStore
from serve.store.user_store import SCHEMA, UserStore

ANN = Owner(bytes([1]) * 32, Network.TESTNET)
NAME = owner_identifier(ANN.secret)
DESK = encode_address(AccountId(bytes([9]) + bytes(6) + b"\x11" + bytes(7)), Network.TESTNET)

USER_FILE_0_1_0 = """
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL CHECK (network IN ('Testnet', 'Localnet')),
    typ TEXT NOT NULL CHECK (typ IN ('Client', 'Liquidity', 'Faucet', 'Desk')),
    name TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active')),
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE assets (
    symbol TEXT NOT NULL,
    account TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    max_supply TEXT,
    owned INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    PRIMARY KEY (symbol, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_account_idx ON assets (account);
CREATE TABLE orders (
    sequence INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    order_type TEXT NOT NULL,
    order_json TEXT NOT NULL,
    stage TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    account TEXT REFERENCES accounts (id) ON DELETE SET NULL,
    error TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX orders_account_idx ON orders (account);
CREATE INDEX orders_pending_idx ON orders (sequence) WHERE status = 'pending';
PRAGMA application_id=1297044309;
PRAGMA user_version=1;
INSERT INTO accounts VALUES ('made', 'Testnet', 'Client', 'savings', 'active', '2025-01-01');
INSERT INTO accounts VALUES ('held', 'Testnet', 'Faucet', NULL, 'pending', '2025-01-02');
INSERT INTO assets VALUES ('TOK', 'old', 8, '100', 1, '2025-01-01');
INSERT INTO orders VALUES
    (10, 'u-10', 'CreateClientAccount', '{}', 'create', 'succeeded', 'made', NULL, '2025-01-01'),
    (20, 'u-20', 'CreateFaucetAccount', '{}', 'create', 'pending', 'held', NULL, '2025-01-02'),
    (30, 'u-30', 'CreateClientAccount', '{}', 'create', 'failed', NULL, 'no node', '2025-01-03');
"""
TOP_FILE_0_1_0 = """
CREATE TABLE desks (
    desk_account TEXT PRIMARY KEY,
    owner_identifier TEXT NOT NULL,
    owner_account TEXT,
    path TEXT NOT NULL,
    network TEXT NOT NULL,
    base_code TEXT NOT NULL,
    base_issuer TEXT NOT NULL,
    quote_code TEXT NOT NULL,
    quote_issuer TEXT NOT NULL,
    market_url TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_desks_owner ON desks (owner_identifier);
PRAGMA application_id=1297044308;
PRAGMA user_version=1;
INSERT INTO desks VALUES
    ('desk-1', 'ann', 'owner', '/p', 'Testnet', 'BTC', 'b', 'USDC', 'q', 'http://x');
"""
OLD_DESK = DeskRecord(
    desk_account="desk-1",
    owner_identifier="ann",
    owner_account="owner",
    path="/p",
    network="Testnet",
    base_code="BTC",
    base_issuer="b",
    quote_code="USDC",
    quote_issuer="q",
    market_url="http://x",
)


def run_sql(path, script):
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(script)
    return path


def ask(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def whole(path):
    """Return all that a file holds, its version included."""
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchall()
        return [*connection.iterdump(), version]


def user_path(path):
    return client_directory(path, ANN.secret, ANN.network) / "mosaic.sqlite3"


def top_path(path):
    return path / "mosaic_top.sqlite3"


@pytest.fixture
async def databases():
    made = Databases(synchronous=Synchronous.OFF)
    yield made
    await made.close()


async def begin(users, **changed):
    values = {
        "order_type": "CreateClientAccount",
        "order_json": "{}",
        "uuid": "new",
        "sequence": 1,
        "created_at": "2025-02-01",
        "request_key": "key",
    }
    await users.begin_order(ANN, **(values | changed))


@pytest.mark.parametrize("first", ["read", "write"])
async def test_a_user_file_of_0_1_0_is_read_and_takes_new_orders(databases, tmp_path, first):
    run_sql(user_path(tmp_path), USER_FILE_0_1_0)
    users = UserStore(tmp_path, databases)
    if first == "read":
        (made,) = await users.list_accounts(ANN)
        assert (made.account_id, made.account_type) == ("made", AccountKind.CLIENT)
        assert ask(user_path(tmp_path), "PRAGMA user_version") == [(2,)]
    await begin(users)
    orders = await users.list_orders(ANN)
    # The old rows as they were, and the new one above them, though its number was lower.
    assert [(one.uuid, one.sequence, one.request_key) for one in orders] == [
        ("new", 31, "key"),
        ("u-30", 30, None),
        ("u-20", 20, None),
        ("u-10", 10, None),
    ]
    assert [one.error for one in orders] == [None, "no node", None, None]
    assert [one.uuid for one in await users.list_pending(ANN)] == ["u-20", "new"]
    assert dict(await users.list_account_statuses(ANN)) == {"held": "pending", "made": "active"}
    await users.succeed_orders(ANN, (("u-20", "held", None),), created_at="2025-02-02")
    assert [one.account_id for one in await users.list_accounts(ANN)] == ["held", "made"]
    assert (await users.list_orders(ANN))[2].status is OrderStatus.SUCCEEDED
    assert await users.check_integrity(ANN) == ()
    assert ask(user_path(tmp_path), "SELECT * FROM assets") == [
        ("TOK", "old", 8, "100", 1, "2025-01-01")
    ]


@pytest.mark.parametrize("first", ["read", "write"])
async def test_a_top_file_of_0_1_0_is_read_and_takes_new_rows(databases, tmp_path, first):
    run_sql(top_path(tmp_path), TOP_FILE_0_1_0)
    top = TopStore(tmp_path, databases)
    if first == "read":
        assert await top.list_desks() == (OLD_DESK,)
        assert ask(top_path(tmp_path), "PRAGMA user_version") == [(2,)]
    await top.mark_open(NAME, "Testnet")
    assert await top.list_open() == ((NAME, "Testnet"),)
    assert await top.find_desk("desk-1") == OLD_DESK
    assert await top.list_desks_of("ann") == (OLD_DESK,)
    assert await top.list_creating() == ()
    assert await top.check_integrity() == ()


async def test_a_fresh_file_has_the_tables_of_one_brought_up_from_0_1_0(databases, tmp_path):
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    fresh.mkdir()
    old.mkdir()
    run_sql(user_path(old), USER_FILE_0_1_0)
    run_sql(top_path(old), TOP_FILE_0_1_0)
    for path in (fresh, old):
        await begin(UserStore(path, databases))
        await TopStore(path, databases).mark_open(NAME, "Testnet")
    await databases.close()
    for place in (user_path, top_path):
        query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
        shapes = [
            [(*names, "".join((sql or "").split())) for *names, sql in ask(place(path), query)]
            for path in (fresh, old)
        ]
        assert shapes[0] == shapes[1]


def spoilt(script, version):
    return script.replace("user_version=1", f"user_version={version}")


@pytest.mark.parametrize("version", [3, 0, -1])
async def test_an_unknown_version_is_refused_and_the_file_left_untouched(
    databases, tmp_path, version
):
    paths = {
        run_sql(user_path(tmp_path), spoilt(USER_FILE_0_1_0, version)),
        run_sql(top_path(tmp_path), spoilt(TOP_FILE_0_1_0, version)),
    }
    before = {path: path.read_bytes() for path in paths}
    users, top = UserStore(tmp_path, databases), TopStore(tmp_path, databases)
    reason = rf"schema version must be 1 to 2, got {version}; use the release that wrote it"
    for job in (users.list_orders(ANN), begin(users), top.list_desks(), top.mark_open("a", "b")):
        with pytest.raises(StoreFailed, match=reason):
            await job
    assert {path: path.read_bytes() for path in paths} == before
    # Not even open: another file may be put in its place at once.
    found = {path.name for directory in (p.parent for p in paths) for path in directory.iterdir()}
    assert not [name for name in found if name.endswith(("-wal", "-shm", "-journal"))]


@pytest.mark.parametrize("first", ["read", "write"])
async def test_a_migration_that_fails_half_way_leaves_the_old_file_whole(
    databases, tmp_path, first
):
    # The last statement of each ladder meets a thing of the name that it gives: those before it
    # were carried out.
    in_the_way = "CREATE INDEX orders_request_key_idx ON orders (created_at);"
    user = run_sql(user_path(tmp_path), USER_FILE_0_1_0 + in_the_way)
    top = run_sql(top_path(tmp_path), TOP_FILE_0_1_0 + "CREATE TABLE open_owners (x TEXT);")
    before = {path: whole(path) for path in (user, top)}
    users, desks = UserStore(tmp_path, databases), TopStore(tmp_path, databases)
    jobs = (
        (users.list_orders(ANN), desks.list_desks())
        if first == "read"
        else (begin(users), desks.mark_open("a", "b"))
    )
    for job in jobs:
        with pytest.raises(StoreFailed, match="already exists"):
            await job
    assert {path: whole(path) for path in (user, top)} == before
    run_sql(user, "DROP INDEX orders_request_key_idx")
    run_sql(top, "DROP TABLE open_owners")
    assert len(await users.list_orders(ANN)) == 3
    assert await desks.list_desks() == (OLD_DESK,)


async def test_a_write_that_fails_on_an_old_file_leaves_it_readable(databases, tmp_path):
    run_sql(user_path(tmp_path), USER_FILE_0_1_0)
    users = UserStore(tmp_path, databases)
    with pytest.raises(StoreFailed, match="on purpose"):
        await databases.database(user_path(tmp_path), SCHEMA).write(fail)
    assert ask(user_path(tmp_path), "PRAGMA user_version") == [(1,)]
    assert len(await users.list_orders(ANN)) == 3


def fail(connection):
    raise StoreFailed("on purpose")


async def test_many_who_open_an_old_file_at_once_all_find_it_whole(tmp_path):
    run_sql(user_path(tmp_path), USER_FILE_0_1_0)
    # Each has threads and a connection of its own, as other processes have.
    stores = [Databases(synchronous=Synchronous.OFF, workers=1) for _ in range(12)]
    read = [UserStore(tmp_path, one).list_orders(ANN) for one in stores]
    assert [len(orders) for orders in await asyncio.gather(*read)] == [3] * 12
    for one in stores:
        await one.close()
    assert ask(user_path(tmp_path), "PRAGMA user_version") == [(2,)]
