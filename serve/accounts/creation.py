"""The creation of accounts: rows are written before effects, and what began is finished.

A creation goes: order row ``pending`` → client builds the account, key on disk → account row
``pending`` → client makes it visible → sync → account ``active``, order ``succeeded``. One that
stops after its account row is *unfinished*: an equal order of the same user takes it up again, a
sync finishes it, and the next start of the service finds it in the rows. A creation that stops
earlier has failed, and leaves a failed order row and at most an unused key file.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serve.domain.address import canonical_address, encode_address
from serve.domain.orders import AccountOrder, account_spec, order_result, parse_order
from serve.errors import AccountNotFound, ServeError, StoreFailed
from serve.points import point

if TYPE_CHECKING:
    from serve.clients.timed_client import TimedClient
    from serve.domain.account_specs import KeyScheme
    from serve.domain.address import AccountId, Owner
    from serve.domain.client_values import SyncSummary
    from serve.domain.order_clock import OrderClock
    from serve.domain.orders import AccountOrderResult
    from serve.domain.records import OrderRecord
    from serve.store.user_store import PendingOrder, UserStore

__all__ = ["AccountCreation"]


@dataclass(slots=True, kw_only=True)
class _Creation:
    """An order being carried out. ``is_added``: the client's store shows the account."""

    owner: Owner
    order: AccountOrder
    uuid: str
    account_id: AccountId | None = None
    has_row: bool = False
    is_added: bool = False
    is_settled: bool = False  # The order's row says succeeded or failed, or there is none.

    @property
    def address(self) -> str:
        """The canonical address, once there is an account."""
        return (
            "" if self.account_id is None else encode_address(self.account_id, self.owner.network)
        )


