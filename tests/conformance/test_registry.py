"""What the registry of clients promises with every factory: how many clients and threads."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from serve import Deadlines
from serve.clients.registry import ClientRegistry
from serve.domain.address import Owner
from tests.conformance.clients import NETWORK, WALLET

if TYPE_CHECKING:
    from serve.clients.timed_client import TimedClient


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_users_who_come_once_leave_no_more_clients_and_threads_than_may_run(conforms):
    async def body(world, folder):
        async def added(_owner: Owner, client: TimedClient) -> None:
            await client.add_account(await client.prepare_account(WALLET))

        registry = ClientRegistry(
            folder,
            world.clients,
            deadlines=Deadlines(),
            admit=nullcontext,
            on_open=added,
            clients_max=3,
        )

        async def use(numbers: range) -> None:
            for number in numbers:
                with await registry.lease(Owner(number.to_bytes(32, "big"), NETWORK)) as lease:
                    assert len(await lease.client.list_accounts()) == 1

        await use(range(3))
        full = threads()
        await use(range(3, 20))
        assert len(registry.live_clients()) == 3
        # A client works with two threads beside its own, or with three, as it happens.
        assert threads() <= full + 3
        await registry.close(30)
        assert registry.faults == ()

    conforms(body)
