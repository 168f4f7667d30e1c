"""Claims: the audit finds each kind of contradiction."""

import asyncio
import sqlite3

import pytest

import serve
from serve import CreateClient, client_directory, owner_identifier
from serve.domain.account_specs import WalletSpec
from tests.serve.desks.planted_desk import ANN, DESK, TESTNET, plant_desk


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("UPDATE accounts SET status = 'pending'", "succeeded, but its account is not active"),
        ("DELETE FROM orders", "has 0 orders that made it"),
        ("UPDATE orders SET status = 'failed'", "failed, but has the account"),
        ("UPDATE orders SET status = 'pending'", "is pending, and nobody is to decide it"),
        ("UPDATE accounts SET id = 'mtst1other'", "which has no row"),
        ("UPDATE accounts SET id = 'mtst1other'", "active, but its client does not hold it"),
    ],
)
async def test_a_spoiled_row_is_found(open_serve, tmp_path, spoil, expected):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        assert await service.audit() == ()
        path = client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute(spoil)
        connection.commit()
        connection.close()
        assert any(expected in finding for finding in await service.audit())


async def test_an_account_of_the_client_without_a_row_is_found(open_serve, clients):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        client = clients.spawned[0]
        await client.add_account(await client.prepare_account(WalletSpec()))
        (finding,) = await service.audit()
        assert "which has no row" in finding


async def test_a_directory_of_nobody_is_found(open_serve, tmp_path):
    directory = tmp_path / "testnet_nobody"
    directory.mkdir()
    (directory / "mosaic.sqlite3").write_bytes(b"")
    async with open_serve() as service:
        (finding,) = await service.audit()
        assert "testnet_nobody: BadSecret" in finding


async def test_q1_a_client_that_is_still_starting_is_named(open_serve, clients):
    gate = clients.park("spawn")
    async with open_serve() as service:
        starting = asyncio.create_task(service.get_client(ANN, TESTNET))
        await gate.reached.wait()
        found = await service.audit()
        assert any("Q1: client" in one and "is starting" in one for one in found)
        gate.open()
        await starting
        assert await service.audit() == ()


async def test_q3_a_task_that_is_pending_is_named(open_serve):
    async with open_serve() as service:
        stray = asyncio.create_task(asyncio.sleep(60), name="serve:stray")
        assert await service.audit() == ("Q3: task serve:stray is pending",)
        stray.cancel()


async def test_q4_both_ways_between_a_client_and_its_rows_are_named(open_serve, clients):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        (held,) = clients.disks.values()
        held.clear()
        (finding,) = await service.audit()
        assert finding.startswith("Q4: ")
        assert "is active, but its client does not hold it" in finding


async def test_q5_a_desk_that_nobody_tried_to_restore_is_named(open_serve, tmp_path):
    async with open_serve() as service:
        await service.init_desks()
        await plant_desk(tmp_path)
        assert await service.audit() == (
            f"Q5: desk {DESK} has a row, but nobody tried to restore it",
        )
        await service.init_desks()
        assert await service.audit() == ()


async def test_q5_a_restore_that_was_cancelled_claims_nothing(open_serve, clients, tmp_path):
    async with open_serve() as service:
        await service.init_desks()
        await plant_desk(tmp_path)
        gate = clients.park("spawn")
        restoring = asyncio.create_task(service.init_desks())
        await gate.reached.wait()
        restoring.cancel()
        await asyncio.wait([restoring])
        clients.open("spawn")
        await service.settled()
        assert await service.audit() == ()


async def test_q7_a_journal_that_is_left_is_named(open_serve, tmp_path):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        directory = client_directory(tmp_path, ANN, TESTNET)
        (directory / "mosaic.sqlite3-journal").write_bytes(b"")
        assert await service.audit() == (f"Q7: {directory.name}/mosaic.sqlite3-journal is left",)


async def test_q7_a_file_that_is_not_sound_is_named(open_serve, tmp_path):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
    path = client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, 'orders (account)',"
        " 'orders (uuid)') WHERE name = 'orders_account_idx'"
    )
    connection.commit()
    connection.close()
    async with open_serve() as service:
        findings = await service.audit()
        assert findings
        assert all(one.startswith("Q7: ") for one in findings)


async def settles_without(caller, *, service, gate):
    """Cancel a caller at a gate: what goes on without it is waited for until the gate opens."""
    await gate.reached.wait()
    caller.cancel()
    settled = asyncio.create_task(service.settled())
    await asyncio.wait([caller])
    assert caller.cancelled()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not settled.done()
    gate.open()
    await settled


async def test_settled_waits_for_the_tail_of_a_caller_that_is_gone(open_serve, clients):
    gate = clients.park("sync")
    async with open_serve() as service:
        caller = asyncio.create_task(
            service.create_account_order(ANN, CreateClient(network=TESTNET))
        )
        await settles_without(caller, service=service, gate=gate)
        (order,) = await service.list_orders_for_user(ANN)
        assert order.status == "succeeded"


async def test_settled_waits_for_a_start_whose_caller_is_gone(open_serve, clients):
    gate = clients.park("spawn")
    async with open_serve() as service:
        caller = asyncio.create_task(service.get_client(ANN, TESTNET))
        await settles_without(caller, service=service, gate=gate)
        assert await service.audit() == ()


async def test_live_clients_are_told_by_owner_and_network(open_serve):
    async with open_serve() as service:
        await service.get_client(ANN, TESTNET)
        assert service.live_clients() == ((owner_identifier(ANN), TESTNET),)
        await service.flush()
        assert service.live_clients() == ()


def test_the_public_names_are_sorted_and_exist():
    assert serve.__all__ == sorted(serve.__all__)
    assert all(hasattr(serve, name) for name in serve.__all__)
