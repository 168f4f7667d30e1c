"""Claims: desks are read from their rows alone, and restored in parallel on one client an owner."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from serve import (
    AccountId,
    CreateClient,
    Network,
    TopStore,
    client_directory,
    encode_address,
    owner_identifier,
)
from serve.errors import (
    BadAddress,
    BadSecret,
    DeskNotFound,
    DeskNotRestored,
    DuplicateRecord,
    NetworkMismatch,
    NodeUnreachable,
    UnsupportedNetwork,
)
from tests.serve.desks.planted_desk import desk_record

ANN, BEN = bytes([1]) * 32, bytes([2]) * 32
TESTNET = Network.TESTNET


def desk_address(number, network=TESTNET):
    return encode_address(AccountId(bytes([number]) + bytes(6) + b"\x11" + bytes(7)), network)


def record(number, secret, storage_path, **changes):
    row = {
        "desk_account": desk_address(number),
        "owner_identifier": owner_identifier(secret),
        "path": str(client_directory(storage_path, secret, TESTNET)),
    }
    return desk_record(**row | changes)


async def plant(path, *records):
    async with TopStore.opened(path) as top:
        for row in records:
            await top.insert_desk(row)


async def test_desks_are_restored_on_their_owners_clients(open_serve, clients, tmp_path):
    rows = [record(1, ANN, tmp_path), record(2, ANN, tmp_path), record(3, BEN, tmp_path)]
    await plant(tmp_path, *rows)
    async with open_serve(server_url="https://desks.example/") as serve:
        report = await serve.init_desks()
        assert report.restored == tuple(sorted(row.desk_account for row in rows))
        assert (report.failed, report.warnings) == ((), ())
        assert await serve.list_desks() == report.restored
        assert clients.spawn_count == 2
        desk = await serve.get_desk(desk_address(1))
        assert (desk.owner_identifier, desk.network) == (owner_identifier(ANN), TESTNET)
        await serve.get_client(ANN, TESTNET)
        assert desk.market_url == f"https://desks.example/desk/{desk_address(1)}"
        assert (desk.market.base.code, desk.market.quote.issuer) == ("BTC", "q")
        assert clients.spawn_count == 2
        assert await serve.audit() == ()


async def test_restoring_twice_and_at_once_replaces_nothing(open_serve, clients, tmp_path):
    await plant(tmp_path, *(record(n, ANN if n % 2 else BEN, tmp_path) for n in range(6)))
    async with open_serve() as serve:
        await asyncio.gather(
            serve.init_desks(),
            serve.init_desks(),
            serve.create_account_order(ANN, CreateClient(network=TESTNET)),
            *(serve.get_desk(desk_address(n)) for n in range(6)),
        )
        desks = [await serve.get_desk(desk_address(n)) for n in range(6)]
        report = await serve.init_desks()
        assert len(report.restored) == 6
        assert clients.spawn_count == 2
        assert [await serve.get_desk(desk_address(n)) for n in range(6)] == desks


async def test_desks_are_restored_in_parallel(open_serve, clients, tmp_path):
    await plant(tmp_path, *(record(n, bytes([n]) * 32, tmp_path) for n in range(8)))
    gate = clients.park("spawn")
    async with open_serve() as serve:
        task = asyncio.create_task(serve.init_desks())
        await gate.reached.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert gate.arrivals == 8
        clients.open("spawn")
        assert len((await task).restored) == 8


async def test_one_bad_row_hinders_no_other(open_serve, tmp_path):
    await plant(
        tmp_path,
        record(1, ANN, tmp_path),
        record(2, ANN, tmp_path, network="Mainnet"),
        record(3, ANN, tmp_path, owner_identifier="0OIl"),
        record(4, ANN, tmp_path, network="Localnet"),
    )
    async with open_serve() as serve:
        report = await serve.init_desks()
        assert report.restored == (desk_address(1),)
        assert {f.desk_account: type(f.error) for f in report.failed} == {
            desk_address(2): UnsupportedNetwork,
            desk_address(3): BadSecret,
            desk_address(4): NetworkMismatch,
        }
        listed = (await serve.list_accounts(ANN)).desk_accounts
        assert [desk.account_id for desk in listed] == [desk_address(1)]
        assert await serve.audit() == ()


async def test_a_desk_whose_client_failed_is_read_all_the_same_and_restored_by_the_next_call(
    open_serve, clients, tmp_path
):
    await plant(tmp_path, record(1, ANN, tmp_path), record(2, BEN, tmp_path))
    down = f"spawn.{client_directory(tmp_path, BEN, TESTNET).name}"
    clients.fail(down, NodeUnreachable("down"))
    async with open_serve() as serve:
        report = await serve.init_desks()
        assert report.restored == (desk_address(1),)
        assert [f.desk_account for f in report.failed] == [desk_address(2)]
        assert isinstance(report.failed[0].error, NodeUnreachable)
        assert await serve.audit() == ()
        assert (await serve.get_desk(desk_address(2))).network is TESTNET
        assert len(await serve.list_desks()) == 2
        report = await serve.init_desks()
        assert (len(report.restored), report.failed) == (2, ())


async def test_a_row_that_cannot_be_read_says_why(open_serve, tmp_path):
    await plant(tmp_path, record(1, ANN, tmp_path, network="Mainnet"))
    async with open_serve() as serve:
        with pytest.raises(DeskNotRestored, match="cannot be read") as caught:
            await serve.get_desk(desk_address(1))
        assert isinstance(caught.value.__cause__, UnsupportedNetwork)
        assert await serve.list_desks() == ()


async def test_reading_desks_starts_no_client_and_waits_for_none(open_serve, clients, tmp_path):
    await plant(tmp_path, record(1, ANN, tmp_path))
    async with open_serve() as serve:
        gate = clients.park("spawn")
        restoring = asyncio.create_task(serve.init_desks())
        await gate.reached.wait()
        assert await serve.list_desks() == (desk_address(1),)
        desk = await serve.get_desk(desk_address(1) + "_qpzry")
        assert desk.desk_account == desk_address(1)
        assert len((await serve.list_accounts(ANN)).desk_accounts) == 1
        assert not restoring.done()
        assert clients.spawn_count == 1
        clients.open("spawn")
        assert (await restoring).restored == (desk_address(1),)
        assert await serve.get_desk(desk_address(1)) == desk


async def test_no_more_than_eight_clients_are_started_at_once(open_serve, clients, tmp_path):
    await plant(tmp_path, *(record(n, bytes([n]) * 32, tmp_path) for n in range(20)))
    gate = clients.park("spawn")
    async with open_serve() as serve:
        restoring = asyncio.create_task(serve.init_desks())
        await gate.reached.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert gate.arrivals == 8
        clients.open("spawn")
        assert len((await restoring).restored) == 20


@pytest.mark.parametrize(
    ("status", "decided"), [("active", "complete"), ("pending", "left"), (None, "removed")]
)
async def test_a_desk_that_is_being_created_is_not_seen_until_it_is_whole(
    open_serve, tmp_path, status, decided
):
    async with open_serve() as serve:
        made = await serve.create_account_order(ANN, CreateClient(network=TESTNET, name="o"))
    directory = client_directory(tmp_path, ANN, TESTNET)
    with closing(sqlite3.connect(directory / "mosaic.sqlite3")) as rows, rows:
        if status is not None:
            rows.execute(
                "INSERT INTO accounts (id, network, typ, status, created_at)"
                " VALUES (?, 'Testnet', 'Desk', ?, '2026-01-01 00:00:00')",
                (desk_address(1), status),
            )
    creating = record(1, ANN, tmp_path, owner_account=made.account_id, state="creating")
    await plant(tmp_path, creating)
    async with open_serve() as serve:
        await serve.settled()
        seen = (
            await serve.list_desks(),
            (await serve.init_desks()).restored,
            tuple(d.account_id for d in (await serve.list_accounts(ANN)).desk_accounts),
        )
        assert seen == ((((desk_address(1),),) if decided == "complete" else ((),)) * 3)
        if decided != "complete":
            with pytest.raises(DeskNotFound, match="no desk"):
                await serve.get_desk(desk_address(1))
    with closing(sqlite3.connect(tmp_path / "mosaic_top.sqlite3")) as top:
        states = top.execute("SELECT state FROM desks").fetchall()
    assert states == {"complete": [("active",)], "left": [("creating",)], "removed": []}[decided]


async def test_a_directory_is_derived_and_a_row_that_names_another_is_warned_of(
    open_serve, clients, tmp_path
):
    await plant(tmp_path, record(1, ANN, tmp_path, path="./elsewhere"))
    async with open_serve() as serve:
        report = await serve.init_desks()
        assert len(report.warnings) == 1
        assert "names the directory './elsewhere'" in report.warnings[0]
        assert clients.spawned[0].directory == client_directory(tmp_path, ANN, TESTNET)


async def test_unknown_desks_and_text_that_is_no_address_are_told_apart(open_serve):
    async with open_serve() as serve:
        with pytest.raises(DeskNotFound, match="no desk has the account"):
            await serve.get_desk(desk_address(1))
        with pytest.raises(BadAddress, match="bech32m"):
            await serve.get_desk("nonsense")


async def test_a_listing_names_the_owners_desks_with_their_resolved_fields(open_serve, tmp_path):
    await plant(
        tmp_path,
        record(2, ANN, tmp_path, owner_account="o", market_url="https://x.example/d"),
        record(1, ANN, tmp_path),
        record(3, BEN, tmp_path),
    )
    async with open_serve() as serve:
        desks = (await serve.list_accounts(ANN)).desk_accounts
        expected = [
            (desk_address(1), "", f"/desk/{desk_address(1)}"),
            (desk_address(2), "o", "https://x.example/d"),
        ]
        seen = [(d.account_id, d.owner_account, d.market_url) for d in desks]
        assert seen == sorted(expected)


async def test_a_desk_has_one_row(tmp_path):
    with pytest.raises(DuplicateRecord, match="has a row already"):
        await plant(tmp_path, record(1, ANN, tmp_path), record(1, BEN, tmp_path))


async def test_concurrent_readers_of_no_desks_all_answer(open_serve, tmp_path):
    async with open_serve() as serve:
        assert await asyncio.gather(*(serve.list_desks() for _ in range(10))) == [()] * 10
        assert (await serve.init_desks()).restored == ()
    assert not (tmp_path / "mosaic_top.sqlite3").exists()


async def test_a_restored_desk_without_a_row_is_found_by_the_audit(open_serve, tmp_path):
    await plant(tmp_path, record(1, ANN, tmp_path))
    async with open_serve() as serve:
        await serve.init_desks()
        connection = sqlite3.connect(tmp_path / "mosaic_top.sqlite3")
        connection.execute("DELETE FROM desks")
        connection.commit()
        connection.close()
        assert await serve.audit() == (f"Q5: desk {desk_address(1)} is restored but has no row",)
