"""The registry of clients: at most one for each owner, however many callers ask at once.

An owner's slot is empty or holds a *tenancy*: a client, from the start of its spawn to the end of
its close. The next tenancy of an owner begins only when the last has ended, so no directory is
ever open twice. Code between two awaits is atomic on an event loop, so there is no lock: a slot is
always changed before the first await.

A caller that uses a client holds a *lease* on its tenancy. A draining tenancy takes no new leases,
and its client is closed when the last lease is released; a dead client is closed at once.
"""

from __future__ import annotations

import asyncio
import copy
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from serve.clients.deadlines import deadline
from serve.clients.handle import ClientHandle
from serve.clients.tenancy import Lease, Stage, Tenancy
from serve.clients.timed_client import TimedClient
from serve.domain.address import client_directory
from serve.errors import CloseTimedOut, ServeClosed, ServeError, SpawnFailed, SpawnTimedOut
from serve.points import point

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from serve.clients.deadlines import Deadlines
    from serve.clients.port import ClientFactory
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
    ) -> None:
        """Prepare a registry; it starts nothing by itself.

        ``admit`` is entered for every command of a handle; ``on_open`` is awaited with each new
        client before a caller gets it.
        """
        self._storage_path = storage_path
        self._factory = factory
        self._deadlines = deadlines
        self._admit = admit
        self._on_open = on_open
        self._slots: dict[Owner, Tenancy] = {}
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
            (owner, tenancy.handle)
            for owner, tenancy in self._slots.items()
            if tenancy.is_usable and tenancy.handle is not None
        )

    @property
    def is_starting(self) -> bool:
        """Return True if a client is being started."""
        return any(not tenancy.started.is_set() for tenancy in self._slots.values())

    async def started(self) -> None:
        """Wait until no client is being started any more."""
        while self.is_starting:
            starting = [t for t in self._slots.values() if not t.started.is_set()]
            # Ends with the spawn's own deadline.
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
            CloseTimedOut: The owner's former client has not closed in time, and still has not.
        """
        while True:
            self._refuse_if_closed()
            tenancy = self._slots.get(owner)
            if tenancy is None:
                tenancy = self._start(owner)
            elif tenancy.is_open and tenancy.has_died:
                self._drain(tenancy)
            if not tenancy.admits:
                await self._wait_until_vacated(tenancy)
                continue
            lease = Lease(tenancy, self.note_release)
            try:
                # Ends at the latest with the spawn's own deadline.
                await tenancy.started.wait()
            except BaseException:
                lease.release()
                raise
            if tenancy.error is not None:
                lease.release()
                raise _copy_of(tenancy.error)
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
        while True:
            tenancies = self._slots.values()
            ending = [t for t in tenancies if not t.admits and t.stage is not Stage.STUCK]
            if not ending:
                return
            # Leases end with their commands' deadlines, the close with its own.
            await ending[0].ended.wait()

    async def close(self, drain_s: float) -> None:
        """Refuse new leases, drain for ``drain_s`` seconds, then close the rest though in use.

        Raises:
            CloseTimedOut: Clients that would not close, each named.
        """
        self._closed = True
        self.flush()
        try:
            async with asyncio.timeout(drain_s):
                await self.drained()
        except TimeoutError:
            for tenancy in list(self._slots.values()):
                tenancy.abandon_users()
                self._close_if_unused(tenancy)
            # A spawn that ignores its cancellation is left behind, as a close that hangs is.
            async with deadline(
                self._deadlines.close_s + 1, CloseTimedOut, what="ending the spawns under way"
            ):
                await self.drained()
        if self._slots:
            labels = ", ".join(tenancy.label for tenancy in self._slots.values())
            raise CloseTimedOut(f"clients did not close in {self._deadlines.close_s:g} s: {labels}")

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ServeClosed("the service is closing: it starts and lends no more clients")

    def _start(self, owner: Owner) -> Tenancy:
        self._generation += 1
        tenancy = Tenancy(owner, generation=self._generation)
        # Publish the slot before the first await: the next caller must join it, not spawn a twin.
        self._slots[owner] = tenancy
        tenancy.spawn_task = asyncio.get_running_loop().create_task(
            self._spawn(tenancy), name=f"serve:spawn:{tenancy.label}"
        )
        return tenancy

    async def _spawn(self, tenancy: Tenancy) -> None:
        what = f"starting client {tenancy.label}"
        try:
            client = await self._open(tenancy)
        except asyncio.CancelledError:
            kind = ServeClosed if self._closed else SpawnFailed
            self._end(tenancy, error=kind(f"{what} was cancelled"))
        except ServeError as error:
            self._end(tenancy, error=error)
        except Exception as cause:  # noqa: BLE001  # it reaches the callers, as SpawnFailed
            failure = SpawnFailed(f"{what} failed: {cause!r}")
            failure.__cause__ = cause
            self._end(tenancy, error=failure)
        else:
            tenancy.go_live(client, ClientHandle(self.use, tenancy.owner, tenancy.generation))
            self._close_if_unused(tenancy)

    async def _open(self, tenancy: Tenancy) -> TimedClient:
        owner, limits = tenancy.owner, self._deadlines
        directory = client_directory(self._storage_path, owner.secret, owner.network)
        what = f"starting client {tenancy.label}"
        try:
            async with deadline(limits.spawn_s, SpawnTimedOut, what=what):
                await point("spawn.before_build", owner=owner)
                tenancy.client = await self._factory.spawn(
                    directory, owner.network, dial_timeout_s=limits.dial_s
                )
                await point("spawn.before_ready", owner=owner)
            timed = TimedClient(tenancy.client, command_s=limits.command_s, label=tenancy.label)
            await self._on_open(owner, timed)
            await point("cache.before_insert", owner=owner)
        except BaseException:
            if tenancy.client is not None:
                await tenancy.client.close()
            raise
        return timed

    def _drain(self, tenancy: Tenancy) -> None:
        tenancy.drain()
        self._close_if_unused(tenancy)

    def note_release(self, tenancy: Tenancy) -> None:
        """Note that a lease ended."""
        tenancy.lease_count -= 1
        self._close_if_unused(tenancy)

    def _close_if_unused(self, tenancy: Tenancy) -> None:
        if not tenancy.is_due_to_close:
            return
        tenancy.begin_close()
        loop = asyncio.get_running_loop()
        tenancy.close_timer = loop.call_later(
            self._deadlines.close_s, self._give_up_waiting, tenancy
        )
        tenancy.close_task = loop.create_task(
            self._close_client(tenancy), name=f"serve:close:{tenancy.label}"
        )

    async def _close_client(self, tenancy: Tenancy) -> None:
        try:
            if tenancy.client is not None:
                # Its deadline does not cut the close short: it frees those who wait for the slot.
                await tenancy.client.close()
        except Exception as error:  # noqa: BLE001  # kept in faults: no caller awaits this task
            self._faults.append(f"closing client {tenancy.label} failed: {error!r}")
        finally:
            self._end(tenancy)

    def _give_up_waiting(self, tenancy: Tenancy) -> None:
        tenancy.give_up()
        self._faults.append(
            f"client {tenancy.label} did not close in {self._deadlines.close_s:g} s"
        )

    def _end(self, tenancy: Tenancy, *, error: ServeError | None = None) -> None:
        if self._slots.get(tenancy.owner) is tenancy:
            del self._slots[tenancy.owner]
        tenancy.end(error)

    async def _wait_until_vacated(self, tenancy: Tenancy) -> None:
        # Leases end with their commands' deadlines, the close with its own.
        await tenancy.ended.wait()
        if tenancy.stage is Stage.STUCK:
            raise CloseTimedOut(
                f"client {tenancy.label} did not close in {self._deadlines.close_s:g} s;"
                " none is started on its directory before it has"
            )


def _copy_of(error: ServeError) -> ServeError:
    # Each caller raises a separate object: raised in many tasks, a shared object would mix their
    # tracebacks, and show the notes and the context of one task in another.
    try:
        copied = copy.copy(error)
    except Exception:  # noqa: BLE001  # an error class of a client's that cannot be copied
        copied = SpawnFailed(str(error))
    copied.__cause__ = error.__cause__ or error
    return copied.with_traceback(error.__traceback__)
