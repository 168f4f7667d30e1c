"""The engine: carries out the steps of an order, and decides what an earlier process left.

An order is a row first, ``pending``. Its kind's steps follow, then a sync of the client, then its
rows are made final in one transaction. An order that stops at a step that it fails on has failed.
One that stops elsewhere is *unfinished*: a retry takes it up again, and a sync finishes it. What an
earlier process left in its rows is recovered before the next order or sync of the owner: each step
is asked whether it happened, and the order goes on there, or has failed.

All methods that take a client run one at a time for an owner: ``serve.service.operations``.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from serve.clients.deadlines import deadline
from serve.errors import RecoveryTimedOut, ServeError, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from serve.clients.port import ClientCommands
    from serve.domain.address import AccountId, Owner
    from serve.domain.client_values import SyncSummary
    from serve.domain.orders import AccountOrder
    from serve.domain.records import OrderRecord
    from serve.store.user_store import UserStore

__all__ = ["OrderEngine", "OrderKind", "Step", "Work"]


@dataclass(slots=True, kw_only=True, eq=False)
class Work:
    """An order being carried out; ``done`` of its steps have happened.

    ``failure``: why it has failed, while its row does not say so yet. It is not taken up again.
    """

    owner: Owner
    order: AccountOrder
    uuid: str
    request_key: str | None = None
    account_id: AccountId | None = None
    done: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an order.

    ``happened``: whether it did, asked of a recovered order and the accounts that its client holds.
    ``fails_on``: the errors with which the order has failed; with others it is unfinished.
    ``lost``: why an order has failed that an earlier process left before this step.
    """

    effect: Callable[[Work, ClientCommands], Awaitable[None]]
    happened: Callable[[Work, frozenset[AccountId]], bool]
    fails_on: tuple[type[ServeError], ...]
    lost: str


class OrderKind(Protocol):
    """What the engine needs to know of orders: their steps, and how their rows are written."""

    steps: tuple[Step, ...]

    async def begin(self, work: Work) -> None:
        """Write the pending row; ``StoreFailed`` if it may or may not be on disk."""
        ...

    def work_of(self, owner: Owner, row: OrderRecord) -> Work | None:
        """Read a pending row; None if it is of a kind that this version does not carry out.

        Raises:
            ServeError, ValueError: It cannot be read, so its order has failed.
        """
        ...

    async def commit(self, works: Sequence[Work]) -> None:
        """Make the rows of one owner's works final, in one transaction."""
        ...


