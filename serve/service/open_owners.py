"""The owners that may have undecided orders: marked before their first, and swept at the start."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from serve.desks.few_at_a_time import few_at_a_time
from serve.domain.address import Network, Owner, owner_identifier, secret_of
from serve.errors import ServeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serve.domain.records import DeskRecord
    from serve.store.top_store import TopStore
    from serve.store.user_store import UserStore

__all__ = ["OpenOwners"]


class OpenOwners:
    """Marks owners in the desks' file, so that a start finds them without opening every file.

    An owner is marked before its first order of this life. The mark is taken away by a close, or by
    the next start, when no order is left undecided: too many marks do no harm, one too few would.
    """

    def __init__(self, top: TopStore, users: UserStore) -> None:
        self._top = top
        self._users = users
        self._marked: set[Owner] = set()

    async def mark(self, owner: Owner) -> None:
        """Mark an owner, unless this life has.

        Raises:
            StoreFailed: The mark could not be written.
        """
        if owner not in self._marked:
            await self._top.mark_open(*_written(owner))
            self._marked.add(owner)

    async def sweep(self, settle: Callable[[Owner], Awaitable[object]]) -> None:
        """Decide what earlier processes left undecided: desks, then orders, a few owners at a time.

        ``settle`` recovers an owner's orders and syncs its client. What fails is left for the
        owner's next order or sync, and for the next start.
        """

        async def sweep_one(marked: tuple[str, str]) -> None:
            with suppress(ServeError):
                owner = _read(*marked)
                if await self._users.list_pending(owner):
                    await settle(owner)
                    self._marked.add(owner)
                elif owner not in self._marked:
                    await self._top.unmark_open([marked])

        with suppress(ServeError):
            await few_at_a_time(
                await self._top.list_creating(), self._settle_desk, name="serve:sweep:desks"
            )
            await few_at_a_time(await self._top.list_open(), sweep_one, name="serve:sweep")

    async def unmark(self, has_open: Callable[[Owner], bool]) -> None:
        """Take the marks of this life away, but for owners with undecided orders."""
        decided = [_written(owner) for owner in self._marked if not has_open(owner)]
        with suppress(ServeError):
            if decided:
                await self._top.unmark_open(decided)

    async def _settle_desk(self, desk: DeskRecord) -> None:
        """Complete a desk whose account is there; remove one whose account never will be."""
        with suppress(ServeError):
            owner = _read(desk.owner_identifier, desk.network)
            status = dict(await self._users.list_account_statuses(owner)).get(desk.desk_account)
            if status != "pending":
                await self._top.settle_desk(desk.desk_account, complete=status == "active")


def _read(identifier: str, network: str) -> Owner:
    return Owner.of(secret_of(identifier), Network.parse(network))


def _written(owner: Owner) -> tuple[str, str]:
    return owner_identifier(owner.secret), owner.network.value
