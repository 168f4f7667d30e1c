"""Own the life of one client, and the leases that keep it open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from serve.clients.handle import ClientHandle
    from serve.clients.port import Client
    from serve.clients.timed_client import TimedClient
    from serve.domain.owner import Owner
    from serve.errors import ServeError

__all__ = ["Landlord", "Lease", "Tenancy"]


class Tenancy:
    """One client of one owner, from the start of its spawn to the end of its close."""

    __slots__ = (
        "admits",
        "client",
        "close_task",
        "close_timer",
        "ended",
        "error",
        "generation",
        "handle",
        "is_live",
        "is_stuck",
        "lease_count",
        "owner",
        "spawn_task",
        "started",
        "timed",
    )

    def __init__(self, owner: Owner, *, generation: int) -> None:
        self.owner = owner
        self.generation = generation
        self.admits = True  # New leases: while starting or live, not once it is to drain.
        self.is_live = False  # From the end of the spawn to the start of the close.
        self.is_stuck = False  # The close has outlived its deadline.
        self.lease_count = 0
        self.client: Client | None = None
        self.timed: TimedClient | None = None
        self.handle: ClientHandle | None = None
        self.error: ServeError | None = None
        self.started = asyncio.Event()  # Spawned, or failed.
        self.ended = asyncio.Event()  # Closed, failed, or stuck.
        self.spawn_task: asyncio.Task[None] | None = None
        self.close_task: asyncio.Task[None] | None = None
        self.close_timer: asyncio.TimerHandle | None = None

    @property
    def label(self) -> str:
        """The owner's label and the generation, for messages and tasks."""
        return f"{self.owner.label}#{self.generation}"

    @property
    def has_died(self) -> bool:
        """Whether the client takes no more commands."""
        return self.client is not None and self.client.closed

    def go_live(self, timed: TimedClient, handle: ClientHandle) -> None:
        """Let those who wait for the start have the client."""
        self.timed, self.handle = timed, handle
        self.is_live = True
        self.started.set()

    def abandon_users(self) -> None:
        """Wait for no lease any more, nor for the spawn."""
        self.lease_count = 0
        if not self.started.is_set() and self.spawn_task is not None:
            self.spawn_task.cancel()


class Landlord(Protocol):
    """Hears when a lease ends."""

    def note_release(self, tenancy: Tenancy) -> None:
        """Note that a lease of this tenancy ended."""
        ...


class Lease:
    """The right to use a client until it is released; a context manager."""

    __slots__ = ("_landlord", "_released", "_tenancy")

    def __init__(self, landlord: Landlord, tenancy: Tenancy) -> None:
        self._landlord = landlord
        self._tenancy = tenancy
        self._released = False
        tenancy.lease_count += 1

    @property
    def client(self) -> TimedClient:
        """The client itself, each command with its deadline."""
        client = self._tenancy.timed
        assert client is not None  # noqa: S101  # a lease is handed out after the start only
        return client

    @property
    def handle(self) -> ClientHandle:
        """The object that stands for this client to callers of Serve."""
        handle = self._tenancy.handle
        assert handle is not None  # noqa: S101  # as above
        return handle

    def release(self) -> None:
        """Give the right back; idempotent."""
        if not self._released:
            self._released = True
            self._landlord.note_release(self._tenancy)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