class OrderEngine:
    """Carries out orders, and keeps what is unfinished or owed, by owner."""

    def __init__(self, rows: UserStore, kind: OrderKind, *, recovery_s: float) -> None:
        self._rows = rows
        self._kind = kind
        self._recovery_s = recovery_s
        self._works: dict[Owner, dict[str, Work]] = {}
        self._owed: set[Owner] = set()  # Owners whose rows may say more than is known here.
        self._recovered: set[Owner] = set()
        self._with_foreign: set[Owner] = set()  # Owners with orders of kinds that are left alone.

    def knows(self, owner: Owner, uuid: str) -> bool:
        """Whether a pending order is under way, unfinished, or yet to be recovered."""
        return owner in self._owed or uuid in self._works.get(owner, ())

    def has_open(self, owner: Owner) -> bool:
        """Whether an owner has orders that are not decided."""
        return owner in self._owed or owner in self._works or owner in self._with_foreign

    def unfinished(self, owner: Owner) -> list[Work]:
        """Return the works that can be taken up again, oldest first."""
        return [work for work in self._works.get(owner, {}).values() if work.failure is None]

    async def begin(self, work: Work) -> None:
        """Write the row of a new order.

        Raises:
            StoreFailed: It could not be written. If it was, the next order or sync decides it.
        """
        try:
            await self._kind.begin(work)
        except StoreFailed:
            # A commit that fails may have reached the disk.
            self._owed.add(work.owner)
            raise
        self._works.setdefault(work.owner, {})[work.uuid] = work

    async def finish(self, work: Work, client: ClientCommands) -> None:
        """Do what is left of a work: its steps, a sync, and its rows.

        Raises:
            ServeError: A step or the sync failed; the order has failed, or is unfinished.
        """
        await self._do_steps(work, client)
        await client.sync()
        await self._commit([work])

    async def sync(self, owner: Owner, client: ClientCommands) -> SyncSummary:
        """Sync a client, and finish what was waiting for it.

        Raises:
            ServeError: Recovery, the sync or the rows failed; what was unfinished stays so.
        """
        ready = []
        for work in self.unfinished(owner):
            try:
                await self._do_steps(work, client)
            except ServeError:
                continue  # It has failed or stays unfinished; that hinders no other's sync.
            ready.append(work)
        summary = await client.sync()
        await self._commit(ready)
        return summary

    def owe_first(self, owner: Owner) -> bool:
        """Owe an owner the first recovery of this life; return whether one is owed."""
        if owner not in self._recovered:
            self._owed.add(owner)
        return owner in self._owed

    async def recover(self, owner: Owner, client: ClientCommands) -> None:
        """Recover what is owed; what fails stays owed, so that reading goes on without it."""
        with suppress(ServeError):
            await self.recover_if_owed(owner, client)

    async def recover_if_owed(self, owner: Owner, client: ClientCommands) -> None:
        """Decide an owner's rows that nobody here is to decide; nothing passes until it succeeds.

        Raises:
            RecoveryTimedOut: It took longer than ``recovery_s``.
            ServeError: A command or a row failed.
        """
        if owner in self._owed:
            await self._recover(owner, client)

    async def _do_steps(self, work: Work, client: ClientCommands) -> None:
        while work.done < len(self._kind.steps):
            step = self._kind.steps[work.done]
            try:
                await step.effect(work, client)
            except step.fails_on as error:
                work.failure = f"{type(error).__name__}: {error}"
                try:
                    await self._write_failure(work)
                except StoreFailed as failure:
                    self._owed.add(work.owner)
                    error.add_note(f"besides, order {work.uuid} is still marked pending: {failure}")
                raise
            work.done += 1

    async def _write_failure(self, work: Work) -> None:
        await self._rows.fail_order(work.owner, work.uuid, error=work.failure or "")
        self._forget(work)

    async def _commit(self, works: Sequence[Work]) -> None:
        if works:
            await self._kind.commit(works)
        for work in works:
            self._forget(work)

    def _forget(self, work: Work) -> None:
        works = self._works[work.owner]
        del works[work.uuid]
        if not works:
            del self._works[work.owner]

    async def _recover(self, owner: Owner, client: ClientCommands) -> None:
        what = f"recovering the orders of {owner.label}"
        async with deadline(self._recovery_s, RecoveryTimedOut, what=what):
            for work in list(self._works.get(owner, {}).values()):
                if work.failure is not None:
                    await self._write_failure(work)
            pending = await self._rows.list_pending(owner)
            known = self._works.get(owner, {})
            left = [row for row in pending if row.uuid not in known]
            if left:
                held = frozenset(one.account_id for one in await client.list_accounts())
                for row in left:
                    await self._recover_row(owner, row, held)
        self._owed.discard(owner)
        self._recovered.add(owner)

    async def _recover_row(
        self, owner: Owner, row: OrderRecord, held: frozenset[AccountId]
    ) -> None:
        try:
            work = self._kind.work_of(owner, row)
        except (ServeError, ValueError) as error:
            await self._rows.fail_order(owner, row.uuid, error=f"{type(error).__name__}: {error}")
            return
        if work is None:
            self._with_foreign.add(owner)
            return
        for step in self._kind.steps:
            if not step.happened(work, held):
                await self._rows.fail_order(owner, row.uuid, error=step.lost)
                return
            work.done += 1
        self._works.setdefault(owner, {})[work.uuid] = work
