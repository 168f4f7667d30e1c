"""What every client promises the serve core, simulated or real: one body, both backends."""

from __future__ import annotations

import asyncio

import pytest

from serve.clients.command_times import heard_times
from serve.domain.account_specs import FaucetSpec, KeyScheme, StorageMode, WalletSpec
from serve.domain.client_values import AccountState
from serve.errors import (
    AccountNotFound,
    ClientBusy,
    ClientFailed,
    InvalidInput,
    NodeUnreachable,
)
from tests.conformance.clients import FAUCET, WALLET, held, spawned


def test_a_command_that_is_held_keeps_the_client_busy(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        hold = held(client)
        # Each is given to the client as its task begins, in this order.
        prepared = asyncio.create_task(client.prepare_account(WALLET))
        listed = asyncio.create_task(client.list_accounts())
        await hold.begun()
        done, _ = await asyncio.wait((prepared, listed), timeout=0.5)
        assert done == set()
        hold.release()
        account_id = await prepared
        assert await listed == ()
        await client.add_account(account_id)
        assert len(await client.list_accounts()) == 1
        await client.close()

    conforms(body)


def test_a_command_that_is_held_has_begun_so_its_callers_leave_it_running(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        account_id = await client.prepare_account(WALLET)
        hold = held(client)
        adding = asyncio.create_task(client.add_account(account_id))
        await hold.begun()
        adding.cancel()
        await asyncio.wait((adding,))
        hold.release()
        hold.release()
        assert len(await client.list_accounts()) == 1
        await client.close()

    conforms(body)


def test_a_fresh_client_holds_nothing(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        assert await client.list_accounts() == ()
        assert not client.closed
        await client.close()

    conforms(body)


def test_a_prepared_account_is_seen_only_once_it_is_added(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        account_id = await client.prepare_account(WALLET)
        assert await client.list_accounts() == ()
        assert await client.get_account(account_id) is None
        await client.add_account(account_id)
        (account,) = await client.list_accounts()
        assert account.account_id == account_id
        assert account.state is AccountState.NEW
        assert account.nonce == 0
        assert await client.get_account(account_id) == account
        await client.close()

    conforms(body)


def test_adding_twice_changes_nothing(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        account_id = await client.prepare_account(WALLET)
        await client.add_account(account_id)
        await client.add_account(account_id)
        assert len(await client.list_accounts()) == 1
        await client.close()

    conforms(body)


def test_ids_say_the_storage_mode_that_was_asked_for(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        for mode in StorageMode:
            spec = WalletSpec(storage_mode=mode, key_scheme=KeyScheme.ECDSA)
            account_id = await client.prepare_account(spec)
            assert account_id.version == 1
            assert account_id.storage_mode is mode
        faucet = await client.prepare_account(FAUCET)
        assert faucet.storage_mode is StorageMode.PUBLIC
        await client.close()

    conforms(body)


def test_the_status_of_a_new_account_is_empty(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        account_id = await client.prepare_account(FAUCET)
        await client.add_account(account_id)
        status = await client.get_account_status(account_id)
        assert status.account_id == account_id
        assert status.assets == ()
        assert status.state is AccountState.NEW
        await client.close()

    conforms(body)


def test_an_account_of_another_client_is_not_found(conforms):
    async def body(world, folder):
        one, other = await spawned(world, folder), await spawned(world, folder, "localnet_b")
        account_id = await one.prepare_account(WALLET)
        await one.add_account(account_id)
        assert await other.get_account(account_id) is None
        with pytest.raises(AccountNotFound):
            await other.get_account_status(account_id)
        with pytest.raises(AccountNotFound):
            await other.add_account(account_id)
        await one.close()
        await other.close()

    conforms(body)


def test_a_sync_reaches_the_tip_that_the_node_names(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        before = await client.node_status()
        summary = await client.sync()
        after = await client.node_status()
        assert before.chain_tip <= summary.block_number <= after.chain_tip
        assert before.genesis_commitment == after.genesis_commitment
        assert len(before.genesis_commitment) == 66
        await client.close()

    conforms(body)


def test_a_full_queue_is_busy_at_once_and_harms_nobody_in_it(conforms):
    async def body(world, folder):
        world.clients.queue_length_max = 2
        client = await spawned(world, folder)
        hold = held(client)
        taken = [asyncio.create_task(client.list_accounts())]
        await hold.begun()
        taken += [asyncio.create_task(client.list_accounts()) for _ in range(2)]
        await asyncio.sleep(0)
        with heard_times() as told, pytest.raises(ClientBusy):
            await client.prepare_account(WALLET)
        assert told == [], "it was never taken"
        hold.release()
        assert await asyncio.gather(*taken) == [(), (), ()]
        await client.prepare_account(WALLET)
        await client.close()

    conforms(body)


def test_commands_are_carried_out_in_order(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        ended: list[int] = []

        async def ask(number: int) -> None:
            await (client.prepare_account(WALLET) if number % 2 else client.list_accounts())
            ended.append(number)

        await asyncio.gather(*(ask(number) for number in range(8)))
        assert ended == list(range(8))
        await client.close()

    conforms(body)


def test_a_command_cancelled_before_its_turn_is_skipped(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        first = asyncio.create_task(client.sync())
        added = asyncio.create_task(client.prepare_account(WALLET))
        await asyncio.sleep(0)
        added.cancel()
        await first
        with pytest.raises(asyncio.CancelledError):
            await added
        assert await client.list_accounts() == ()
        await client.close()

    conforms(body)


@pytest.mark.parametrize(
    ("symbol", "decimals", "supply"),
    [
        ("tok", 8, 1),
        ("TOOLONG", 8, 1),
        ("", 8, 1),
        ("TOK", 13, 1),
        ("TOK", 8, 0),
        ("TOK", 8, 2**63),
    ],
)
def test_a_faucet_out_of_range_is_refused(conforms, symbol, decimals, supply):
    async def body(world, folder):
        client = await spawned(world, folder)
        spec = FaucetSpec(symbol=symbol, decimals=decimals, max_supply=supply)
        with pytest.raises(InvalidInput):
            await client.prepare_account(spec)
        await client.close()

    conforms(body)


def test_a_node_cut_off_is_unreachable_and_local_reads_go_on(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        await client.sync()
        await world.set_node("cut")
        for command in (client.sync, client.node_status):
            with pytest.raises(NodeUnreachable):
                await command()
        assert await client.list_accounts() == ()
        with pytest.raises(ClientFailed):
            await spawned(world, folder, "localnet_new")
        await world.set_node("heal")
        await client.sync()
        await client.close()

    conforms(body)


def test_a_known_store_opens_without_the_node(conforms):
    async def body(world, folder):
        await (await spawned(world, folder)).close()
        await world.set_node("cut")
        client = await spawned(world, folder)
        assert await client.list_accounts() == ()
        await client.close()

    conforms(body)
