"""The registry of clients: at most one for each owner, and at most ``clients_max`` in all.

An owner's slot is empty or holds a *tenancy*: a client, from the start of its spawn to the end of
its close. The next tenancy of an owner begins only when the last has ended, so no directory is
ever open twice. Code between two awaits is atomic on an event loop, so there is no lock: a slot is
always changed before the first await.

A caller that uses a client holds a *lease* on its tenancy. A draining tenancy takes no new leases,
and its client is closed when the last lease is released; a dead client is closed at once, and one
that hangs is killed. A start waits, first come first served, until there is a *place* for one more
client: the client that has been idle for longest makes room.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from serve.clients.deadlines import deadline
from serve.clients.handle import ClientHandle
from serve.clients.tenancy import Lease, Stage, Tenancy
from serve.clients.timed_client import TimedClient
from serve.domain.address import client_directory
from serve.domain.shared_errors import copy_of
from serve.errors import (
    ClientBusy,
    CloseTimedOut,
    InvalidInput,
    ServeClosed,
    ServeError,
    SpawnFailed,
    SpawnTimedOut,
)
from serve.points import point

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from serve.clients.deadlines import Deadlines
    from serve.clients.port import Client, ClientFactory
    from serve.domain.address import Owner

__all__ = ["ClientRegistry"]


class ClientRegistry:
    """Starts, shares, drains and closes the clients of all owners."""

    def __init__(
        self,
        storage_path: Path,
        factory: ClientFactory,
        *,
        deadlines: Deadlines,
        admit: Callable[[], AbstractContextManager[None]],
        on_open: Callable[[Owner, TimedClient], Awaitable[None]],
        clients_max: int = 128,
        idle_s: float = 600.0,
    ) -> None:
        """Prepare a registry; it starts nothing by itself.

        ``admit`` is entered for every command of a handle; ``on_open`` is awaited with each new
        client before a caller gets it, for as long as it takes. A client that nobody has used for
        ``idle_s`` seconds is drained when the registry is next used.

        Raises:
            InvalidInput: ``clients_max`` is below 1, or ``idle_s`` not above 0.
        """
        if clients_max < 1 or not idle_s > 0:
            raise InvalidInput(f"clients_max must be >= 1, idle_s > 0; got {clients_max}, {idle_s}")
        self._storage_path = storage_path
        self._factory = factory
        self._deadlines = deadlines
        self._overdue = f"did not close in {deadlines.close_s:g} s"
        self._admit = admit
        self._on_open = on_open
        self._clients_max = clients_max
        self._idle_s = idle_s
        self._slots: dict[Owner, Tenancy] = {}
        self._waiting: dict[Tenancy, asyncio.Event] = {}  # For a place; in order of arrival.
        self._idle: dict[Tenancy, float] = {}  # Live without a lease: since when; oldest first.
        self._generation = 0
        self._closed = False
        self._faults: list[str] = []

    @property
    def faults(self) -> tuple[str, ...]:
        """The errors of closing clients, in order: no caller waits for them."""
        return tuple(self._faults)

    def live_clients(self) -> tuple[tuple[Owner, ClientHandle], ...]:
        """Return every owner whose client is live, with its handle, in order of start."""
        return tuple(
            (owner, tenancy.handle) for owner, tenancy in self._slots.items() if tenancy.is_usable
        )

    @property
    def is_starting(self) -> bool:
        """Return True if a client is being started."""
        return any(not tenancy.started.is_set() for tenancy in self._slots.values())

    async def started(self) -> None:
        """Wait until no client is being started any more."""
        while starting := [t for t in self._slots.values() if not t.started.is_set()]:
            # Ends with the deadlines of the start.
            await starting[0].started.wait()

    def restless(self) -> tuple[str, ...]:
        """Name the clients that are starting or draining, without those whose close is stuck."""
        return tuple(
            f"{tenancy.label} is {'starting' if tenancy.admits else 'draining'}"
            for tenancy in self._slots.values()
            if tenancy.stage not in (Stage.LIVE, Stage.STUCK)
        )

    def orphans(self) -> tuple[str, ...]:
        """Name the clients whose slot no start, client or close will ever empty; none if sound."""
        return tuple(tenancy.label for tenancy in self._slots.values() if tenancy.is_orphan)

    def has_slot(self, owner: Owner) -> bool:
        """Whether a client of this owner is starting, live or draining."""
        return owner in self._slots

    async def lease(self, owner: Owner) -> Lease:
        """Lease the owner's client, starting it if there is none, or waiting for its drain.

        Raises:
            ServeClosed: The registry is closed.
            SpawnFailed, SpawnTimedOut, DialTimedOut, NodeUnreachable, ClientStoreFailed,
            ClientStoreInUse: The client could not be started; every caller that joined the same
            start gets an error of the same class. Nothing is kept, so the next call starts anew.
            ClientBusy: ``clients_max`` clients are in use, and none ended within ``spawn_s``.
            CloseTimedOut: The owner's former client has not closed in time, and still has not.
        """
        while True:
            if self._closed:
                raise ServeClosed("the service is closing: it starts and lends no more clients")
            tenancy = self._slots.get(owner)
            if tenancy is None:
                tenancy = self._start(owner)
            elif tenancy.is_open and tenancy.has_died:
                self._drain(tenancy)
            if not tenancy.admits:
                # Leases end with their commands' deadlines, the close with its own.
                await tenancy.ended.wait()
                if tenancy.stage is Stage.STUCK:
                    why = "none is started on its directory before it has"
                    raise CloseTimedOut(f"client {tenancy.label} {self._overdue}; {why}")
                continue
            self._idle.pop(tenancy, None)
            lease = Lease(tenancy, self.note_release)
            self._make_room()
            try:
                # Ends with the deadlines of the wait for a place, the spawn and ``on_open``.
                await tenancy.started.wait()
            except BaseException:
                lease.release()
                raise
            if tenancy.error is not None:
                lease.release()
                raise copy_of(tenancy.error)
            return lease

    async def handle(self, owner: Owner) -> ClientHandle:
        """Return the object that stands for the owner's present client; errors as ``lease``."""
        with await self.lease(owner) as lease:
            return lease.handle

    @asynccontextmanager
    async def use(self, owner: Owner) -> AsyncIterator[TimedClient]:
        """Lease the owner's client for a handle's command; errors as ``lease``."""
        with self._admit(), await self.lease(owner) as lease:
            yield lease.client

    def flush(self, secret: bytes | None = None) -> int:
        """Drain all clients, or one user's; return how many live clients that were.

        A client that is still starting serves those who wait for it, and drains then.
        """
        count = 0
        for owner, tenancy in list(self._slots.items()):
            if secret is not None and owner.secret != secret:
                continue
            count += tenancy.is_usable
            self._drain(tenancy)
        return count

    async def drained(self) -> None:
        """Wait until no client is draining, or is starting only to drain."""
        others = (Stage.STARTING, Stage.LIVE, Stage.STUCK)
        while ending := [t for t in self._slots.values() if t.stage not in others]:
            # Leases end with their commands' deadlines, the close with its own.
            await ending[0].ended.wait()

    async def close(self, drain_s: float) -> None:
        """Refuse new leases, drain for ``drain_s`` seconds, then close the rest though in use.

        Raises:
            CloseTimedOut: Clients that did not end though they were killed, each named.
        """
        self._closed = True
        self.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self.drained()
        for tenancy in list(self._slots.values()):
            tenancy.abandon_users()
            self._drain(tenancy)
        # A spawn that ignores its cancellation is left behind, as a client that is stuck is.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._deadlines.close_s + 1):
                await self.drained()
        if self._slots:
            labels = ", ".join(tenancy.label for tenancy in self._slots.values())
            raise CloseTimedOut(f"clients {self._overdue}: {labels}")

    def _start(self, owner: Owner) -> Tenancy:
        self._generation += 1
        tenancy = Tenancy(owner, self._generation)
        # Publish the slot before the first await: the next caller must join it, not spawn a twin.
        self._slots[owner] = tenancy
        self._waiting[tenancy] = asyncio.Event()
        tenancy.spawn_task = asyncio.get_running_loop().create_task(
            self._spawn(tenancy), name=f"serve:spawn:{tenancy.label}"
        )
        return tenancy

    async def _spawn(self, tenancy: Tenancy) -> None:
        what = f"starting client {tenancy.label}"
        try:
            timed = await self._open(tenancy, what)
        except asyncio.CancelledError:
            kind = ServeClosed if self._closed else SpawnFailed
            tenancy.error = kind(f"{what} was cancelled")
        except ServeError as error:
            tenancy.error = error
        except Exception as cause:  # noqa: BLE001  # it reaches the callers, as SpawnFailed
            tenancy.error = SpawnFailed(f"{what} failed: {cause!r}")
            tenancy.error.__cause__ = cause
        else:
            tenancy.go_live(timed, ClientHandle(self.use, tenancy.owner, tenancy.generation))
            self._see_to(tenancy)
            return
        self._begin_close(tenancy, kill=True)
        tenancy.started.set()

    async def _open(self, tenancy: Tenancy, what: str) -> TimedClient:
        owner, limits = tenancy.owner, self._deadlines
        place = self._waiting.get(tenancy)
        if place is not None:
            busy = f"waiting for the end of one of {self._clients_max} clients in use"
            async with deadline(limits.spawn_s, ClientBusy, what=busy):
                await place.wait()
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        async with deadline(limits.spawn_s, SpawnTimedOut, what=what):
            await point("spawn.before_build", owner=owner)
            tenancy.client = await self._factory.spawn(
                directory, owner.network, dial_timeout_s=limits.dial_s
            )
            await point("spawn.before_ready", owner=owner)
        timed = TimedClient(tenancy.client, command_s=limits.command_s, label=tenancy.label)
        await self._on_open(owner, timed)
        await point("cache.before_insert", owner=owner)
        return timed

    def _drain(self, tenancy: Tenancy) -> None:
        self._idle.pop(tenancy, None)
        tenancy.drain()
        if tenancy.is_due_to_close:
            self._begin_close(tenancy, kill=False)

    def note_release(self, tenancy: Tenancy) -> None:
        """Note that a lease ended."""
        tenancy.lease_count -= 1
        self._see_to(tenancy)

    def _see_to(self, tenancy: Tenancy) -> None:
        """Do what is due after a start, or the end of a lease."""
        if tenancy in self._waiting and tenancy.lease_count == 0:
            # Nobody wants it any more. Whoever comes next must not join what is being cancelled.
            tenancy.abandon_users()
            self._end(tenancy)
        elif tenancy.has_died or not tenancy.admits:
            self._drain(tenancy)
        elif tenancy.stage is Stage.LIVE and tenancy.lease_count == 0:
            self._idle[tenancy] = asyncio.get_running_loop().time()
        self._make_room()

    def _make_room(self) -> None:
        """Give places to starts that wait; drain idle clients that are too old, or in their way."""
        while self._waiting and len(self._slots) - len(self._waiting) < self._clients_max:
            self._waiting.pop(next(iter(self._waiting))).set()
        lacking = len(self._waiting)
        if lacking:
            lacking -= sum(one.stage is Stage.CLOSING for one in self._slots.values())
        oldest_s = asyncio.get_running_loop().time() - self._idle_s
        while self._idle:
            tenancy, since_s = next(iter(self._idle.items()))
            if lacking <= 0 and since_s > oldest_s:
                break
            lacking -= 1
            self._drain(tenancy)

    def _begin_close(self, tenancy: Tenancy, *, kill: bool) -> None:
        tenancy.stage = Stage.CLOSING
        if tenancy.client is None:
            self._end(tenancy)
            return
        tenancy.close_task = asyncio.get_running_loop().create_task(
            self._close_client(tenancy, tenancy.client, kill=kill),
            name=f"serve:close:{tenancy.label}",
        )

    async def _close_client(self, tenancy: Tenancy, client: Client, *, kill: bool) -> None:
        """Close a client; kill it if so asked, or if its close fails or takes too long."""
        closings: list[asyncio.Task[None]] = []
        try:
            for is_killed in (kill, True):
                if is_killed:
                    client.kill()
                closing = asyncio.create_task(client.close(), name=f"serve:close:{tenancy.label}")
                closings.append(closing)
                answer = asyncio.gather(closing, return_exceptions=True)
                await asyncio.wait((answer,), timeout=self._deadlines.close_s)
                error = answer.result()[0] if answer.done() else CloseTimedOut(self._overdue)
                if error is None:
                    return
                self._faults.append(f"closing client {tenancy.label} failed: {error!r}")
            if not answer.done():
                # Whoever waits for the slot is told. It is vacated when the client ends at last.
                tenancy.end(Stage.STUCK)
                self._make_room()
                await asyncio.wait((answer,))
        finally:
            for closing in closings:
                closing.cancel()
            self._end(tenancy)

    def _end(self, tenancy: Tenancy) -> None:
        self._waiting.pop(tenancy, None)
        if self._slots.get(tenancy.owner) is tenancy:
            del self._slots[tenancy.owner]
        tenancy.end()
        self._make_room()
