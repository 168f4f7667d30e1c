"""Claims: the native client keeps serve's Client protocol against a real node."""

from __future__ import annotations

import asyncio
import collections
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from serve import errors
from serve.clients.port import Client, ClientFactory
from serve.domain.account_specs import FaucetSpec, KeyScheme, StorageMode, WalletSpec
from serve.domain.address import AccountId, Network
from serve.domain.client_values import AccountState
from serve.miden import MidenClientFactory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from serve.miden import MidenClient

pytestmark = pytest.mark.live

WALLET = WalletSpec(key_scheme=KeyScheme.ECDSA)
SLOW_WALLET = WalletSpec(key_scheme=KeyScheme.FALCON)
UNKNOWN = AccountId.from_hex("0xf60ebf944636ccf10b3e51c06bb190")
DIAL_TIMEOUT_S = 10.0


@pytest.fixture
def factory(node_endpoint: str) -> MidenClientFactory:
    return MidenClientFactory({Network.LOCALNET: node_endpoint})


@asynccontextmanager
async def opened(factory: MidenClientFactory, directory: Path) -> AsyncIterator[MidenClient]:
    client = await factory.spawn(directory, Network.LOCALNET, dial_timeout_s=DIAL_TIMEOUT_S)
    try:
        yield client
    finally:
        await client.close()


async def spawn_error(factory: MidenClientFactory, directory: Path) -> errors.ServeError | None:
    try:
        async with opened(factory, directory):
            return None
    except errors.ServeError as error:
        return error


class Relay:
    """A way to the node that can be made silent: connections stay open, nothing passes."""

    def __init__(self, endpoint: str, server: socket.socket) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self.node = (host, int(port))
        self.endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        self.passing = threading.Event()
        self.passing.set()
        self._server = server
        self._open: list[socket.socket] = []

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self.node)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        self.passing.set()
        for end in [self._server, *self._open]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.passing.wait()
                sink.sendall(data)


@contextmanager
def relay(endpoint: str) -> Iterator[Relay]:
    way = Relay(endpoint, socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=way.accept)
    thread.start()
    try:
        yield way
    finally:
        way.close()
        thread.join(60)


