"""Claims: a request key names one order, and a row that is decided is not decided anew."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from serve import Network, Synchronous, client_directory
from serve.domain.address import Owner
from serve.domain.records import AccountKind, OrderStatus, OwnedAsset
from serve.errors import Conflict, DuplicateRecord
from serve.store.sqlite_files import Databases
from serve.store.user_store import UserStore

ANN = Owner(bytes([1]) * 32, Network.TESTNET)
ANN_LOCALLY = Owner(ANN.secret, Network.LOCALNET)
TOKEN = OwnedAsset(symbol="TOK", decimals=8, max_supply=10**18)


@pytest.fixture
async def users(tmp_path):
    databases = Databases(synchronous=Synchronous.OFF)
    yield UserStore(tmp_path, databases)
    await databases.close()


async def begin(users, uuid, *, request_key=None, sequence=1, owner=ANN):
    await users.begin_order(
        owner,
        order_type="CreateFaucetAccount",
        order_json='{"CreateFaucet":{}}',
        uuid=uuid,
        sequence=sequence,
        created_at="2025-01-01 00:00:00",
        request_key=request_key,
    )


async def add_account(users, uuid, account, *, kind=AccountKind.FAUCET, name="TOK"):
    await users.add_pending_account(
        ANN,
        kind=kind,
        network=ANN.network,
        name=name,
        uuid=uuid,
        account=account,
        created_at="2025-01-01 00:00:01",
    )


async def succeed(users, *accounts):
    await users.succeed_orders(ANN, accounts, created_at="2025-01-01 00:00:02")


async def make(users, uuid, account, *, request_key=None):
    await begin(users, uuid, request_key=request_key)
    await add_account(users, uuid, account)
    await succeed(users, (uuid, account, None))


async def rows(users):
    """Return each order's status and account, and each account's status."""
    orders = {one.uuid: (one.status.value, one.account) for one in await users.list_orders(ANN)}
    return orders, dict(await users.list_account_statuses(ANN))


async def test_a_request_key_is_taken_once_in_a_file(users):
    await begin(users, "one", request_key="k")
    with pytest.raises(DuplicateRecord, match="request key 'k', exists already"):
        await begin(users, "two", request_key="k")
    with pytest.raises(DuplicateRecord, match="order one"):
        await begin(users, "one", request_key="other")
    assert [one.uuid for one in await users.list_orders(ANN)] == ["one"]
    # Orders without a key, and the other network's file, are not in the way.
    for uuid in ("three", "four"):
        await begin(users, uuid)
    await begin(users, "one", request_key="k", owner=ANN_LOCALLY)
    assert len(await users.list_orders(ANN)) == 3


async def test_of_many_orders_with_one_key_at_once_one_is_begun(users):
    begun = (begin(users, f"u{number}", request_key="k") for number in range(20))
    answers = await asyncio.gather(*begun, return_exceptions=True)
    assert answers.count(None) == 1
    assert sum(isinstance(one, DuplicateRecord) for one in answers) == 19
    (only,) = await users.list_orders(ANN)
    assert (only.status, only.request_key) == (OrderStatus.PENDING, "k")


async def test_an_order_is_found_by_its_key_whatever_became_of_it(users):
    assert await users.find_request(ANN, "k") is None
    await begin(users, "other", request_key="l")
    await make(users, "one", "a", request_key="k")
    found = await users.find_request(ANN, "k")
    assert (found.uuid, found.status, found.account) == ("one", OrderStatus.SUCCEEDED, "a")
    with pytest.raises(DuplicateRecord):
        await begin(users, "again", request_key="k")
    assert await users.find_request(ANN_LOCALLY, "k") is None


async def test_a_failed_order_frees_its_key_and_its_account(users):
    await begin(users, "one", request_key="k")
    await add_account(users, "one", "a")
    await users.fail_order(ANN, "one", error="no node")
    assert await users.find_request(ANN, "k") is None
    assert await rows(users) == ({"one": ("failed", None)}, {})
    (failed,) = await users.list_orders(ANN)
    assert (failed.error, failed.request_key) == ("no node", None)
    await make(users, "two", "a", request_key="k")
    assert (await users.find_request(ANN, "k")).uuid == "two"


async def test_a_decided_order_does_not_fail(users):
    await make(users, "one", "a", request_key="k")
    await users.fail_order(ANN, "one", error="late")
    await begin(users, "two")
    await users.fail_order(ANN, "two", error="first")
    await users.fail_order(ANN, "two", error="second")
    await users.fail_order(ANN, "nobody's", error="x")
    assert await rows(users) == (
        {"one": ("succeeded", "a"), "two": ("failed", None)},
        {"a": "active"},
    )
    assert {one.error for one in await users.list_orders(ANN)} == {None, "first"}
    assert (await users.find_request(ANN, "k")).uuid == "one"


async def test_a_failed_order_does_not_rise_and_nothing_else_is_written(users):
    for uuid in ("good", "bad"):
        await begin(users, uuid)
        await add_account(users, uuid, f"account of {uuid}")
    await users.fail_order(ANN, "bad", error="no node")
    before = await rows(users)
    for bad in (("bad", "account of bad", TOKEN), ("unheard of", "x", None)):
        with pytest.raises(Conflict, match=f"order {bad[0]} "):
            await succeed(users, ("good", "account of good", TOKEN), bad)
        assert await rows(users) == before
    await succeed(users, ("good", "account of good", None))
    orders, accounts = await rows(users)
    assert orders["good"] == ("succeeded", "account of good")
    assert accounts == {"account of good": "active"}


async def test_an_order_succeeds_with_its_own_account_alone(users):
    for uuid, account in (("one", "a"), ("two", "b")):
        await begin(users, uuid)
        await add_account(users, uuid, account)
    await begin(users, "three")
    for uuid, account in (("one", "b"), ("three", "a"), ("three", "c")):
        with pytest.raises(Conflict, match=f"order {uuid} "):
            await succeed(users, (uuid, account, None))
    assert (await rows(users))[1] == {"a": "pending", "b": "pending"}


async def test_an_order_that_succeeded_with_its_answer_lost_may_succeed_again(users, tmp_path):
    await begin(users, "one", request_key="k")
    await add_account(users, "one", "a")
    for _ in range(2):
        await succeed(users, ("one", "a", TOKEN))
    assert await rows(users) == ({"one": ("succeeded", "a")}, {"a": "active"})
    assert (await users.find_request(ANN, "k")).uuid == "one"
    path = client_directory(tmp_path, ANN.secret, ANN.network) / "mosaic.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        assets = connection.execute(
            "SELECT symbol, account, decimals, max_supply, owned FROM assets"
        ).fetchall()
    assert assets == [("TOK", "a", 8, str(10**18), 1)]


async def test_a_decided_order_takes_no_account_and_no_row_is_left(users):
    await make(users, "made", "a")
    await begin(users, "failed")
    await users.fail_order(ANN, "failed", error="x")
    before = await rows(users)
    for uuid in ("made", "failed", "unheard of"):
        with pytest.raises(DuplicateRecord, match=f"order {uuid} is not pending"):
            await add_account(users, uuid, "b")
        assert await rows(users) == before


async def test_an_address_is_taken_once_and_an_order_keeps_its_last_account(users):
    await begin(users, "one")
    await add_account(users, "one", "a")
    # The answer to the first was lost: the order gets another account, and the first row goes.
    await add_account(users, "one", "b")
    assert await rows(users) == ({"one": ("pending", "b")}, {"b": "pending"})
    await begin(users, "two")
    with pytest.raises(DuplicateRecord, match="account b has a row already"):
        await add_account(users, "two", "b")
    assert await rows(users) == (
        {"one": ("pending", "b"), "two": ("pending", None)},
        {"b": "pending"},
    )


async def test_pending_orders_are_listed_oldest_first_with_all_that_recovery_needs(users):
    await begin(users, "one", request_key="k")
    await begin(users, "gone")
    await begin(users, "two")
    await add_account(users, "one", "a")
    await users.fail_order(ANN, "gone", error="x")
    first, second = await users.list_pending(ANN)
    assert (first.uuid, first.order_type, first.order_json, first.account, first.request_key) == (
        "one",
        "CreateFaucetAccount",
        '{"CreateFaucet":{}}',
        "a",
        "k",
    )
    assert (second.uuid, second.account, second.request_key) == ("two", None, None)


async def test_an_accounts_kind_and_name_are_those_it_was_given(users):
    await begin(users, "one")
    await add_account(users, "one", "a", kind=AccountKind.CLIENT, name="savings")
    await begin(users, "two")
    await add_account(users, "two", "d", kind=AccountKind.DESK, name=None)
    await succeed(users, ("one", "a", None), ("two", "d", None))
    (listed,) = await users.list_accounts(ANN)
    assert (listed.account_id, listed.account_type, listed.name, listed.network) == (
        "a",
        AccountKind.CLIENT,
        "savings",
        Network.TESTNET,
    )
    assert await users.account_kind(ANN, "d") is AccountKind.DESK
    assert await users.account_kind(ANN, "x") is AccountKind.UNKNOWN


async def test_the_number_of_the_newest_order_is_known(users):
    assert await users.last_sequence(ANN) == 0
    await begin(users, "one", sequence=1_000)
    assert await users.last_sequence(ANN) == 1_000
    # The clock went back: the file stays above its own rows.
    await begin(users, "two", sequence=7)
    assert await users.last_sequence(ANN) == 1_001
    assert [one.uuid for one in await users.list_orders(ANN)] == ["two", "one"]
    assert await users.last_sequence(ANN_LOCALLY) == 0


async def test_reading_creates_nothing(users, tmp_path):
    assert await users.find_request(ANN, "k") is None
    assert await users.last_sequence(ANN) == 0
    assert await users.list_pending(ANN) == ()
    assert await users.check_integrity(ANN) == ()
    assert list(tmp_path.iterdir()) == []
