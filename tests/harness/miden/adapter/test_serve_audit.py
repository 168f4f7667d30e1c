"""The claims that the audit of the serve core names each contradiction, Q1 to Q7, by itself."""

from __future__ import annotations

import asyncio
import threading

import pytest

from harness.choices.points import Interception
from harness.history.plain_data import PlainData
from harness.history.recorder import Recorder
from harness.history.records import NodeKind
from harness.miden.adapter.serve_core import ServeCore, secret_of
from harness.runs.opening import open_backend
from harness.scenario.model import User
from harness.systems.port import Environment
from serve import AccountId, Network, Serve, client_directory

USERS = (User(name="ann"), User(name="ben"))
ORDER = {"CreateClient": {"network": "Localnet", "name": "one"}}
WHERE = {"network": "Localnet"}


def told(found):
    """Keep what each finding contradicts."""
    return [one.partition(":")[0] for one in found]


@pytest.fixture
def on_bench(tmp_path):
    """Run a body on an open serve core; return what the audit found once it was closed."""

    def run(body, service=Serve):
        found = []

        prepared = open_backend("simulated", needs_node=True).prepare(seed=3)
        stage = prepared.stage

        async def main():
            recorder = Recorder(
                NodeKind.SIMULATED, plain=PlainData({}), clock=stage.clock, note=stage.note
            )
            async with stage.open_world("audit", needs_node=True) as world:
                environment = Environment(
                    directory=tmp_path,
                    node=NodeKind.SIMULATED,
                    clients=world.clients,
                    settings={},
                    users=USERS,
                    recorder=recorder,
                    interception=Interception(recorder, []),
                )
                async with ServeCore(service).open(environment) as session:
                    await session.call("create_account_order", USERS[0], {"order": ORDER})
                    assert await session.audit() == ()
                    await body(session, world.clients, tmp_path)
                found.extend(recorder.audit or ())

        ran = prepared.carry_out(main)
        if ran.error is not None:
            raise ran.error
        return found

    return run


def unlock_directories(clients):
    """Let a second client be opened on a directory, as two machines on one disk could do."""
    clients.open_directories.clear()


class LosesAClient(Serve):
    """Forgets a client instead of draining it."""

    async def flush(self):
        self._clients._slots.clear()  # noqa: SLF001 - no sound service can forget one
        return 1


def test_q1_a_client_that_the_service_forgot_is_named(on_bench):
    async def body(session, _clients, _path):
        await session.call("flush", None, {})
        found = await session.audit()
        assert told(found) == ["Q1"]
        assert "client 0 of (ann, Localnet) lives, and the service has none" in found[0]

    left = on_bench(body, LosesAClient)
    assert told(left) == ["Q1"]
    assert "client 0 of (ann, Localnet) has not ended, the service has" in left[0]


def test_q2_two_clients_on_one_directory_are_named(on_bench):
    async def body(session, clients, path):
        await session.call("flush", None, {})
        directory = client_directory(path, secret_of(USERS[0]), Network.LOCALNET)
        unlock_directories(clients)
        opened = session.auditor.clients
        second = await opened.spawn(directory, Network.LOCALNET, dial_timeout_s=1)
        await session.call("get_client", USERS[0], WHERE)
        unlock_directories(clients)
        third = await opened.spawn(directory, Network.LOCALNET, dial_timeout_s=1)
        found = await session.audit()
        assert f"Q2: 3 clients are open on {directory.name}" in found
        assert set(told(found)) <= {"Q1", "Q2"}
        await second.close()
        await third.close()

    on_bench(body)


def test_q3_a_thread_that_goes_on_is_named(on_bench):
    async def body(session, _clients, _path):
        # No thread can be started in a simulation: let one that runs already count as started.
        session.auditor.threads_before.discard(threading.main_thread().ident)
        found = await session.audit()
        assert found == ("Q3: thread MainThread has been started, and goes on",)

    on_bench(body)


def test_q4_an_account_without_its_key_is_named(on_bench):
    async def body(session, clients, path):
        directory = client_directory(path, secret_of(USERS[0]), Network.LOCALNET).name
        (made,) = await session.call("list_client_accounts", USERS[0], WHERE)
        account = AccountId.from_hex(made)
        clients.stores[directory].keys.discard(account)
        assert await session.audit() == (
            f"Q4: {directory}: the client holds {account.hex}, and no key of it",
        )

    on_bench(body)


def test_q7_a_log_that_a_closed_service_leaves_is_named(on_bench):
    async def body(_session, _clients, path):
        # Beside a file that the service has not opened: it removes those of its own.
        (path / "localnet_x").mkdir()
        (path / "localnet_x/mosaic.sqlite3-wal").write_bytes(b"")

    assert on_bench(body) == ["Q7: localnet_x/mosaic.sqlite3-wal is left by a closed service"]


def test_an_audit_waits_for_what_goes_on_of_a_cancelled_caller(on_bench):
    async def body(session, _clients, _path):
        task = asyncio.create_task(session.call("create_account_order", USERS[1], {"order": ORDER}))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert await session.audit() == ()
        (order,) = await session.call("list_orders", USERS[1], {})
        assert order["status"] == "succeeded"

    on_bench(body)
