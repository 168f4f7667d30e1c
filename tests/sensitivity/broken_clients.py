"""Serve cores whose clients break the order of commands, beneath what the harness records."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.miden.adapter.serve_core import ServeCore
from serve.clients.command_times import CommandTimes, tell_times

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.systems.port import Environment
    from serve import AccountId, Network

READ_S = 0.003


class _Around:
    """Passes on whatever it does not do itself."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class StatusCutsIn(_Around):
    """A client that answers a status from what it remembers, whatever it is doing."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._known: dict[AccountId, Any] = {}

    async def get_account_status(self, account_id: AccountId) -> Any:
        if account_id not in self._known:
            self._known[account_id] = await self._inner.get_account_status(account_id)
            return self._known[account_id]
        await asyncio.sleep(READ_S)
        tell_times(CommandTimes(queued_s=0.0, service_s=READ_S))
        return self._known[account_id]

    def kill(self) -> None:
        self._inner.kill()

    def hold_next(self) -> Any:
        return self._inner.hold_next()


class _Factory(_Around):
    """Starts clients of another class around those of the inner factory."""

    def __init__(self, inner: Any, client: type[_Around]) -> None:
        super().__init__(inner)
        self._client = client

    async def spawn(self, directory: Path, network: Network, *, dial_timeout_s: float) -> Any:
        inner = await self._inner.spawn(directory, network, dial_timeout_s=dial_timeout_s)
        return self._client(inner)


class _SeenFactory(_Factory):
    """Does so where the inner factory's stores can be looked into."""

    def keyless(self, where: str) -> Iterable[AccountId]:
        found: Iterable[AccountId] = self._inner.keyless(where)
        return found

    def count_keys(self, where: str) -> int:
        count: int = self._inner.count_keys(where)
        return count


class OverClients(ServeCore):
    """The sound service over clients of another class."""

    def __init__(self, client: type[_Around]) -> None:
        super().__init__()
        self._client = client

    def open(self, environment: Environment) -> Any:
        factory = _SeenFactory if hasattr(environment.clients, "keyless") else _Factory
        clients = factory(environment.clients, self._client)
        return super().open(replace(environment, clients=clients))


status_cuts_in = OverClients(StatusCutsIn)
