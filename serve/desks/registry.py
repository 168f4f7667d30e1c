"""The desks: read from their table, and restored by starting their owners' clients."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serve.desks.few_at_a_time import few_at_a_time
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

    from serve.clients.registry import ClientRegistry
    from serve.domain.records import DeskRecord
    from serve.store.top_store import TopStore

__all__ = ["Desk", "DeskRegistry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A desk's metadata, from its row. Its client is that of its owner, on its network."""

    desk_account: str
    owner_identifier: str
    owner_account: str
    network: Network
    market: Market
    market_url: str


class DeskRegistry:
    """Reads desks from their table, and keeps which of them were restored.

    A desk whose row says that it is being created is not read: its account may not be there yet.
    """

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
        self._restored: set[str] = set()
        self._failures: dict[str, RestoreFailure] = {}
        self.was_restored = False  # Whether the last restore_all has run to its end.

    async def restore_all(self) -> RestoreReport:
        """Start the clients of all desks' owners, a few at a time, once for each desk.

        A desk that cannot be restored hinders no other desk, and is tried again by the next call.
        """
        self.was_restored = False
        records = await self._top.list_desks()
        await few_at_a_time(records, self._try_restore, name="serve:restore")
        self.was_restored = True
        return RestoreReport(
            restored=self.restored(),
            failed=self.failures(),
            warnings=tuple(text for record in records for text in self._warnings(record)),
        )

    def restored(self) -> tuple[str, ...]:
        """List the restored desks' addresses, sorted."""
        return tuple(sorted(self._restored))

    def failures(self) -> tuple[RestoreFailure, ...]:
        """Return the desks whose last restore failed, by address."""
        return tuple(failure for _, failure in sorted(self._failures.items()))

    async def list_desks(self) -> tuple[str, ...]:
        """List the addresses of the desks whose rows can be read, sorted."""
        return tuple(desk.desk_account for desk in self._readable(await self._top.list_desks()))

    async def get_desk(self, account: str) -> Desk:
        """Return a desk.

        Raises:
            BadAddress, UnsupportedNetwork: ``account`` is not an address.
            DeskNotFound: No row has this account.
            DeskNotRestored: Its row cannot be read.
        """
        network, account_id = decode_address(account)
        address = encode_address(account_id, network)
        record = await self._top.find_desk(address)
        if record is None:
            raise DeskNotFound(f"no desk has the account {address}")
        try:
            return self._desk(record)
        except ServeError as error:
            raise DeskNotRestored(f"desk {address} cannot be read: {error}") from error

    async def list_desks_of(self, owner: str) -> tuple[DeskEntry, ...]:
        """List the desks of an owner identifier, by address.

        A row that cannot be read is left out; ``restore_all`` reports it.
        """
        return tuple(
            DeskEntry(
                account_id=desk.desk_account,
                network=desk.network,
                market=desk.market,
                owner_account=desk.owner_account,
                market_url=desk.market_url,
            )
            for desk in self._readable(await self._top.list_desks_of(owner))
        )

    async def _try_restore(self, record: DeskRecord) -> None:
        account = record.desk_account
        if account in self._restored:
            return
        try:
            owner = _owner_of(record)
            (await self._clients.lease(owner)).release()
            await point("desk.before_cache_insert", owner=owner)
        except ServeError as error:
            if account not in self._restored:
                self._failures[account] = RestoreFailure(desk_account=account, error=error)
        else:
            self._restored.add(account)
            self._failures.pop(account, None)

    def _readable(self, records: tuple[DeskRecord, ...]) -> list[Desk]:
        desks = []
        for record in records:
            with suppress(ServeError):
                desks.append(self._desk(record))
        return desks

    def _desk(self, record: DeskRecord) -> Desk:
        base = (self._server_url or "").rstrip("/")
        return Desk(
            desk_account=record.desk_account,
            owner_identifier=record.owner_identifier,
            owner_account=record.owner_account or "",
            network=_owner_of(record).network,
            market=Market(
                base=Currency(code=record.base_code, issuer=record.base_issuer),
                quote=Currency(code=record.quote_code, issuer=record.quote_issuer),
            ),
            market_url=record.market_url or f"{base}/desk/{record.desk_account}",
        )

    def _warnings(self, record: DeskRecord) -> tuple[str, ...]:
        try:
            owner = _owner_of(record)
        except ServeError:
            return ()  # Such a row is among the failures.
        derived = str(client_directory(self._storage_path, owner.secret, owner.network))
        if record.path == derived:
            return ()
        return (
            f"desk {record.desk_account}: its row names the directory {record.path!r},"
            f" the one used is {derived!r}",
        )


def _owner_of(record: DeskRecord) -> Owner:
    network = Network.parse(record.network)
    found, _ = decode_address(record.desk_account)
    if found is not network:
        raise NetworkMismatch(
            f"desk {record.desk_account}: its row says {network}, its address {found}"
        )
    return Owner.of(secret_of(record.owner_identifier), network)