def test_the_factory_and_its_clients_keep_the_protocols(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            assert isinstance(factory, ClientFactory)
            assert isinstance(client, Client)

    asyncio.run(run())


def test_a_sync_reaches_the_tip_that_the_node_tells(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            before = await client.node_status()
            summary = await client.sync()
            after = await client.node_status()
        assert before.chain_tip <= summary.block_number <= after.chain_tip
        assert before.version.startswith("0.15.")
        assert len(bytes.fromhex(before.genesis_commitment.removeprefix("0x"))) == 32

    asyncio.run(run())


@pytest.mark.parametrize("key_scheme", KeyScheme)
@pytest.mark.parametrize("storage_mode", StorageMode)
@pytest.mark.parametrize("kind", ["wallet", "faucet"])
def test_a_key_is_on_disk_before_its_account_is_visible(
    factory, tmp_path, kind, storage_mode, key_scheme
):
    modes: dict[str, Any] = {"storage_mode": storage_mode, "key_scheme": key_scheme}
    token: dict[str, Any] = {"symbol": "ABC", "decimals": 6, "max_supply": 10**9}
    spec = WalletSpec(**modes) if kind == "wallet" else FaucetSpec(**token, **modes)

    async def run():
        async with opened(factory, tmp_path) as client:
            account_id = await client.prepare_account(spec)
            assert len(list((tmp_path / "keystore").glob("0x*"))) == 1
            assert await client.get_account(account_id) is None
            assert await client.list_accounts() == ()
            await client.add_account(account_id)
            await client.add_account(account_id)
            (account,) = await client.list_accounts()
            assert account == await client.get_account(account_id)
            assert (account.account_id, account.storage_mode) == (account_id, storage_mode)
            assert (account.state, account.nonce) == (AccountState.NEW, 0)
            status = await client.get_account_status(account_id)
            assert (status.state, status.assets) == (AccountState.NEW, ())

    asyncio.run(run())


def test_accounts_survive_and_prepared_ones_are_forgotten(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            kept = [await client.create_account(WALLET) for _ in range(3)]
            forgotten = await client.prepare_account(WALLET)
        async with opened(factory, tmp_path) as client:
            listed = [account.account_id for account in await client.list_accounts()]
            assert listed == sorted(kept, key=lambda account_id: account_id.hex)
            with pytest.raises(errors.AccountNotFound, match=forgotten.hex):
                await client.add_account(forgotten)
            await client.sync()

    asyncio.run(run())


def test_an_unknown_account_is_not_found(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            assert await client.get_account(UNKNOWN) is None
            with pytest.raises(errors.AccountNotFound, match=UNKNOWN.hex):
                await client.get_account_status(UNKNOWN)

    asyncio.run(run())


def test_one_directory_has_one_client(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path):
            assert type(await spawn_error(factory, tmp_path)) is errors.ClientStoreInUse
        assert await spawn_error(factory, tmp_path) is None

    asyncio.run(run())


def test_closing_finishes_what_was_taken_and_refuses_the_rest(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            taken = [asyncio.create_task(client.create_account(WALLET)) for _ in range(10)]
            await asyncio.sleep(0)
            await client.close()
            assert len({await task for task in taken}) == 10
            assert client.closed
            with pytest.raises(errors.ClientClosed, match="the client is closed"):
                await client.sync()
            await client.close()

    asyncio.run(run())


def test_a_dead_client_is_closed_answers_all_and_can_be_replaced_at_once(factory, tmp_path):
    async def run():
        client = await factory.spawn(tmp_path, Network.LOCALNET, dial_timeout_s=DIAL_TIMEOUT_S)
        account_id = await client.create_account(WALLET)
        waiting = [asyncio.create_task(client.create_account(SLOW_WALLET)) for _ in range(10)]
        await asyncio.sleep(0.01)
        client.kill()
        assert client.closed
        async with opened(factory, tmp_path) as fresh:
            assert await fresh.get_account(account_id) is not None
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {errors.ClientClosed, AccountId}
        assert isinstance(answers[-1], errors.ClientClosed)

    asyncio.run(run())


def test_a_command_cancelled_before_its_turn_is_skipped_and_a_begun_one_is_not(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            slow = [asyncio.create_task(client.create_account(SLOW_WALLET)) for _ in range(3)]
            await asyncio.sleep(0.05)
            for task in slow:
                task.cancel()
            # One Falcon key takes 0.1 s: the first has begun, the last has not.
            assert 1 <= len(await client.list_accounts()) <= 2

    asyncio.run(run())


def test_a_full_queue_is_busy_and_harms_nobody_in_it(node_endpoint, tmp_path):
    async def run():
        factory = MidenClientFactory({Network.LOCALNET: node_endpoint}, queue_length_max=3)
        async with opened(factory, tmp_path) as client:
            slow = asyncio.create_task(client.create_account(SLOW_WALLET))
            answers = await asyncio.gather(
                *(client.list_accounts() for _ in range(20)), return_exceptions=True
            )
            await slow
        refused = [str(answer) for answer in answers if isinstance(answer, errors.ClientFailed)]
        assert 17 <= len(refused) <= 18
        assert all("already has 3 commands waiting" in text for text in refused)
        assert sum(isinstance(answer, tuple) for answer in answers) == 20 - len(refused)

    asyncio.run(run())


def test_the_loop_turns_while_a_key_is_made(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            work = asyncio.create_task(client.create_account(SLOW_WALLET))
            turns = 0
            while not work.done():
                await asyncio.sleep(0.001)
                turns += 1
            await work
        # Making a Falcon key takes 0.1 s or more; with the GIL held there would be two turns.
        assert turns > 10

    asyncio.run(run())


def test_an_empty_store_is_refused_where_accounts_were(factory, tmp_path):
    async def run():
        async with opened(factory, tmp_path) as client:
            await client.create_account(WALLET)
        (tmp_path / "miden.sqlite3").write_bytes(b"")
        error = await spawn_error(factory, tmp_path)
        assert type(error) is errors.ClientStoreFailed
        assert "is empty" in str(error)
        assert (tmp_path / "miden.sqlite3").stat().st_size == 0

    asyncio.run(run())


@pytest.mark.parametrize("damage", ["header", "middle", "truncated", "foreign", "no marker"])
def test_a_damaged_or_foreign_store_is_refused(factory, tmp_path, damage):
    directory, other = tmp_path / "client", tmp_path / "other"
    store = directory / "miden.sqlite3"

    def harm() -> None:
        whole = store.read_bytes()
        if damage == "header":
            store.write_bytes(bytes(100) + whole[100:])
        elif damage == "middle":
            store.write_bytes(whole[:4096] + bytes([0xFF]) * (len(whole) - 8192) + whole[-4096:])
        elif damage == "truncated":
            store.write_bytes(whole[: len(whole) // 3])
        elif damage == "foreign":
            shutil.copy(other / "miden.sqlite3", store)
        else:
            (directory / "client.marker").unlink()

    async def run():
        for each in (directory, other):
            async with opened(factory, each) as client:
                await client.create_account(WALLET)
        harm()
        assert type(await spawn_error(factory, directory)) is errors.ClientStoreFailed

    asyncio.run(run())


def test_the_store_of_another_network_is_refused(factory, node_endpoint, tmp_path):
    async def run():
        async with opened(factory, tmp_path):
            pass
        testnet = MidenClientFactory({Network.TESTNET: node_endpoint})
        with pytest.raises(errors.NetworkMismatch, match="belongs to network mlcl"):
            await testnet.spawn(tmp_path, Network.TESTNET, dial_timeout_s=DIAL_TIMEOUT_S)

    asyncio.run(run())


def test_a_known_store_opens_and_works_without_a_node(factory, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"

    async def run():
        async with opened(factory, tmp_path) as client:
            account_id = await client.create_account(WALLET)
        async with opened(MidenClientFactory({Network.LOCALNET: closed}), tmp_path) as client:
            assert (await client.get_account_status(account_id)).assets == ()
            await client.create_account(WALLET)
            for command in (client.sync, client.node_status):
                with pytest.raises(errors.NodeUnreachable, match="Connection refused"):
                    await command()
        async with opened(factory, tmp_path) as client:
            await client.sync()

    asyncio.run(run())


def test_a_node_that_falls_silent_meets_the_deadlines_and_is_met_again(node_endpoint, tmp_path):
    async def run(way: Relay):
        factory = MidenClientFactory({Network.LOCALNET: way.endpoint}, 0.5, sync_timeout_s=2.0)
        async with opened(factory, tmp_path) as client:
            await client.sync()
            way.passing.clear()
            for command in (client.sync, client.node_status):
                with pytest.raises(errors.CommandTimedOut):
                    await command()
        async with opened(factory, tmp_path) as client:
            with pytest.raises(errors.DialTimedOut):
                await client.sync()
            way.passing.set()
            await client.sync()

    with relay(node_endpoint) as way:
        asyncio.run(run(way))


def test_a_hundred_clients_at_once_get_one_account_each(factory, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))

    async def one(number: int) -> AccountId:
        async with opened(factory, tmp_path / str(number)) as client:
            account_id = await client.create_account(WALLET)
            await client.sync()
            (account,) = await client.list_accounts()
            assert account.account_id == account_id
            return account_id

    async def run():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number)) for number in range(100)]
        assert len({task.result() for task in tasks}) == 100

    try:
        asyncio.run(run())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


EXITS = 100

# The exit comes while requests are on their way and answers arrive: half of the runs leave a
# loop that is still being called, half leave a mailbox that nobody reads.
EXIT_SCRIPT = """
import asyncio, pathlib, random, sys, threading, time
from serve.domain.address import Network
from serve.miden import MidenClientFactory

directory, endpoint, run = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chance = random.Random(run)
factory = MidenClientFactory({Network.LOCALNET: endpoint})

async def start(number):
    client = await factory.spawn(directory / str(number), Network.LOCALNET, dial_timeout_s=20)
    await client.sync()
    return client, [asyncio.ensure_future(client.sync()) for _ in range(50)]

async def main():
    working = await asyncio.gather(*map(start, range(3)))
    await asyncio.sleep(chance.uniform(0.0, 0.06))
    return working

loop = asyncio.new_event_loop()
working = loop.run_until_complete(main())
if run % 2:
    time.sleep(chance.uniform(0.0, 0.02))
sys.exit(7)
"""


@pytest.mark.timeout(280)
def test_a_hundred_exits_in_the_middle_of_a_sync_end_without_an_abort(node_endpoint, tmp_path):
    codes = collections.Counter(
        subprocess.run(
            [sys.executable, "-c", EXIT_SCRIPT, str(tmp_path / str(run)), node_endpoint, str(run)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=60,
            stderr=subprocess.DEVNULL,  # asyncio complains of the tasks that the exit cut off.
            check=False,
        ).returncode
        for run in range(EXITS)
    )
    assert codes == {7: EXITS}
