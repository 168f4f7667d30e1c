"""The turns of orders and syncs: an owner's run one at a time, equal ones together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from serve.errors import ClientClosed, ServeClosed
from serve.service.operations import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from serve.accounts.creation import AccountCreation
    from serve.clients.port import ClientCommands
    from serve.clients.registry import ClientRegistry
    from serve.domain.address import Owner
    from serve.domain.client_values import SyncSummary
    from serve.domain.orders import AccountOrder, AccountOrderResult
    from serve.service.operations import Operations

__all__ = ["OrderTurns"]


class OrderTurns:
    """Puts creations, syncs and recoveries into their owners' lanes; operations are admitted."""

    def __init__(
        self, operations: Operations, clients: ClientRegistry, creation: AccountCreation
    ) -> None:
        self._operations = operations
        self._clients = clients
        self._creation = creation
        self._orders = creation.engine

    async def create(
        self, owner: Owner, order: AccountOrder, request_key: str | None
    ) -> AccountOrderResult:
        """Create an account, or join or answer the same request; see ``AccountCreation.create``."""

        def is_same(tail: Tail) -> bool:
            is_alike = tail.request == (order, request_key)
            return is_alike and (request_key is not None or not tail.callers)

        answer = await self._creation.answer(owner, order, request_key)
        if answer is not None:
            return answer
        made: AccountOrderResult = await self._in_turn(
            owner,
            "create",
            lambda client: self._creation.create(owner, order, client, request_key=request_key),
            request=(order, request_key),
            is_same=is_same,
        )
        return made

    async def sync(self, owner: Owner) -> SyncSummary:
        """Sync the owner's client, and finish what waits for that; see ``OrderEngine.sync``."""

        async def sync(client: ClientCommands) -> SyncSummary:
            await self._orders.recover_if_owed(owner, client)
            return await self._orders.sync(owner, client)

        summary: SyncSummary = await self._in_turn(
            owner,
            "sync",
            sync,
            request="sync",
            # One under way may have passed the tip that a later caller asks for.
            is_same=lambda tail: tail.request == "sync" and tail.task is None,
        )
        return summary

    async def recover(self, owner: Owner, client: ClientCommands, *, wait_s: float) -> None:
        """Recover an owner's orders with a client that has just started, once in this life.

        It is waited for ``wait_s`` seconds. What has failed or is not done by then is owed: the
        owner's next order or sync begins with it.
        """
        if not self._orders.owe_first(owner):
            return
        tail = Tail(
            lane=owner,
            name=f"serve:recover:{owner.label}",
            request="recover",
            work=lambda: self._orders.recover(owner, client),
        )
        with suppress(ServeClosed, TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._operations.outlive(tail)

    async def _in_turn(
        self,
        owner: Owner,
        what: str,
        work: Callable[[ClientCommands], Coroutine[Any, Any, Any]],
        *,
        request: object,
        is_same: Callable[[Tail], bool],
    ) -> Any:
        """Do work with the owner's client in its turn, or join the same work."""
        tail = self._operations.find(owner, is_same)
        if tail is None:
            lease = await self._clients.lease(owner)
            tail = self._operations.find(owner, is_same)
            if tail is not None:
                lease.release()

        async def work_with_client() -> Any:
            if lease.has_died:
                raise ClientClosed(f"the client of {owner.label} died before the turn of {what}")
            return await work(lease.client)

        return await self._operations.outlive(
            tail
            or Tail(
                lane=owner,
                name=f"serve:{what}:{owner.label}",
                request=request,
                work=work_with_client,
                done=lease.release,
            )
        )
