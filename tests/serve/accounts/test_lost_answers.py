"""Claims: no transaction that failed, or whose answer was lost, does harm."""

import sqlite3

import pytest

from serve import CreateClient, Network, client_directory
from serve.errors import AccountNotFound, ClientFailed, NodeUnreachable, StoreFailed
from serve.points import hooked

ANN = bytes([1]) * 32
TESTNET = Network.TESTNET
ORDER = CreateClient(network=TESTNET, name="one")
LOCKED = sqlite3.OperationalError("database is locked")


class Failing:
    """Lets points fail, each as often as it has errors."""

    def __init__(self, **failures):
        self.failures = {name.replace("__", "."): list(found) for name, found in failures.items()}

    async def arrive(self, name, key):
        failure = self.failure(name, key)
        if failure is not None:
            raise failure

    def failure(self, name, key):
        left = self.failures.get(name)
        return left.pop(0) if left else None


def accounts_with_status(path, status):
    file = client_directory(path, ANN, TESTNET) / "mosaic.sqlite3"
    connection = sqlite3.connect(file)
    try:
        found = connection.execute("SELECT id FROM accounts WHERE status = ?", (status,))
        return [row[0] for row in found]
    finally:
        connection.close()


async def test_an_order_whose_row_was_written_unknown_to_it_is_decided_by_the_next_sync(
    open_serve,
):
    lost = Failing(sql__user__begin_order__after_commit=[StoreFailed("lost")])
    async with open_serve() as service:
        with hooked(lost), pytest.raises(StoreFailed, match="lost"):
            await service.create_account_order(ANN, ORDER)
        assert await service.audit() == ()
        await service.client_sync(ANN, TESTNET)
        (order,) = await service.list_orders_for_user(ANN)
        assert order.status == "failed"
        assert await service.audit() == ()


async def test_an_account_that_is_gone_is_not_called_made_when_its_row_cannot_say_so(
    open_serve, clients
):
    clients.fail("add_account", NodeUnreachable("gone"), AccountNotFound("lost with its client"))
    busy = Failing(sql__user__fail_order__execute=[LOCKED])
    async with open_serve() as service:
        with pytest.raises(NodeUnreachable, match="gone"):
            await service.create_account_order(ANN, ORDER)
        with hooked(busy):
            await service.client_sync(ANN, TESTNET)
        assert await service.audit() == ()
        (order,) = await service.list_orders_for_user(ANN)
        assert order.status == "pending"
        assert (await service.list_accounts(ANN)).client_accounts == ()


async def test_an_account_row_whose_answer_was_lost_gives_way_to_the_next(
    open_serve, clients, tmp_path
):
    lost = Failing(
        sql__user__add_pending_account__after_commit=[StoreFailed("lost")],
        sql__user__fail_order__execute=[LOCKED],
    )
    async with open_serve() as service:
        with hooked(lost), pytest.raises(StoreFailed, match="lost"):
            await service.create_account_order(ANN, ORDER)
        assert len(accounts_with_status(tmp_path, "pending")) == 1
        await service.create_account_order(ANN, ORDER)
        assert accounts_with_status(tmp_path, "pending") == []
        assert len(accounts_with_status(tmp_path, "active")) == 1
        assert await service.audit() == ()


async def test_a_pending_account_that_no_order_names_is_found_by_the_audit(
    open_serve, clients, tmp_path
):
    clients.fail("sync", ClientFailed("broke"))
    async with open_serve() as service:
        with pytest.raises(ClientFailed, match="broke"):
            await service.create_account_order(ANN, ORDER)
        assert await service.audit() == ()
        connection = sqlite3.connect(client_directory(tmp_path, ANN, TESTNET) / "mosaic.sqlite3")
        connection.execute("UPDATE orders SET account = NULL")
        connection.commit()
        connection.close()
        (finding,) = await service.audit()
        assert "is pending, and no order is to make it" in finding
