"""Client registries with one thing wrong each, and the services that use them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.miden.adapter.serve_core import ServeCore
from serve import Serve
from serve.clients.handle import ClientHandle
from serve.clients.registry import ClientRegistry
from serve.clients.tenancy import Lease, Tenancy
from serve.clients.timed_client import TimedClient
from serve.domain.address import client_directory
from serve.service.operations import Operations, Tail

if TYPE_CHECKING:
    from serve.domain.address import Owner


def service_with(
    registry: type[ClientRegistry], operations: type[Operations] = Operations
) -> ServeCore:
    """Make a serve core whose registry is of another class."""

    class Broken(Serve):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._clients.__class__ = registry
            self._operations.__class__ = operations

    Broken.__name__ = registry.__name__
    return ServeCore(Broken)


class _Unshared(ClientRegistry):
    """Spawns in the caller's own task, without publishing a slot first."""

    async def _own(self, owner: Owner) -> Tenancy:
        self._generation += 1
        tenancy = Tenancy(owner, self._generation)
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        tenancy.client = await self._factory.spawn(directory, owner.network, dial_timeout_s=10.0)
        timed = TimedClient(tenancy.client, command_s=60.0, label=tenancy.label)
        tenancy.go_live(timed, ClientHandle(self.use, owner, tenancy.generation))
        return tenancy


class CheckThenSpawn(_Unshared):
    """Looks whether there is a client, and spawns one if not: callers at once all spawn."""

    async def lease(self, owner: Owner) -> Lease:
        if owner not in self._slots:
            self._slots[owner] = await self._own(owner)
        return Lease(self._slots[owner], self.note_release)


class SpawnThenRecheck(_Unshared):
    """As the original's fix: checks, spawns, checks again, and drops its own if it came second."""

    async def lease(self, owner: Owner) -> Lease:
        if owner not in self._slots:
            tenancy = await self._own(owner)
            self._slots.setdefault(owner, tenancy)
        return Lease(self._slots[owner], self.note_release)


class LeaderSpawns(_Unshared):
    """Callers share a future, but the first one's own task fills it: its cancellation is theirs."""

    async def lease(self, owner: Owner) -> Lease:
        shared: dict[Owner, asyncio.Future[Tenancy]] = self.__dict__.setdefault("_shared", {})
        if owner not in shared:
            shared[owner] = asyncio.get_running_loop().create_future()
            try:
                tenancy = await self._own(owner)
            except BaseException:
                shared.pop(owner).cancel()
                raise
            self._slots[owner] = tenancy
            shared[owner].set_result(tenancy)
        return Lease(await asyncio.shield(shared[owner]), self.note_release)


class WakesOne(ClientRegistry):
    """Tells one of those who wait that the client has started, and forgets the others."""

    async def lease(self, owner: Owner) -> Lease:
        started: dict[Owner, asyncio.Condition] = self.__dict__.setdefault("_started", {})
        if owner not in started:
            started[owner] = asyncio.Condition()
            lease = await super().lease(owner)
            async with started[owner]:
                started[owner].notify(1)
            return lease
        tenancy = self._slots.get(owner)
        if tenancy is None or not tenancy.is_open:
            async with started[owner]:
                await started[owner].wait()
        return await super().lease(owner)


class KeepsTheDead(ClientRegistry):
    """Hands out a client without looking whether it still lives."""

    def note_release(self, tenancy: Tenancy) -> None:
        tenancy.lease_count -= 1

    async def lease(self, owner: Owner) -> Lease:
        tenancy = self._slots.get(owner)
        if tenancy is not None and tenancy.is_open:
            return Lease(tenancy, self.note_release)
        return await super().lease(owner)


class KeepsFailures(ClientRegistry):
    """Remembers that a spawn failed, and fails all later callers with it."""

    async def lease(self, owner: Owner) -> Lease:
        failures: dict[Owner, Exception] = self.__dict__.setdefault("_failures", {})
        if owner in failures:
            raise failures[owner]
        try:
            return await super().lease(owner)
        except Exception as error:
            failures[owner] = error
            raise


class FlushForgets(ClientRegistry):
    """Flushes by dropping the slots: the next caller spawns beside the client still in use."""

    def flush(self, secret: bytes | None = None) -> int:
        dropped = [one for one in self._slots if secret is None or one.secret == secret]
        for owner in dropped:
            del self._slots[owner]
        return len(dropped)

    async def close(self, drain_s: float) -> None:
        super().flush()
        await super().close(drain_s)


class OneSpawnAtATime(ClientRegistry):
    """Holds one lock for all users while a client starts."""

    async def lease(self, owner: Owner) -> Lease:
        lock: asyncio.Lock = self.__dict__.setdefault("_spawn_lock", asyncio.Lock())
        async with lock:
            return await super().lease(owner)


class HandleForEach(ClientRegistry):
    """Gives every caller an object of its own."""

    async def handle(self, owner: Owner) -> ClientHandle:
        handle = await super().handle(owner)
        return ClientHandle(self.use, owner, handle.generation)


class SecondClient(ClientRegistry):
    """Lends each caller a client of a separate folder: a user's commands take no turns any more."""

    async def lease(self, owner: Owner) -> Lease:
        return await super().lease(owner._replace(secret=bytes([self._generation % 256]) * 32))


class NoTurns(Operations):
    """Lets a user's orders run at once."""

    async def outlive(self, tail: Tail) -> Any:
        tail.lane = object()
        return await super().outlive(tail)


check_then_spawn = service_with(CheckThenSpawn)
spawn_then_recheck = service_with(SpawnThenRecheck)
leader_spawns = service_with(LeaderSpawns)
lost_wake_up = service_with(WakesOne)
dead_client_kept = service_with(KeepsTheDead)
failed_spawn_kept = service_with(KeepsFailures)
flush_forgets = service_with(FlushForgets)
one_spawn_at_a_time = service_with(OneSpawnAtATime)
handle_for_each = service_with(HandleForEach)
second_client = service_with(SecondClient, NoTurns)
