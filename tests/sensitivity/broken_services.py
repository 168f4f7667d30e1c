"""Serve cores with one thing wrong each, outside of the registry."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from harness.miden.adapter.serve_core import ServeCore
from serve import CreateClient, Deadlines, Serve
from serve.accounts.creation import AccountCreation
from serve.domain.account_specs import KeyScheme, WalletSpec
from serve.domain.records import AccountListing, RestoreReport
from serve.errors import ClientFailed, StoreFailed
from serve.service.operations import Operations, Tail

if TYPE_CHECKING:
    from pathlib import Path

    from serve.clients.port import ClientFactory
    from serve.domain.orders import AccountOrder, AccountOrderResult

LOCKED = (
    "get_client",
    "create_account_order",
    "client_sync",
    "list_accounts",
    "list_orders_for_user",
    "get_account_status",
    "init_desks",
    "list_desks",
    "get_desk",
)


class CoarseLock(Serve):
    """Holds one lock across every operation's awaits, as the original did."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._coarse = asyncio.Lock()


def _locked(name: str) -> Any:
    async def operation(self: CoarseLock, *arguments: Any, **key: Any) -> Any:
        async with self._coarse:
            return await getattr(Serve, name)(self, *arguments, **key)

    return operation


for _name in LOCKED:
    setattr(CoarseLock, _name, _locked(_name))


class CrossedLocks(Serve):
    """Takes two locks in one order to create, and in the other to list."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._client_lock = asyncio.Lock()
        self._row_lock = asyncio.Lock()

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        async with self._client_lock:
            await asyncio.sleep(0.01)
            async with self._row_lock:
                return await super().create_account_order(secret, order, **key)

    async def list_accounts(self, secret: bytes) -> AccountListing:
        async with self._row_lock:
            await asyncio.sleep(0.01)
            async with self._client_lock:
                return await super().list_accounts(secret)


class IdTwice(Serve):
    """Answers a second creation with the account of the first."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        made = await super().create_account_order(secret, order, **key)
        first: AccountOrderResult = self.__dict__.setdefault("_first", made)
        return replace(made, account_id=first.account_id)


class LeakyListing(Serve):
    """Answers a listing with the one before it, whoever asked for that."""

    async def list_accounts(self, secret: bytes) -> AccountListing:
        own = await super().list_accounts(secret)
        before: AccountListing = self.__dict__.get("_before", own)
        self._before = own
        return before


class LosesRows(Serve):
    """Forgets an account when three are there: a listing that is never complete."""

    async def list_accounts(self, secret: bytes) -> AccountListing:
        own = await super().list_accounts(secret)
        return replace(own, client_accounts=own.client_accounts[:1])


class ListingAsksClient(Serve):
    """Asks the client for its accounts to list them, and so waits behind what it is doing."""

    async def list_accounts(self, secret: bytes) -> AccountListing:
        own = await super().list_accounts(secret)
        if own.client_accounts:
            client = await self.get_client(secret, own.client_accounts[0].network)
            await client.list_accounts()
        return own


class BusyBeyondTen(Serve):
    """Refuses the eleventh creation at once."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        self._under_way = self.__dict__.get("_under_way", 0) + 1
        try:
            if self._under_way > 10:
                raise ClientFailed("busy")
            return await super().create_account_order(secret, order, **key)
        finally:
            self._under_way -= 1


class DoublesWhenBusy(Serve):
    """Goes on with an order behind the back of the caller, who was told that it failed."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        try:
            return await super().create_account_order(secret, order, **key)
        except StoreFailed:
            self._behind = asyncio.create_task(super().create_account_order(secret, order, **key))
            raise


