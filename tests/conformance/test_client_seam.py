"""The shape of the seam, of its answers and of its times: the same of both backends' clients."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import fields
from typing import Any

import pytest

from serve.clients.command_times import heard_times
from serve.clients.port import COMMANDS, Client, ClientFactory
from serve.domain.account_specs import KeyScheme, StorageMode, WalletSpec
from serve.domain.address import AccountId
from serve.domain.client_values import (
    AccountState,
    ClientAccount,
    ClientAccountStatus,
    NodeStatus,
    SyncSummary,
)
from tests.conformance.clients import WALLET, spawned
from tests.there import there


def types_in(answer: Any) -> list[type]:
    return [type(getattr(answer, one.name)) for one in fields(answer)]


def test_the_factory_and_its_clients_have_the_shape_of_the_seam(conforms):
    async def body(world, folder):
        assert isinstance(world.clients, ClientFactory)
        client = await spawned(world, folder)
        assert isinstance(client, Client)
        await client.close()

    conforms(body)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_what_the_seam_says(conforms, command):
    async def body(world, folder):
        client = await spawned(world, folder)
        asked = inspect.signature(getattr(Client, command)).parameters
        taken = inspect.signature(getattr(type(client), command)).parameters
        assert [(one.name, one.kind, one.default) for one in taken.values()] == [
            (one.name, one.kind, one.default) for one in asked.values()
        ]
        await client.close()

    conforms(body)


def test_answers_are_of_the_seams_classes_through_and_through(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        wallet = await client.prepare_account(WALLET)
        await client.add_account(wallet)
        summary = await client.sync()
        status = await client.get_account_status(wallet)
        (listed,) = await client.list_accounts()
        node = await client.node_status()
        answers = (wallet, summary, status, listed, node)
        assert [type(one) for one in answers] == [
            AccountId, SyncSummary, ClientAccountStatus, ClientAccount, NodeStatus,
        ]  # fmt: skip
        assert types_in(summary) == [int, *[tuple] * 6]
        assert types_in(status) == [AccountId, StorageMode, AccountState, tuple]
        assert types_in(listed) == [AccountId, StorageMode, AccountState, int]
        assert types_in(node) == [str, str, int]
        await client.close()

    conforms(body)


def test_every_command_tells_how_long_it_waited_and_worked(conforms):
    async def heard(command):
        told: list[Any]
        with heard_times() as told:
            await asyncio.gather(command, return_exceptions=True)
        (times,) = told
        node_s, service_s = there(times.node_s), there(times.service_s)
        assert min(there(times.queued_s), service_s, node_s, times.cpu_s or 0) >= 0
        assert node_s <= service_s
        return times

    async def body(world, folder):
        spawn = await heard(spawned(world, folder, "localnet_told"))
        assert spawn.node_s > 0, "a new store asks the node for its genesis"
        client = await spawned(world, folder)
        build = client.prepare_account(WalletSpec(key_scheme=KeyScheme.FALCON))
        first, second = await asyncio.gather(
            asyncio.create_task(heard(build)), asyncio.create_task(heard(client.sync()))
        )
        assert first.cpu_s > 0, "it generates a key"
        assert first.node_s == 0, "it asks nothing of the node"
        assert second.queued_s > first.service_s / 2, "it stands behind the other"
        assert second.node_s > 0
        not_added = await client.prepare_account(WALLET)
        missing = await heard(client.get_account_status(not_added))
        assert missing.node_s == 0, "what fails tells, too"
        assert (await heard(client.node_status())).node_s > 0
        for store_only in (
            client.list_accounts(), client.get_account(not_added), client.add_account(not_added)
        ):  # fmt: skip
            assert (await heard(store_only)).node_s == 0, "it asks nothing of the node"
        await client.close()

    conforms(body)
