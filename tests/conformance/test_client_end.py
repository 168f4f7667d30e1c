"""How every client ends, closed or killed, and who gets its directory next: on both backends."""

from __future__ import annotations

import asyncio

import pytest

from serve.errors import AccountNotFound, ClientClosed, ClientStoreInUse
from tests.conformance.clients import WALLET, held, spawned


def test_a_held_client_can_be_killed(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        hold = held(client)
        listing = asyncio.create_task(client.list_accounts())
        await hold.begun()
        client.kill()
        with pytest.raises(ClientClosed):
            await listing
        hold.release()
        await client.close()

    conforms(body)


def test_a_directory_has_one_client_at_a_time(conforms):
    async def body(world, folder):
        first = await spawned(world, folder)
        with pytest.raises(ClientStoreInUse):
            await spawned(world, folder)
        await first.close()
        await (await spawned(world, folder)).close()

    conforms(body)


def test_a_reopened_directory_holds_what_it_held(conforms):
    async def body(world, folder):
        first = await spawned(world, folder)
        kept = await first.prepare_account(WALLET)
        await first.add_account(kept)
        forgotten = await first.prepare_account(WALLET)
        await first.close()
        second = await spawned(world, folder)
        assert [one.account_id for one in await second.list_accounts()] == [kept]
        with pytest.raises(AccountNotFound):
            await second.add_account(forgotten)
        await second.close()

    conforms(body)


def test_a_closed_client_answers_with_its_own_error(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        await client.close()
        await client.close()
        assert client.closed
        with pytest.raises(ClientClosed):
            await client.list_accounts()

    conforms(body)


def test_closing_finishes_what_was_queued(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        queued = [asyncio.create_task(client.prepare_account(WALLET)) for _ in range(3)]
        await asyncio.sleep(0)
        await client.close()
        assert len({one.hex for one in await asyncio.gather(*queued)}) == 3

    conforms(body)


def test_a_killed_client_answers_all_who_wait(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        waiting = [asyncio.create_task(client.sync()) for _ in range(5)]
        await asyncio.sleep(0)
        client.kill()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert any(isinstance(one, ClientClosed) for one in answers)
        assert client.closed
        await client.close()
        await (await spawned(world, folder)).close()

    conforms(body)


def test_a_killed_client_is_closed_at_once_and_gives_its_directory_back(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        account_id = await client.prepare_account(WALLET)
        await client.add_account(account_id)
        for _ in range(2):
            client.kill()
            assert client.closed
            with pytest.raises(ClientClosed):
                await client.list_accounts()
        for _ in range(2):
            await client.close()
        fresh = await spawned(world, folder)
        assert [one.account_id for one in await fresh.list_accounts()] == [account_id]
        await fresh.close()
        # Neither may harm the next client of the directory, nor what has ended.
        again = await spawned(world, folder)
        client.kill()
        fresh.kill()
        assert len(await again.list_accounts()) == 1
        await again.close()

    conforms(body)


def test_a_kill_ends_a_close_that_waits_for_a_command(conforms):
    async def body(world, folder):
        client = await spawned(world, folder)
        hold = held(client)
        syncing = asyncio.create_task(client.sync())
        await hold.begun()
        closing = asyncio.create_task(client.close())
        done, _ = await asyncio.wait((closing,), timeout=0.2)
        assert done == set()
        assert client.closed
        client.kill()
        await closing
        with pytest.raises(ClientClosed):
            await syncing
        hold.release()
        await (await spawned(world, folder)).close()

    conforms(body)
