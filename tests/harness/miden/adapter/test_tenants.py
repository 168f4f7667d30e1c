"""The audit's watch over tenants, and the operations that look at the storage from outside."""

from __future__ import annotations

import pytest

from harness.miden.adapter.serve_core import ServeCore
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from serve import Network, Serve

TEXT = """
claim = "Everybody stays at home."
users = ["ann", "ben"]
[[phase]]
name = "make"
[[phase.do]]
call = "create_account_order"
user = "each"
[phase.do.with.order.CreateFaucet]
network = "Localnet"
token_symbol = "TOK"
decimals = 3
max_supply = 9
[[phase]]
name = "look"
[[phase.do]]
call = "list_orders"
user = "each"
[[phase.do]]
call = "list_asset_rows"
user = "each"
with.network = "Localnet"
[check]
"""


class ReadsTheOther(Serve):
    """Reads the accounts of whoever asked first."""

    async def list_orders_for_user(self, secret):
        first = self.__dict__.setdefault("_first", secret)
        await super().list_orders_for_user(first)
        return await super().list_orders_for_user(secret)


class AsksTheOther(Serve):
    """Asks the client of whoever asked first."""

    async def list_orders_for_user(self, secret):
        first = self.__dict__.setdefault("_first", secret)
        await (await self.get_client(first, Network.LOCALNET)).list_accounts()
        return await super().list_orders_for_user(secret)


class KeepsAFolder(Serve):
    """Makes a folder that is no user's."""

    async def list_orders_for_user(self, secret):
        (self.storage_path / "localnet_nobody").mkdir(exist_ok=True)
        return await super().list_orders_for_user(secret)


@pytest.fixture
def audited(tmp_path):
    """Run the text with a service; returns the run and what its audit found of tenants."""

    def run(service=Serve):
        path = tmp_path / "claim.toml"
        path.write_text(TEXT, encoding="utf-8")
        result = run_scenario(
            read_scenario(path),
            open_backend("simulated", needs_node=True),
            system=ServeCore(service),
            system_path="tests:x",
            seed=0,
        )
        assert result.history is not None
        audit = result.history.audit or ()
        return result, [one for one in audit if one.startswith("tenants: ")]

    return run


def test_nothing_is_told_of_a_service_that_keeps_users_apart(audited):
    result, found = audited()
    assert result.verdict is Verdict.PASSED, result.checks
    assert found == []


def test_a_statement_on_another_users_database_is_told(audited):
    _, found = audited(ReadsTheOther)
    assert sorted(found) == [
        "tenants: list_orders of ben did sql.user.list_orders.execute of ann on Localnet",
        "tenants: list_orders of ben did sql.user.list_orders.execute of ann on Testnet",
    ]


def test_a_command_of_another_users_client_is_told(audited):
    _, found = audited(AsksTheOther)
    assert found == ["tenants: list_orders of ben did list_accounts of ann on Localnet"]


def test_a_folder_of_nobody_is_told(audited):
    _, found = audited(KeepsAFolder)
    assert found == ["tenants: localnet_nobody belongs to no user"]


def test_assets_are_read_from_their_rows(audited):
    result, _ = audited()
    made = {
        one.user: one.value["account_id"]
        for one in result.history.operations
        if one.step == "create_account_order"
    }
    rows = {
        one.user: one.value for one in result.history.operations if one.step == "list_asset_rows"
    }
    for user, account in made.items():
        assert rows[user] == [
            {
                "symbol": "TOK",
                "account": account,
                "decimals": 3,
                "max_supply": "9",
                "owned": 1,
            }
        ]