class AccountCreation:
    """Carries out account orders, and finishes what was left unfinished."""

    def __init__(self, users: UserStore, clock: OrderClock, *, key_scheme: KeyScheme) -> None:
        self._users = users
        self._clock = clock
        self._key_scheme = key_scheme
        self._in_flight: dict[str, _Creation] = {}
        self._unfinished: dict[Owner, list[_Creation]] = {}
        self._recovery_owed: dict[Owner, ServeError] = {}

    async def create(
        self, owner: Owner, order: AccountOrder, client: TimedClient
    ) -> AccountOrderResult:
        """Make the account that an order asks for, or finish an equal order left unfinished.

        Raises:
            ClientFailed: A command failed; the order has failed, or is left unfinished.
            StoreFailed: A row could not be written.
            DuplicateRecord: The client handed out an id that has a row already.
        """
        await self._recover_if_owed(owner, client)
        while True:
            creation = self._take_equal(owner, order)
            is_resumed = creation is not None
            creation = creation or _Creation(owner=owner, order=order, uuid=str(uuid.uuid4()))
            self._in_flight[creation.uuid] = creation
            try:
                await self._carry_out(creation, client)
            except AccountNotFound:
                # What an earlier client had prepared is gone, and its order failed: start anew.
                if not (is_resumed and creation.is_settled):
                    raise
            else:
                return order_result(order, creation.address)
            finally:
                self._put_back(creation)

    async def sync(self, owner: Owner, client: TimedClient) -> SyncSummary:
        """Sync a client, and finish the accounts that were waiting for it.

        Raises:
            ClientFailed: A command failed; what was unfinished stays so.
            StoreFailed: A row could not be written.
        """
        await self._recover_if_owed(owner, client)
        waiting = [c for c in self._unfinished.get(owner, ()) if c.account_id is not None]
        for creation in waiting:
            self._take(creation)
        try:
            for creation in waiting:
                try:
                    await self._add(creation, client)
                except AccountNotFound:
                    continue  # The order has failed, and its row says why.
            summary = await client.sync()
            # A lost account whose order could not be marked failed is neither added nor settled.
            await self._succeed(tuple(c for c in waiting if c.is_added and not c.is_settled))
        finally:
            for creation in waiting:
                self._put_back(creation)
        return summary

    async def recover(self, owner: Owner, client: TimedClient) -> None:
        """Decide what to do with the pending rows of an earlier process.

        An account that the client's store has is finished at the next sync; any other order has
        failed. An error is kept, and the owner's next order or sync tries again.
        """
        owed = self._recovery_owed.get(owner)
        try:
            await self._recover(owner, client)
        except ServeError as error:
            self._recovery_owed[owner] = error
        else:
            self._recovery_done(owner, owed)

    def knows(self, owner: Owner, order: OrderRecord) -> bool:
        """Whether a pending order is under way, unfinished, or yet to be recovered."""
        is_due = order.uuid in self._in_flight or owner in self._recovery_owed
        return is_due or order.uuid in self._uuids(owner)

    async def _carry_out(self, creation: _Creation, client: TimedClient) -> None:
        if not creation.has_row:
            await self._begin(creation)
        if creation.account_id is None:
            await self._prepare(creation, client)
        await self._add(creation, client)
        await client.sync()
        await self._succeed((creation,))

    async def _begin(self, creation: _Creation) -> None:
        creation.is_settled = True  # No row yet: nothing to be taken up again.
        try:
            await self._users.begin_order(
                creation.owner,
                creation.order,
                uuid=creation.uuid,
                sequence=self._clock.next_sequence(),
                created_at=self._clock.now_text(),
            )
        except StoreFailed as error:
            # A commit that fails may have reached the disk: then its row is to be decided.
            self._recovery_owed[creation.owner] = error
            raise
        creation.has_row, creation.is_settled = True, False

    async def _prepare(self, creation: _Creation, client: TimedClient) -> None:
        try:
            await point("key.before_write", owner=creation.owner)
            account_id = await client.prepare_account(
                account_spec(creation.order, self._key_scheme)
            )
            await self._users.add_pending_account(
                creation.owner,
                creation.order,
                uuid=creation.uuid,
                account=encode_address(account_id, creation.owner.network),
                created_at=self._clock.now_text(),
            )
        except ServeError as error:
            await self._fail(creation, error)
            raise
        creation.account_id = account_id

    async def _add(self, creation: _Creation, client: TimedClient) -> None:
        if creation.is_added or creation.account_id is None:
            return
        try:
            await client.add_account(creation.account_id)
        except AccountNotFound as error:
            await self._fail(creation, error)
            raise
        creation.is_added = True

    async def _succeed(self, creations: tuple[_Creation, ...]) -> None:
        if not creations:
            return
        await self._users.succeed_orders(
            creations[0].owner,
            tuple((c.uuid, c.address, c.order) for c in creations),
            created_at=self._clock.now_text(),
        )
        for creation in creations:
            creation.is_settled = True

    async def _fail(self, creation: _Creation, error: ServeError) -> None:
        try:
            await self._users.fail_order(
                creation.owner, creation.uuid, error=f"{type(error).__name__}: {error}"
            )
        except StoreFailed as failure:
            error.add_note(f"besides, order {creation.uuid} is still marked pending: {failure}")
            return
        creation.is_settled = True

    async def _recover_if_owed(self, owner: Owner, client: TimedClient) -> None:
        error = self._recovery_owed.get(owner)
        if error is not None:
            await self._recover(owner, client)
            self._recovery_done(owner, error)

    def _recovery_done(self, owner: Owner, error: ServeError | None) -> None:
        # Another recovery may have become due while the rows were read; it stays due.
        if self._recovery_owed.get(owner) is error:
            self._recovery_owed.pop(owner, None)

    async def _recover(self, owner: Owner, client: TimedClient) -> None:
        # Rows in flight are decided by their own tasks, even if they end while these rows are read.
        known = {*self._in_flight, *self._uuids(owner)}
        pending = await self._users.list_pending(owner)
        left = [row for row in pending if row.uuid not in known]
        if not left:
            return
        held = {account.account_id for account in await client.list_accounts()}
        for row in left:
            if row.uuid not in self._uuids(owner):
                await self._recover_row(owner, row, held)

    async def _recover_row(self, owner: Owner, row: PendingOrder, held: set[AccountId]) -> None:
        try:
            order = parse_order(json.loads(row.order_json))
            if row.account is None:
                raise AccountNotFound("the service ended before the account was prepared")
            account_id, _ = canonical_address(row.account, network=owner.network)
            if account_id not in held:
                raise AccountNotFound("the service ended before the client held the account")
        except (ServeError, ValueError) as error:
            text = f"{type(error).__name__}: {error}"
            await self._users.fail_order(owner, row.uuid, error=text)
            return
        creation = _Creation(owner=owner, order=order, uuid=row.uuid, account_id=account_id)
        creation.has_row = creation.is_added = True
        self._unfinished.setdefault(owner, []).append(creation)

    def _uuids(self, owner: Owner) -> tuple[str, ...]:
        return tuple(creation.uuid for creation in self._unfinished.get(owner, ()))

    def _take_equal(self, owner: Owner, order: AccountOrder) -> _Creation | None:
        for creation in self._unfinished.get(owner, ()):
            if creation.order == order:
                self._take(creation)
                return creation
        return None

    def _take(self, creation: _Creation) -> None:
        left = self._unfinished[creation.owner]
        left.remove(creation)
        if not left:
            del self._unfinished[creation.owner]
        self._in_flight[creation.uuid] = creation

    def _put_back(self, creation: _Creation) -> None:
        self._in_flight.pop(creation.uuid, None)
        if not creation.is_settled:
            self._unfinished.setdefault(creation.owner, []).append(creation)
