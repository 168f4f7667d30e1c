"""The part of the end-state audit that only the harness can make: clients, stores, threads.

``serve.service.audit`` has the other part. Q1: every client that has not ended is live in the
service. Q2: no directory has two open clients. Q3: no task is left, and no thread but the service's
threads for SQLite. Q4: every account in a client's store has its key, where that can be seen. Q7,
once closed: no write-ahead log and no journal is left. Tenants: no operation of a user touched what
belongs to another user, see ``harness.miden.adapter.tenants``.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.history.records import History
    from harness.miden.adapter.recorded_clients import RecordedClientFactory
    from harness.miden.adapter.tenants import TenantWatch
    from harness.systems.port import Environment
    from serve import AccountId, Serve

__all__ = ["ServeAudit"]

THREADS = ("serve-store", "asyncio_")  # The threads of the store, and those of asyncio.to_thread.
KEYS = "keystore"  # Where a real client keeps its keys, a file each, beside an index.
LEFTOVERS = ("-journal", "-wal", "-shm")


@runtime_checkable
class _KeysSeen(Protocol):
    """Starts clients whose stores can be looked into; those of real clients cannot."""

    def keyless(self, where: str) -> Iterable[AccountId]:
        """Return the accounts without keys in the store of a directory."""
        ...

    def count_keys(self, where: str) -> int:
        """Count the keys in the store of a directory."""
        ...


class ServeAudit:
    """Audits an open serve core, and what is left of it once it has been closed.

    ``clients`` starts its clients, ``threads_before`` are the ids of the threads that ran before.
    """

    def __init__(
        self, environment: Environment, clients: RecordedClientFactory, tenants: TenantWatch
    ) -> None:
        self._environment = environment
        self._tenants = tenants
        self.clients = clients
        self.threads_before = {thread.ident for thread in threading.enumerate()}

    async def of(self, service: Serve) -> tuple[str, ...]:
        """Let what is under way end, inside clients too, then return all findings."""
        self.clients.let_go()
        await service.settled()
        await service.drained()
        found = list(await service.audit())
        found += self._clients_apart(service)
        found += self._doubles()
        found += self._strange_threads()
        history = self._environment.recorder.history()
        found += await asyncio.to_thread(self._on_disk, history)
        return tuple(found)

    async def closed(self) -> None:
        """Add what is left after the close to the findings of the run's audit."""
        found = [
            f"Q1: client {client.number} of {_words(client.key)} has not ended, the service has"
            for _, client in self.clients.unended
        ]
        found += [
            f"Q7: {name} is left by a closed service"
            for name in await asyncio.to_thread(self._leftovers)
        ]
        recorder = self._environment.recorder
        if found:
            recorder.audit = (*(recorder.audit or ()), *found)

    def count_keys(self, directory: Path) -> int:
        """Count the keys of the client in a directory."""
        clients = self._environment.clients
        if isinstance(clients, _KeysSeen):
            return clients.count_keys(directory.name)
        keys = directory / KEYS
        return sum(one.is_file() and one.suffix != ".json" for one in keys.iterdir())

    def _clients_apart(self, service: Serve) -> list[str]:
        live = {f"{network.directory_prefix}_{who}" for who, network in service.live_clients()}
        unended = {path.name: client for path, client in self.clients.unended if not client.closed}
        return [
            f"Q1: client {client.number} of {_words(client.key)} lives, and the service has none"
            for name, client in unended.items()
            if name not in live
        ] + [
            f"Q1: the service has a live client of {name}, and none lives"
            for name in sorted(live - unended.keys())
        ]

    def _doubles(self) -> list[str]:
        counts = Counter(path.name for path, _ in self.clients.unended)
        return [
            f"Q2: {count} clients are open on {name}" for name, count in counts.items() if count > 1
        ]

    def _strange_threads(self) -> list[str]:
        return [
            f"Q3: thread {thread.name} has been started, and goes on"
            for thread in threading.enumerate()
            if thread.ident not in self.threads_before and not thread.name.startswith(THREADS)
        ]

    def _on_disk(self, history: History) -> list[str]:
        return self._keyless() + self._tenants.found(history, self._environment.directory)

    def _keyless(self) -> list[str]:
        clients = self._environment.clients
        if not isinstance(clients, _KeysSeen):
            return []
        return [
            f"Q4: {path.name}: the client holds {account.hex}, and no key of it"
            for path in sorted(self._environment.directory.iterdir())
            for account in clients.keyless(path.name)
        ]

    def _leftovers(self) -> list[str]:
        root = self._environment.directory
        found = [*root.glob("*.sqlite3-*"), *root.glob("*/mosaic.sqlite3-*")]
        return sorted(
            path.relative_to(root).as_posix() for path in found if path.name.endswith(LEFTOVERS)
        )


def _words(key: dict[str, str]) -> str:
    return f"({', '.join(key.values())})"
