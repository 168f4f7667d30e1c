"""A tenancy: the life of one client, its stages, and the leases that keep it open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from serve.clients.handle import ClientHandle
    from serve.clients.port import Client
    from serve.clients.timed_client import TimedClient
    from serve.domain.address import Owner
    from serve.errors import ServeError

__all__ = ["Lease", "Stage", "Tenancy"]


class Stage(Enum):
    """How far a tenancy has come. It leaves its slot when it has ended.

    ``DOOMED``: still starting, to be drained as soon as it has started. ``DRAINING``: it takes no
    new leases, and waits for the end of those it gave. ``STUCK``: the client was killed, and has
    not ended within its deadline; its close goes on.
    """

    STARTING = "starting"
    DOOMED = "doomed"
    LIVE = "live"
    DRAINING = "draining"
    CLOSING = "closing"
    STUCK = "stuck"
    ENDED = "ended"


_AFTER_START = {Stage.STARTING: Stage.LIVE, Stage.DOOMED: Stage.DRAINING}
_AFTER_DRAIN = {Stage.STARTING: Stage.DOOMED, Stage.LIVE: Stage.DRAINING}


@dataclass(eq=False, repr=False)  # Its owner has a secret.
class Tenancy:
    """An owner's client, from the start of its spawn to the end of its close."""

    owner: Owner
    generation: int
    stage: Stage = Stage.STARTING
    lease_count: int = 0
    client: Client | None = None
    timed: TimedClient = field(init=False)  # This and the next: once it is live.
    handle: ClientHandle = field(init=False)
    error: ServeError | None = None  # Why it could not be started.
    started: asyncio.Event = field(default_factory=asyncio.Event)  # Spawned, or failed.
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # Closed, failed, or stuck.
    spawn_task: asyncio.Task[None] | None = None
    close_task: asyncio.Task[None] | None = None

    @property
    def label(self) -> str:
        """The owner's label and the generation, for messages and tasks."""
        return f"{self.owner.label}#{self.generation}"

    @property
    def admits(self) -> bool:
        """Whether it takes new leases: while it starts or lives, not once it is to drain."""
        return self.stage in (Stage.STARTING, Stage.LIVE)

    @property
    def is_open(self) -> bool:
        """Whether its client can be used: from the end of its spawn to the start of its close."""
        return self.stage in (Stage.LIVE, Stage.DRAINING)

    @property
    def has_died(self) -> bool:
        """Whether the client takes no more commands."""
        return self.client is not None and self.client.closed

    @property
    def is_usable(self) -> bool:
        """Whether it is live and its client takes commands."""
        return self.stage is Stage.LIVE and not self.has_died

    @property
    def is_due_to_close(self) -> bool:
        """Whether it drains and waits for no lease: the last has ended, or the client died."""
        return self.stage is Stage.DRAINING and (self.lease_count == 0 or self.has_died)

    @property
    def is_orphan(self) -> bool:
        """Whether no start, client or close will ever end it."""
        return (
            not self.is_open
            and self.stage is not Stage.STUCK
            and (self.spawn_task is None or self.spawn_task.done())
            and (self.close_task is None or self.close_task.done())
        )

    def go_live(self, timed: TimedClient, handle: ClientHandle) -> None:
        """Give the client to those who wait for its start."""
        self.timed, self.handle = timed, handle
        self.stage = _AFTER_START.get(self.stage, self.stage)
        self.started.set()

    def drain(self) -> None:
        """Take no new leases; no effect on a tenancy that takes none."""
        self.stage = _AFTER_DRAIN.get(self.stage, self.stage)

    def end(self, stage: Stage = Stage.ENDED) -> None:
        """Free all who wait: the client is closed, never started, or stuck."""
        self.stage = stage
        self.started.set()
        self.ended.set()

    def abandon_users(self) -> None:
        """Forget the leases, and cancel a spawn under way."""
        self.lease_count = 0
        if not self.started.is_set() and self.spawn_task is not None:
            self.spawn_task.cancel()


class Lease:
    """The right to use a client until it is released; a context manager."""

    __slots__ = ("_on_release", "_released", "_tenancy")

    def __init__(self, tenancy: Tenancy, on_release: Callable[[Tenancy], None]) -> None:
        self._tenancy = tenancy
        self._on_release = on_release
        self._released = False
        tenancy.lease_count += 1

    @property
    def client(self) -> TimedClient:
        """The client, each command with its deadline."""
        return self._tenancy.timed

    @property
    def handle(self) -> ClientHandle:
        """The object through which callers of Serve use this client."""
        return self._tenancy.handle

    @property
    def has_died(self) -> bool:
        """Whether the client takes no more commands."""
        return self._tenancy.has_died

    def release(self) -> None:
        """Give the right back; idempotent."""
        if not self._released:
            self._released = True
            self._on_release(self._tenancy)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
