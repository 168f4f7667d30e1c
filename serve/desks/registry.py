"""The registry of desks: their data; their clients come from the registry of clients."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serve.domain.address import (
    Network,
    Owner,
    client_directory,
    decode_address,
    encode_address,
    secret_of,
)
from serve.domain.records import Currency, DeskEntry, Market, RestoreFailure, RestoreReport
from serve.errors import DeskNotFound, DeskNotRestored, NetworkMismatch, ServeError
from serve.points import point

if TYPE_CHECKING:
    from pathlib import Path

    from serve.clients.handle import ClientHandle
    from serve.clients.registry import ClientRegistry
    from serve.domain.records import DeskRecord
    from serve.store.top_store import TopStore

__all__ = ["Desk", "DeskRegistry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A restored desk. ``client`` is the object that ``Serve.get_client`` returns for its owner."""

    desk_account: str
    owner_identifier: str
    owner_account: str
    network: Network
    market: Market
    market_url: str
    client: ClientHandle


class DeskRegistry:
    """Restores desks from their rows: in parallel, and once more at their next use."""

    def __init__(
        self,
        storage_path: Path,
        top: TopStore,
        clients: ClientRegistry,
        *,
        server_url: str | None = None,
    ) -> None:
        self._storage_path = storage_path
        self._top = top
        self._clients = clients
        self._server_url = server_url
        self._desks: dict[str, Desk] = {}
        self._failures: dict[str, RestoreFailure] = {}
        self.was_restored = False  # Whether restore_all has run to its end.

    async def restore_all(self) -> RestoreReport:
        """Restore every desk that has a row and is not restored yet.

        Restored desks are kept as they are; a desk that cannot be restored hinders no other desk.
        """
        records = await self._top.list_desks()
        async with asyncio.TaskGroup() as group:
            for record in records:
                group.create_task(
                    self._try_restore(record), name=f"serve:restore:{record.desk_account}"
                )
        self.was_restored = True
        return RestoreReport(
            restored=self.list_desks(),
            failed=tuple(failure for _, failure in sorted(self._failures.items())),
            warnings=tuple(text for record in records for text in self._warnings(record)),
        )

    def list_desks(self) -> tuple[str, ...]:
        """List the restored desks' addresses, sorted."""
        return tuple(sorted(self._desks))

    def failures(self) -> tuple[RestoreFailure, ...]:
        """Return the desks whose last restore failed, by address."""
        return tuple(failure for _, failure in sorted(self._failures.items()))

    async def get_desk(self, account: str) -> Desk:
        """Return a desk, restored now if it has not been.

        Raises:
            BadAddress, UnsupportedNetwork: ``account`` is not an address.
            DeskNotFound: No row has this account.
            DeskNotRestored: The row is unreadable, or the owner's client could not be opened.
        """
        network, account_id = decode_address(account)
        address = encode_address(account_id, network)
        desk = self._desks.get(address)
        if desk is not None:
            return desk
        record = await self._top.find_desk(address)
        if record is None:
            raise DeskNotFound(f"no desk has the account {address}")
        await self._try_restore(record)
        desk = self._desks.get(address)
        if desk is None:
            cause = self._failures[address].error
            raise DeskNotRestored(f"desk {address} could not be restored: {cause}") from cause
        return desk

    async def list_desks_of(self, owner: str) -> tuple[DeskEntry, ...]:
        """List the desks of an owner identifier from their rows, restored or not, by address.

        A row that cannot be read is left out; ``restore_all`` reports it.
        """
        entries = []
        for record in await self._top.list_desks_of(owner):
            try:
                network = _network_of(record)
            except ServeError:
                continue
            entries.append(
                DeskEntry(
                    account_id=record.desk_account,
                    network=network,
                    market=_market_of(record),
                    owner_account=record.owner_account or "",
                    market_url=self._market_url(record),
                )
            )
        return tuple(entries)

    async def _try_restore(self, record: DeskRecord) -> None:
        account = record.desk_account
        if account in self._desks:
            return
        try:
            desk = await self._restore(record)
            await point("desk.before_cache_insert", owner=_owner_of(record))
        except ServeError as error:
            if account not in self._desks:
                self._failures[account] = RestoreFailure(desk_account=account, error=error)
        else:
            self._desks.setdefault(account, desk)
            self._failures.pop(account, None)

    async def _restore(self, record: DeskRecord) -> Desk:
        owner = _owner_of(record)
        return Desk(
            desk_account=record.desk_account,
            owner_identifier=record.owner_identifier,
            owner_account=record.owner_account or "",
            network=owner.network,
            market=_market_of(record),
            market_url=self._market_url(record),
            client=await self._clients.handle(owner),
        )

    def _market_url(self, record: DeskRecord) -> str:
        base = (self._server_url or "").rstrip("/")
        return record.market_url or f"{base}/desk/{record.desk_account}"

    def _warnings(self, record: DeskRecord) -> tuple[str, ...]:
        try:
            secret, network = secret_of(record.owner_identifier), _network_of(record)
        except ServeError:
            return ()  # Such a row is among the failures.
        derived = str(client_directory(self._storage_path, secret, network))
        if record.path == derived:
            return ()
        return (
            f"desk {record.desk_account}: its row names the directory {record.path!r},"
            f" the one used is {derived!r}",
        )


def _owner_of(record: DeskRecord) -> Owner:
    network = _network_of(record)
    return Owner.of(secret_of(record.owner_identifier), network)


def _network_of(record: DeskRecord) -> Network:
    network = Network.parse(record.network)
    found, _ = decode_address(record.desk_account)
    if found is not network:
        raise NetworkMismatch(
            f"desk {record.desk_account}: its row says {network}, its address {found}"
        )
    return network


def _market_of(record: DeskRecord) -> Market:
    return Market(
        base=Currency(code=record.base_code, issuer=record.base_issuer),
        quote=Currency(code=record.quote_code, issuer=record.quote_issuer),
    )
