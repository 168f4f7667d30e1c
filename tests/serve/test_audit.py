"""Own the claims that the audit finds each kind of contradiction."""

import sqlite3

import pytest

import serve
from serve import CreateClient, Network, client_directory
from serve.client import WalletSpec

ANN = bytes([1]) * 32
TESTNET = Network.TESTNET


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
        assert any(expected in problem for problem in await service.audit())


async def test_an_account_of_the_client_without_a_row_is_found(open_serve):
    async with open_serve() as service:
        await service.create_account_order(ANN, CreateClient(network=TESTNET))
        handle = await service.get_client(ANN, TESTNET)
        await handle.add_account(await handle.prepare_account(WalletSpec()))
        (problem,) = await service.audit()
        assert "which has no row" in problem


async def test_a_directory_of_nobody_is_found(open_serve, tmp_path):
    directory = tmp_path / "testnet_nobody"
    directory.mkdir()
    (directory / "mosaic.sqlite3").write_bytes(b"")
    async with open_serve() as service:
        (problem,) = await service.audit()
        assert "testnet_nobody: BadSecret" in problem


def test_the_public_names_are_sorted_and_exist():
    assert serve.__all__ == sorted(serve.__all__)
    assert all(hasattr(serve, name) for name in serve.__all__)
