"""The audit of a quiet service: what its files, clients and registries say must agree.

Each finding begins with the rule that it breaks. Q1: the registry's live clients are open, and no
client is starting or draining. Q3: no task of the service is pending. Q4: every account that a
client holds has a row, and the other way round. Q5: every desk that has a row was restored, or the
reason why not is known, and the other way round. Q7: SQLite finds its files sound, and no rollback
journal is left. "rows": an order and its account agree. Q2 and the keys of Q4 are checked by the
harness, which sees the clients' stores; Q6 is about notes, which this service does not have.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from serve.domain.address import Network, Owner, encode_address, secret_of
from serve.domain.orders import ORDER_TYPES
from serve.domain.records import OrderStatus
from serve.errors import ServeError
from serve.store.user_store import USER_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from serve.clients.registry import ClientRegistry
    from serve.desks.registry import DeskRegistry
    from serve.domain.address import AccountId
    from serve.orders.engine import OrderEngine
    from serve.store.sqlite_files import Databases
    from serve.store.top_store import TopStore
    from serve.store.user_store import UserStore

__all__ = ["audit_service"]


async def audit_service(
    storage_path: Path,
    *,
    databases: Databases,
    users: UserStore,
    top: TopStore,
    clients: ClientRegistry,
    orders: OrderEngine,
    desks: DeskRegistry,
) -> tuple[str, ...]:
    """Return the findings, in a fixed order: clients, tasks, desks, then user by user."""
    findings = [f"Q1: {fault}" for fault in clients.faults]
    findings += [f"Q1: client {state}, with nothing under way" for state in clients.restless()]
    findings += [f"Q3: task {name} is pending" for name in _pending_tasks()]
    findings += await _audit_desks(top, desks)
    journals = await databases.call(_journals, storage_path)
    findings += [f"Q7: {journal} is left" for journal in journals]
    live = dict(clients.live_clients())
    for name in await databases.call(_client_directories, storage_path):
        try:
            owner = _owner_of(name)
            faults = await _audit_rows(owner, users, orders, is_live=owner in live)
            if owner in live:
                held = [account.account_id for account in await live[owner].list_accounts()]
                faults += await _audit_held(owner, users, held)
        except ServeError as error:
            faults = [("rows", f"{type(error).__name__}: {error}")]
        findings += [f"{broken}: {name}: {fault}" for broken, fault in faults]
    return tuple(findings)


def _pending_tasks() -> list[str]:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    names = sorted(task.get_name() for task in tasks)
    return [name for name in names if name.startswith("serve:")]


def _journals(storage_path: Path) -> list[str]:
    # An open file rightly has its write-ahead log.
    found = [*storage_path.glob("*-journal"), *storage_path.glob(f"*/{USER_FILE}-journal")]
    return sorted(path.relative_to(storage_path).as_posix() for path in found)


async def _audit_desks(top: TopStore, desks: DeskRegistry) -> list[str]:
    findings = [f"Q7: desks: {fault}" for fault in await top.check_integrity()]
    rows = [record.desk_account for record in await top.list_desks()]
    restored = desks.restored()
    failed = [failure.desk_account for failure in desks.failures()]
    findings += [
        f"Q5: desk {desk} is restored but has no row" for desk in restored if desk not in rows
    ]
    if desks.was_restored:
        untried = [row for row in rows if row not in restored and row not in failed]
        findings += [
            f"Q5: desk {desk} has a row, but nobody tried to restore it" for desk in untried
        ]
    return findings


async def _audit_rows(
    owner: Owner, users: UserStore, orders: OrderEngine, *, is_live: bool
) -> list[tuple[str, str]]:
    faults = [("Q7", fault) for fault in await users.check_integrity(owner)]
    findings: list[str] = []
    statuses = dict(await users.list_account_statuses(owner))
    made: dict[str, int] = {}
    named: set[str | None] = set()
    for order in await users.list_orders(owner):
        named.add(order.account)
        if order.status is OrderStatus.SUCCEEDED:
            account = order.account or ""
            made[account] = made.get(account, 0) + 1
            if statuses.get(account) != "active":
                findings.append(f"order {order.uuid} succeeded, but its account is not active")
        elif order.status is OrderStatus.FAILED and order.account is not None:
            findings.append(f"order {order.uuid} failed, but has the account {order.account}")
        # Pending rows of an earlier process wait until the owner's client is opened.
        # Those of kinds that this version does not carry out wait for one that does.
        elif (
            order.status is OrderStatus.PENDING
            and is_live
            and order.order_type in ORDER_TYPES
            and not orders.knows(owner, order.uuid)
        ):
            findings.append(f"order {order.uuid} is pending, and nobody is to decide it")
    for account, status in statuses.items():
        if status == "active" and made.get(account, 0) != 1:
            findings.append(f"account {account} has {made.get(account, 0)} orders that made it")
        if status == "pending" and account not in named:
            findings.append(f"account {account} is pending, and no order is to make it")
    return faults + [("rows", finding) for finding in findings]


async def _audit_held(
    owner: Owner, users: UserStore, held: list[AccountId]
) -> list[tuple[str, str]]:
    statuses = dict(await users.list_account_statuses(owner))
    addresses = [encode_address(account_id, owner.network) for account_id in held]
    findings = [
        f"account {account} is active, but its client does not hold it"
        for account, status in statuses.items()
        if status == "active" and account not in addresses
    ]
    findings += [f"the client holds {a}, which has no row" for a in addresses if a not in statuses]
    return [("Q4", finding) for finding in findings]


def _client_directories(storage_path: Path) -> list[str]:
    return sorted(path.parent.name for path in storage_path.glob(f"*/{USER_FILE}"))


def _owner_of(name: str) -> Owner:
    prefix, _, identifier = name.partition("_")
    return Owner.of(secret_of(identifier), Network.parse(prefix))