class NamesLost(Serve):
    """Makes the account, but without its name."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        plain = replace(order, name=None) if isinstance(order, CreateClient) else order
        return await super().create_account_order(secret, plain, **key)


class ForgetsDesks(Serve):
    """Restores nothing, and says that all is well."""

    async def init_desks(self) -> RestoreReport:
        return RestoreReport(restored=(), failed=())


class NoSpawnDeadline(Serve):
    """Waits for a spawn for as long as it takes."""

    def __init__(
        self, path: Path, clients: ClientFactory, *, deadlines: Deadlines, key_scheme: KeyScheme
    ) -> None:
        patient = replace(deadlines, spawn_s=100_000.0)
        super().__init__(path, clients, deadlines=patient, key_scheme=key_scheme)


class _SlowSync:
    """A client whose sync waits for a lock that all users share."""

    def __init__(self, client: Any, lock: asyncio.Lock) -> None:
        self._client = client
        self._lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def sync(self) -> Any:
        async with self._lock:
            return await self._client.sync()


class LocksSlowCall(AccountCreation):
    """Holds a lock across one slow call only: the sync."""

    async def create(self, owner: Any, order: Any, client: Any, **key: Any) -> Any:
        lock: asyncio.Lock = self.__dict__.setdefault("_sync_lock", asyncio.Lock())
        return await super().create(owner, order, cast("Any", _SlowSync(client, lock)), **key)


class LeavesOrphans(AccountCreation):
    """Adds an account that no row speaks of, as a row written after the effect may leave one."""

    async def create(self, owner: Any, order: Any, client: Any, **key: Any) -> Any:
        await client.add_account(await client.prepare_account(WalletSpec()))
        return await super().create(owner, order, client, **key)


class NeverResumes(AccountCreation):
    """Starts afresh at every retry."""

    async def create(self, owner: Any, order: Any, client: Any, **key: Any) -> Any:
        cast("Any", self.engine).unfinished = lambda _: []
        return await super().create(owner, order, client, **key)


class TailDies(Operations):
    """Cancels an operation's tail with its caller."""

    async def outlive(self, tail: Tail) -> Any:
        task = asyncio.get_running_loop().create_task(tail.work(), name=tail.name)
        try:
            return await task
        finally:
            tail.done()


class CrossedLocksTicking(CrossedLocks):
    """Takes two locks in two orders, and has a task that ticks on whatever happens."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        if "_ticker" not in self.__dict__:
            self._ticker = asyncio.create_task(_tick(), name="ticker")
        return await super().create_account_order(secret, order, **key)


async def _tick() -> None:
    while True:  # noqa: ASYNC110 - it only ticks
        await asyncio.sleep(0.05)


class LeavesTicker(Serve):
    """Starts a task at its first creation that nobody ends when it is closed."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        if "_ticker" not in self.__dict__:
            self._ticker = asyncio.create_task(_tick(), name="ticker")
        return await super().create_account_order(secret, order, **key)


class KeepsPermit(Serve):
    """Takes one of many slots for a listing, and gives it back only if there is nothing to list."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._slots = asyncio.Semaphore(100)

    async def list_accounts(self, secret: bytes) -> AccountListing:
        await self._slots.acquire()
        listing = await super().list_accounts(secret)
        if not listing.client_accounts:
            self._slots.release()
        return listing


class ForgetsAwait(Serve):
    """Calls a coroutine function and awaits nothing."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        made = await super().create_account_order(secret, order, **key)
        self._tell()  # type: ignore[unused-coroutine]
        return made

    async def _tell(self) -> None:
        await asyncio.sleep(0)


class BlocksLoop(Serve):
    """Reads a file and asks a database of its own on the loop's thread at every creation."""

    def __init__(self, path: Path, *arguments: Any, **options: Any) -> None:
        super().__init__(path, *arguments, **options)
        self._side_database = path / "side.sqlite3"

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **key: Any
    ) -> AccountOrderResult:
        with sqlite3.connect(self._side_database) as connection:
            connection.execute("create table if not exists seen (name text)")
        self._side_database.read_bytes()
        return await super().create_account_order(secret, order, **key)


def service_with(attribute: str, kind: type) -> ServeCore:
    """Make a serve core one part of which is of another class."""

    class Broken(Serve):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            getattr(self, attribute).__class__ = kind

    Broken.__name__ = kind.__name__
    return ServeCore(Broken)


coarse_lock = ServeCore(CoarseLock)
crossed_locks = ServeCore(CrossedLocks)
crossed_locks_ticking = ServeCore(CrossedLocksTicking)
leaves_ticker = ServeCore(LeavesTicker)
forgets_await = ServeCore(ForgetsAwait)
keeps_permit = ServeCore(KeepsPermit)
blocks_loop = ServeCore(BlocksLoop)
doubles_when_busy = ServeCore(DoublesWhenBusy)
id_twice = ServeCore(IdTwice)
leaky_listing = ServeCore(LeakyListing)
loses_rows = ServeCore(LosesRows)
listing_asks_client = ServeCore(ListingAsksClient)
busy_beyond_ten = ServeCore(BusyBeyondTen)
names_lost = ServeCore(NamesLost)
forgets_desks = ServeCore(ForgetsDesks)
no_spawn_deadline = ServeCore(NoSpawnDeadline)
locks_slow_call = service_with("_creation", LocksSlowCall)
leaves_orphans = service_with("_creation", LeavesOrphans)
never_resumes = service_with("_creation", NeverResumes)
tail_dies = service_with("_operations", TailDies)
