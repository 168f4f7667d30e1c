"""Serve: the operations on accounts, desks and orders, from the service's opening to its close."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Self, get_args

from serve.accounts.creation import AccountCreation, checked_key
from serve.clients.deadlines import Deadlines
from serve.clients.registry import ClientRegistry
from serve.desks.registry import DeskRegistry
from serve.domain.account_specs import KeyScheme
from serve.domain.address import Network, Owner, canonical_address, client_directory, encode_address
from serve.domain.address import owner_identifier as identifier_of
from serve.domain.order_clock import OrderClock
from serve.domain.orders import AccountOrder
from serve.domain.records import AccountListing, AccountStatusData, AssetAmount
from serve.errors import AccountNotFound, BadOrder, ServeClosed, ServeError
from serve.points import point
from serve.service.audit import audit_service
from serve.service.open_owners import OpenOwners
from serve.service.operations import Operations
from serve.service.order_turns import OrderTurns
from serve.store.sqlite_files import Databases, Synchronous
from serve.store.storage_lock import StorageLock
from serve.store.top_store import TopStore
from serve.store.user_store import UserStore

if TYPE_CHECKING:
    from serve.clients.handle import ClientHandle
    from serve.clients.port import ClientFactory
    from serve.desks.registry import Desk
    from serve.domain.client_values import SyncSummary
    from serve.domain.orders import AccountOrderResult
    from serve.domain.records import OrderRecord, RestoreReport

__all__ = ["Serve"]


class Serve:
    """The service: accounts, orders and desks of many users, over a client for each user.

    Use it as ``async with Serve(path, clients) as serve``. No operation waits for the client of
    another user, and no lock is held across an await. Every operation raises ``ServeClosed`` before
    the service is open and once it is closing, ``BadSecret`` for a secret that is not 32 bytes,
    ``UnsupportedNetwork`` for an unknown network, and nothing but ``ServeError`` on purpose.
    """

    def __init__(
        self,
        storage_path: Path | str,
        clients: ClientFactory,
        *,
        deadlines: Deadlines | None = None,
        key_scheme: KeyScheme = KeyScheme.FALCON,
        server_url: str | None = None,
        synchronous: Synchronous = Synchronous.FULL,
        open_files_max: int = 64,
        store_workers: int = 8,
        clients_max: int = 128,
        idle_s: float = 600.0,
    ) -> None:
        """Prepare a service; nothing is touched before it is opened.

        ``storage_path``: an existing directory. ``key_scheme``: of the accounts it makes.
        ``server_url``: the beginning of a desk's market URL where its row has none.
        ``synchronous``, ``open_files_max``, ``store_workers``: see ``serve.store.sqlite_files``.
        ``clients_max``: how many clients run at once; a further one waits up to ``spawn_s`` for a
        place, then ``ClientBusy``. ``idle_s``: after so many seconds unused a client may end.
        """
        self._storage_path = Path(storage_path).absolute()
        self._deadlines = deadlines or Deadlines()
        self._operations = Operations()
        self._lock = StorageLock(self._storage_path)
        self._databases = Databases(
            synchronous=synchronous, open_files_max=open_files_max, workers=store_workers
        )
        self._users = UserStore(self._storage_path, self._databases)
        self._top = TopStore(self._storage_path, self._databases)
        self._open_owners = OpenOwners(self._top, self._users)
        self._creation = AccountCreation(
            self._users,
            OrderClock(),
            key_scheme=key_scheme,
            recovery_s=self._deadlines.recovery_s,
            mark=self._open_owners.mark,
        )
        self._clients = ClientRegistry(
            self._storage_path,
            clients,
            deadlines=self._deadlines,
            admit=self._operations.admit,
            on_open=lambda *opened: self._turns.recover(*opened, wait_s=self._deadlines.spawn_s),
            clients_max=clients_max,
            idle_s=idle_s,
        )
        self._turns = OrderTurns(self._operations, self._clients, self._creation)
        self._desks = DeskRegistry(
            self._storage_path, self._top, self._clients, server_url=server_url
        )
        self._opening: asyncio.Event | None = None  # Set once the opening has ended.
        self._closing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def storage_path(self) -> Path:
        """The absolute path of the directory that holds all files of this service."""
        return self._storage_path

    async def __aenter__(self) -> Self:
        """Take the storage path.

        Raises:
            StoragePathNotFound: It is not an existing directory.
            StorageInUse: Another Serve has it.
            StoreFailed: Its lock file cannot be written.
            ServeClosed: This Serve is open, or was before, or failed to open.
        """
        if self._opening is not None or self._closing is not None:
            raise ServeClosed("a Serve is entered once: this one is open, or was before")
        self._opening = asyncio.Event()
        acquiring = self._databases.submit(self._lock.acquire)
        try:
            await asyncio.wait((acquiring,))
            acquiring.result()
            if self._closing is not None:
                raise ServeClosed("the service was closed while it opened")  # noqa: TRY301
        except BaseException:
            acquiring.add_done_callback(self._give_back)
            await self._databases.close()
            raise
        finally:
            self._opening.set()
        self._operations.open()
        self._sweeping = asyncio.get_running_loop().create_task(
            self._open_owners.sweep(self._turns.sync), name="serve:sweep"
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the service: refuse new work, wait for work under way, close all; idempotent.

        Operations under way have ``drain_s`` seconds to end. After that their tails are cancelled,
        their rows stay pending, and the next start of the service decides them.

        Raises:
            CloseTimedOut: A client did not close in time. All else is closed.
        """
        if self._closing is None:
            self._operations.refuse("the service is closed, or closing")
            self._closing = asyncio.get_running_loop().create_task(
                self._close(), name="serve:close"
            )
        # Like an operation's tail, a shutdown once begun goes on if its caller is cancelled.
        await asyncio.wait((self._closing,))
        self._closing.result()

    async def get_client(self, secret: bytes, network: Network) -> ClientHandle:
        """Return the user's client: the same object for all callers while the client lives.

        Raises:
            ClientFailed: It could not be started: ``SpawnFailed``, ``SpawnTimedOut``,
                ``DialTimedOut``, ``NodeUnreachable``, ``ClientStoreFailed``, ``ClientStoreInUse``.
            CloseTimedOut: The user's former client has not closed yet.
        """
        owner = Owner.of(secret, network)
        with self._operations.admit():
            return await self._clients.handle(owner)

    async def create_account_order(
        self, secret: bytes, order: AccountOrder, *, request_key: str | None = None
    ) -> AccountOrderResult:
        """Make an account; a faucet's token becomes an asset of the user.

        Once it has begun, cancelling the caller does not stop the creation. If the node fails
        half-way, the order stays pending, and the next sync finishes it.

        A ``request_key``, 1 to 200 characters of the caller's choice, names the request among the
        user's on this network: asked for again with its key, an order that is under way, unfinished
        or done is not made again, but answered; one that has failed is tried anew. Without a key
        only an equal order that is not finished, and that nobody waits for, is the same request.

        Raises:
            BadOrder: Not an order.
            InvalidInput: Not a request key.
            RequestKeyReused: The key belongs to another order.
            ClientFailed: The client could not be started, or a command failed.
            StoreFailed: The user's database could not be written.
        """
        if not isinstance(order, get_args(AccountOrder)):
            raise BadOrder(
                "order must be a CreateClient, CreateLiquidity or CreateFaucet;"
                f" got {type(order).__name__} (parse_order reads JSON)"
            )
        owner, key = Owner.of(secret, order.network), checked_key(request_key)
        with self._operations.admit():
            return await self._turns.create(owner, order, key)

    async def client_sync(self, secret: bytes, network: Network) -> SyncSummary:
        """Bring the user's client to the chain's tip, and finish accounts that wait for a sync.

        Raises:
            ClientFailed: The client could not be started, or a command failed.
            StoreFailed: The user's database could not be written.
        """
        owner = Owner.of(secret, network)
        with self._operations.admit():
            return await self._turns.sync(owner)

    async def list_accounts(self, secret: bytes) -> AccountListing:
        """List the user's accounts and desks on both networks; asks no client, creates nothing.

        Raises:
            StoreFailed: A database could not be read.
        """
        identifier = identifier_of(secret)
        with self._operations.admit():
            # All reads are queued before the first is awaited, so that they overlap.
            reads = [self._users.list_accounts(Owner(secret, network)) for network in Network]
            desks = await self._desks.list_desks_of(identifier)
            accounts = [entry for read in reads for entry in await read]
        return AccountListing(client_accounts=tuple(accounts), desk_accounts=desks)

    async def list_orders_for_user(self, secret: bytes) -> tuple[OrderRecord, ...]:
        """List the user's orders on both networks, newest first; creates nothing.

        Raises:
            StoreFailed: A database could not be read.
        """
        identifier_of(secret)
        with self._operations.admit():
            reads = [self._users.list_orders(Owner(secret, network)) for network in Network]
            orders = [order for read in reads for order in await read]
        return tuple(sorted(orders, key=lambda order: -order.sequence))

    async def get_account_status(
        self, secret: bytes, network: Network, address: str
    ) -> AccountStatusData:
        """Return what an account of the user is and owns, as the client's store has it.

        Raises:
            BadAddress, UnsupportedNetwork: ``address`` is not an address.
            NetworkMismatch: It is an address on another network than ``network``.
            AccountNotFound: The client's store does not hold it. No client is started for a user
                who never had one.
            ClientFailed: The client could not be started, or the command failed.
            StoreFailed: The user's database could not be read.
        """
        owner = Owner.of(secret, network)
        account_id, account = canonical_address(address, network=owner.network)
        with self._operations.admit():
            await self._require_directory(owner, account)
            with await self._clients.lease(owner) as lease:
                status = await lease.client.get_account_status(account_id)
            kind = await self._users.account_kind(owner, account)
        return AccountStatusData(
            account_id=account,
            storage_mode=status.storage_mode,
            account_type=kind,
            assets=tuple(
                AssetAmount(faucet=encode_address(asset.faucet, owner.network), amount=asset.amount)
                for asset in status.assets
            ),
        )

    async def init_desks(self) -> RestoreReport:
        """Start the clients of all desks' owners, a few at a time; safe to call again at any time.

        Raises:
            StoreFailed: The file could not be read.
        """
        with self._operations.admit():
            return await self._desks.restore_all()

    async def list_desks(self) -> tuple[str, ...]:
        """List the desks' addresses, sorted, restored or not.

        Raises:
            StoreFailed: The desks' file could not be read.
        """
        with self._operations.admit():
            return await self._desks.list_desks()

    async def get_desk(self, account: str) -> Desk:
        """Return a desk by its address; starts no client.

        Raises:
            BadAddress, UnsupportedNetwork: ``account`` is not an address.
            DeskNotFound: There is no such desk.
            DeskNotRestored: Its row cannot be read; the cause says why.
            StoreFailed: The desks' file could not be read.
        """
        with self._operations.admit():
            return await self._desks.get_desk(account)

    async def flush(self) -> int:
        """Let every client end after its operations; return how many live clients that were.

        The next use of an owner's client waits for that end, then starts a new client.
        """
        with self._operations.admit():
            return self._clients.flush()

    async def flush_clients_for_secret(self, secret: bytes) -> int:
        """Let one user's clients end, as ``flush`` does all."""
        identifier_of(secret)
        with self._operations.admit():
            return self._clients.flush(secret)

    async def drained(self) -> None:
        """Wait until every client that was flushed has closed, or has outlived its deadline."""
        with self._operations.admit():
            await self._clients.drained()

    async def settled(self) -> None:
        """Wait until no operation, no tail of one, no sweep and no start of a client is under way.

        Tails and starts go on when their callers are gone.
        """
        await self._swept()
        await self._operations.settled()
        while self._clients.is_starting:
            await self._clients.started()
            await self._operations.settled()

    def live_clients(self) -> tuple[tuple[str, Network], ...]:
        """Return the owner identifier and network of each live client, in order of start."""
        return tuple(
            (identifier_of(owner.secret), owner.network)
            for owner, _ in self._clients.live_clients()
        )

    def orphan_slots(self) -> tuple[str, ...]:
        """Name the clients whose slot nothing will ever empty; there is none in a sound service."""
        return self._clients.orphans()

    async def audit(self) -> tuple[str, ...]:
        """Check the service's state for contradictions; return a text for each, none if sound.

        Meant for a quiet moment: after ``settled`` and ``drained``, with nothing begun since. Asks
        the live clients for their accounts, and SQLite for the soundness of every file. Each text
        begins with the rule that is broken, see ``serve.service.audit``.
        """
        with self._operations.admit():
            await self._swept()
            return await audit_service(
                self._storage_path,
                databases=self._databases,
                users=self._users,
                top=self._top,
                clients=self._clients,
                orders=self._creation.engine,
                desks=self._desks,
            )

    async def _require_directory(self, owner: Owner, account: str) -> None:
        if self._clients.has_slot(owner):
            return
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        if not await self._databases.call(directory.is_dir):
            raise AccountNotFound(f"account {account} is not among this user's on {owner.network}")

    def _give_back(self, acquired: asyncio.Future[None]) -> None:
        if not acquired.cancelled():
            acquired.exception()  # Marked as seen: whoever opened may be gone.
        self._lock.release()

    async def _swept(self) -> None:
        if self._sweeping is not None:
            await asyncio.wait((self._sweeping,))

    async def _close(self) -> None:
        failures: list[ServeError] = []
        if self._opening is not None:
            await self._opening.wait()
        try:
            if self._sweeping is not None:
                self._sweeping.cancel()
            await self._swept()
            await self._operations.drain(self._deadlines.drain_s)
            joining = self._clients.close(self._deadlines.close_s)
            for ending in (point("shutdown.before_join"), joining):
                try:
                    await ending
                except ServeError as error:
                    failures.append(error)
            await self._open_owners.unmark(self._creation.engine.has_open)
        finally:
            await self._databases.close(then=self._lock.release)
        if failures:
            raise failures[0]
