"""The creation of accounts: its steps and rows, its request keys, and its answers.

A creation goes: order row ``pending`` → client builds the account, key on disk → account row
``pending`` → client makes it visible → sync → account ``active``, order ``succeeded``. One that
stops before its account row has failed, and leaves a failed order row and at most an unused key.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from serve.domain.address import Network, Owner, canonical_address, encode_address
from serve.domain.orders import ORDER_TYPES, order_json, parse_order
from serve.domain.records import OrderStatus
from serve.errors import AccountNotFound, InvalidInput, RequestKeyReused, ServeError
from serve.orders.engine import OrderEngine, Step, Work
from serve.points import point

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from serve.clients.port import ClientCommands
    from serve.domain.account_specs import KeyScheme
    from serve.domain.address import AccountId
    from serve.domain.order_clock import OrderClock
    from serve.domain.orders import AccountOrder, AccountOrderResult
    from serve.domain.records import OrderRecord
    from serve.store.user_store import UserStore

__all__ = ["AccountCreation", "checked_key"]

KEY_LENGTH_MAX = 200


class AccountCreation:
    """Account orders as a kind of the engine's; ``mark`` is awaited before an owner's first row."""

    def __init__(
        self,
        users: UserStore,
        clock: OrderClock,
        *,
        key_scheme: KeyScheme,
        recovery_s: float,
        mark: Callable[[Owner], Awaitable[None]],
    ) -> None:
        self._users = users
        self._clock = clock
        self._key_scheme = key_scheme
        self._mark = mark
        self._counted: set[bytes] = set()  # Users above whose old orders the clock stands.
        self.engine = OrderEngine(users, self, recovery_s=recovery_s)
        self.steps = (
            Step(
                effect=self._prepare,
                happened=lambda work, _: work.account_id is not None,
                fails_on=(ServeError,),
                lost="AccountNotFound: the service ended before the account was prepared",
            ),
            Step(
                effect=self._add,
                happened=lambda work, held: work.account_id in held,
                fails_on=(AccountNotFound,),
                lost="AccountNotFound: the service ended before the client held the account",
            ),
        )

    async def create(
        self, owner: Owner, order: AccountOrder, client: ClientCommands, *, request_key: str | None
    ) -> AccountOrderResult:
        """Make the account that an order asks for, or finish what was left of the same request.

        The same request is one with the same key or, without a key, an unfinished equal order.

        Raises:
            ClientFailed: A command failed; the order has failed, or is left unfinished.
            StoreFailed: A row could not be written.
            DuplicateRecord: The client handed out an id that has a row already.
            RequestKeyReused: The key belongs to another order.
        """
        await self.engine.recover_if_owed(owner, client)
        answer = await self.answer(owner, order, request_key)
        if answer is not None:
            return answer
        for work in self.engine.unfinished(owner):
            if work.request_key == request_key and work.order == order:
                try:
                    await self.engine.finish(work, client)
                except AccountNotFound:
                    # What an earlier client had prepared is gone, and its order failed: start anew.
                    if self.engine.knows(owner, work.uuid):
                        raise
                else:
                    return order.result(self._address(work))
        work = Work(owner=owner, order=order, uuid=str(uuid.uuid4()), request_key=request_key)
        await self.engine.begin(work)
        await self.engine.finish(work, client)
        return order.result(self._address(work))

    async def answer(
        self, owner: Owner, order: AccountOrder, request_key: str | None
    ) -> AccountOrderResult | None:
        """Return what an order with this key has made, or None.

        Raises:
            RequestKeyReused: The key belongs to another order.
        """
        row = None
        if request_key is not None:
            row = await self._users.find_request(owner, request_key)
        if row is None:
            return None
        if row.order_json != order_json(order):
            raise RequestKeyReused(
                f"request key {request_key!r} belongs to the order {row.order_json}; use another"
            )
        if row.account is None or row.status is not OrderStatus.SUCCEEDED:
            return None
        return order.result(row.account)

    async def begin(self, work: Work) -> None:
        """Write the order's pending row."""
        await self._mark(work.owner)
        await self._raise_clock(work.owner.secret)
        await self._users.begin_order(
            work.owner,
            order_type=work.order.order_type,
            order_json=order_json(work.order),
            uuid=work.uuid,
            sequence=self._clock.next_sequence(),
            created_at=self._clock.now_text(),
            request_key=work.request_key,
        )

    def work_of(self, owner: Owner, row: OrderRecord) -> Work | None:
        """Read a pending row of an account order."""
        if row.order_type not in ORDER_TYPES:
            return None
        order = parse_order(json.loads(row.order_json))
        account_id = None
        if row.account is not None:
            account_id, _ = canonical_address(row.account, network=owner.network)
        return Work(
            owner=owner,
            order=order,
            uuid=row.uuid,
            request_key=row.request_key,
            account_id=account_id,
        )

    async def commit(self, works: Sequence[Work]) -> None:
        """Make accounts active and orders succeeded; a faucet's token becomes an owned asset."""
        await self._users.succeed_orders(
            works[0].owner,
            tuple((work.uuid, self._address(work), work.order.asset) for work in works),
            created_at=self._clock.now_text(),
        )

    async def _prepare(self, work: Work, client: ClientCommands) -> None:
        await point("key.before_write", owner=work.owner)
        account_id = await client.prepare_account(work.order.spec(self._key_scheme))
        await self._users.add_pending_account(
            work.owner,
            kind=work.order.KIND,
            network=work.owner.network,
            name=work.order.account_name,
            uuid=work.uuid,
            account=encode_address(account_id, work.owner.network),
            created_at=self._clock.now_text(),
        )
        work.account_id = account_id

    async def _add(self, work: Work, client: ClientCommands) -> None:
        await client.add_account(_made(work))

    async def _raise_clock(self, secret: bytes) -> None:
        # A user's orders are listed across networks, in order, though the wall clock went back.
        if secret not in self._counted:
            for network in Network:
                self._clock.stay_above(await self._users.last_sequence(Owner(secret, network)))
            self._counted.add(secret)

    def _address(self, work: Work) -> str:
        return encode_address(_made(work), work.owner.network)


def checked_key(request_key: object) -> str | None:
    """Return a request key, or None for none.

    Raises:
        InvalidInput: It is no text of 1 to 200 characters that UTF-8 can write.
    """
    if request_key is None:
        return None
    is_text = isinstance(request_key, str) and 0 < len(request_key) <= KEY_LENGTH_MAX
    if not is_text or any("\ud800" <= letter <= "\udfff" for letter in str(request_key)):
        raise InvalidInput(
            f"request_key must be text of 1 to {KEY_LENGTH_MAX} characters, got {request_key!r}"
        )
    return str(request_key)


def _made(work: Work) -> AccountId:
    assert work.account_id is not None  # noqa: S101  # its first step has happened
    return work.account_id
