"""Serve cores that break one invariant each, by what they do around the public operations."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.miden.adapter.serve_core import ServeCore
from serve import CreateFaucet, Deadlines, Network, Serve, ServeError
from serve.clients.registry import ClientRegistry
from serve.domain.address import client_directory, secret_of
from serve.errors import ClientBusy, StoreFailed
from serve.store.storage_lock import StorageLock
from tests.sensitivity.broken_registries import service_with

if TYPE_CHECKING:
    from pathlib import Path

    from serve import AccountStatusData, RestoreReport
    from serve.clients.port import ClientFactory
    from serve.clients.tenancy import Lease
    from serve.domain.address import Owner
    from serve.domain.orders import AccountOrder, AccountOrderResult
    from serve.domain.records import AccountListing, OrderRecord


class OneSpawnAUser(ClientRegistry):
    """Holds one lock for each user while a client starts: its networks wait for each other."""

    async def lease(self, owner: Owner) -> Lease:
        locks: dict[bytes, asyncio.Lock] = self.__dict__.setdefault("_user_locks", {})
        async with locks.setdefault(owner.secret, asyncio.Lock()):
            return await super().lease(owner)


class StatusInTurn(Serve):
    """Asks clients one at a time for what they hold, whoever asks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asking = asyncio.Lock()

    async def get_account_status(
        self, secret: bytes, network: Network, address: str
    ) -> AccountStatusData:
        async with self._asking:
            return await super().get_account_status(secret, network, address)


class FirstReport(Serve):
    """Restores desks once, and gives the same report ever after."""

    async def init_desks(self) -> RestoreReport:
        if "_report" not in self.__dict__:
            self._report = await super().init_desks()
        return self._report


class DesksOpenClients(Serve):
    """Opens a client for each desk that it restores, beside that of the desk's owner."""

    def __init__(self, path: Path, clients: ClientFactory, **options: Any) -> None:
        super().__init__(path, clients, **options)
        self._starts = clients

    async def init_desks(self) -> RestoreReport:
        report = await super().init_desks()
        for account in report.restored:
            desk = await self.get_desk(account)
            secret = secret_of(desk.owner_identifier)
            directory = client_directory(self.storage_path, secret, desk.network)
            with suppress(ServeError):
                await self._starts.spawn(directory, desk.network, dial_timeout_s=10.0)
        return report


class RestoresAnew(Serve):
    """Ends the clients in use when desks are restored again."""

    async def init_desks(self) -> RestoreReport:
        await self.flush()
        return await super().init_desks()


class RewritesAssets(Serve):
    """Reads all assets before a faucet is made, and writes them back with the new one added."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **options: Any
    ) -> AccountOrderResult:
        if not isinstance(order, CreateFaucet):
            return await super().create_account_order(secret, order, **options)
        directory = client_directory(self.storage_path, secret, order.network)
        path = directory / "mosaic.sqlite3"
        known = await asyncio.to_thread(_asset_accounts, path)
        made = await super().create_account_order(secret, order, **options)
        await asyncio.to_thread(_keep_assets, path, [*known, made.account_id])
        return made


def _asset_accounts(path: Path) -> list[str]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
        return [account for (account,) in connection.execute("SELECT account FROM assets")]
    return []


def _keep_assets(path: Path, accounts: list[str]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        marks = ", ".join("?" * len(accounts))
        connection.execute(f"DELETE FROM assets WHERE account NOT IN ({marks})", accounts)


class NoTimeToEnd(Serve):
    """Cuts off what is under way as soon as it is closed."""

    def __init__(
        self, path: Path, clients: ClientFactory, *, deadlines: Deadlines, **options: Any
    ) -> None:
        hasty = replace(deadlines, drain_s=0.001)
        super().__init__(path, clients, deadlines=hasty, **options)


class NoCommandDeadline(Serve):
    """Waits for a command for as long as it takes."""

    def __init__(
        self, path: Path, clients: ClientFactory, *, deadlines: Deadlines, **options: Any
    ) -> None:
        patient = replace(deadlines, command_s=100_000.0)
        super().__init__(path, clients, deadlines=patient, **options)


class RanksOrders(Serve):
    """Reads the orders of whoever asked before, to compare; nothing of it is shown."""

    async def list_orders_for_user(self, secret: bytes) -> tuple[OrderRecord, ...]:
        before: bytes = self.__dict__.get("_before", secret)
        self._before = secret
        await super().list_orders_for_user(before)
        return await super().list_orders_for_user(secret)


class StaleListing(Serve):
    """Keeps listings, and forgets a user's when a creation of it begins: not when it has ended."""

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **options: Any
    ) -> AccountOrderResult:
        self.__dict__.setdefault("_listings", {}).pop(secret, None)
        return await super().create_account_order(secret, order, **options)

    async def list_accounts(self, secret: bytes) -> AccountListing:
        listings: dict[bytes, AccountListing] = self.__dict__.setdefault("_listings", {})
        if secret not in listings:
            listings[secret] = await super().list_accounts(secret)
        return listings[secret]


class WaitsForRoom(Serve):
    """Asks a full client again and again, in place of the caller."""

    async def get_account_status(
        self, secret: bytes, network: Network, address: str
    ) -> AccountStatusData:
        while True:
            try:
                return await super().get_account_status(secret, network, address)
            except ClientBusy:
                await asyncio.sleep(0.05)


class UnboundedClients(Serve):
    """Opens a client for whoever comes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **(options | {"clients_max": 1_000_000}))


class FewSlots(Serve):
    """Makes four accounts at a time, for all users together, first come first served."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._slots = asyncio.Semaphore(4)

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, **options: Any
    ) -> AccountOrderResult:
        async with self._slots:
            return await super().create_account_order(secret, order, **options)


class NotesReadings(Serve):
    """Notes each listing in a file of the user's: reads in a transaction, then writes in it."""

    async def list_orders_for_user(self, secret: bytes) -> tuple[OrderRecord, ...]:
        orders = await super().list_orders_for_user(secret)
        directory = client_directory(self.storage_path, secret, Network.LOCALNET)
        if orders:
            await self._note(directory / "readings.sqlite3")
        return orders

    async def _note(self, path: Path) -> None:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            connection.execute("CREATE TABLE IF NOT EXISTS readings (number INTEGER)")
            connection.execute("BEGIN")
            (count,) = connection.execute("SELECT count(*) FROM readings").fetchone()
            # Whoever else reads now holds the file against the write below.
            await asyncio.sleep(0.02)
            connection.execute("INSERT INTO readings VALUES (?)", (count + 1,))
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreFailed(f"{path}: {error}") from error
        finally:
            connection.close()


class Unlocked(StorageLock):
    """Takes no lock."""

    def acquire(self) -> None:
        return


class SharesStorage(Serve):
    """Opens on a storage that another Serve has open."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lock.__class__ = Unlocked


one_spawn_a_user = service_with(OneSpawnAUser)
status_in_turn = ServeCore(StatusInTurn)
first_report = ServeCore(FirstReport)
desks_open_clients = ServeCore(DesksOpenClients)
restores_anew = ServeCore(RestoresAnew)
rewrites_assets = ServeCore(RewritesAssets)
no_time_to_end = ServeCore(NoTimeToEnd)
no_command_deadline = ServeCore(NoCommandDeadline)
ranks_orders = ServeCore(RanksOrders)
stale_listing = ServeCore(StaleListing)
waits_for_room = ServeCore(WaitsForRoom)
unbounded_clients = ServeCore(UnboundedClients)
few_slots = ServeCore(FewSlots)
notes_readings = ServeCore(NotesReadings)
shares_storage = ServeCore(SharesStorage)
