"""Own the audit of a quiet service: what its files, clients and registries say must agree.

Each text begins with what it contradicts. Q1: the live clients are those that the registry has, and
none is on its way. Q3: no task of the service is pending. Q4: an account that a client holds has a
row, and the other way round. Q5: a desk that has a row was restored, or why not is known, and the
other way round. Q7: SQLite finds its files sound, and no rollback journal is left. "rows": an order
and its account say the same. Q2 and the keys of Q4 are for whoever sees the clients' own stores;
there is no Q6, which is of notes, since this service has none.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from serve.domain.address import Network, encode_address, secret_of
from serve.domain.owner import Owner
from serve.domain.records import OrderStatus
from serve.errors import ServeError
from serve.store.user_store import USER_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from serve.accounts.creation import AccountCreation
    from serve.clients.registry import ClientRegistry
    from serve.desks.registry import DeskRegistry
    from serve.domain.address import AccountId
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
    creation: AccountCreation,
    desks: DeskRegistry,
) -> tuple[str, ...]:
    """Return what is wrong, in a fixed order: clients, tasks, desks, then user by user."""
    problems = [f"Q1: {fault}" for fault in clients.faults]
    problems += [f"Q1: client {told}, with nothing under way" for told in clients.restless()]
    problems += [f"Q3: task {name} is pending" for name in _pending_tasks()]
    problems += await _audit_desks(top, desks)
    journals = await databases.call(_journals, storage_path)
    problems += [f"Q7: {journal} is left" for journal in journals]
    live = dict(clients.live_clients())
    for name in await databases.call(_client_directories, storage_path):
        try:
            owner = _owner_of(name)
            faults = await _audit_rows(owner, users, creation, is_live=owner in live)
            if owner in live:
                held = [account.account_id for account in await live[owner].list_accounts()]
                faults += await _audit_held(owner, users, held)
        except ServeError as error:
            faults = [("rows", f"{type(error).__name__}: {error}")]
        problems += [f"{broken}: {name}: {fault}" for broken, fault in faults]
    return tuple(problems)


def _pending_tasks() -> list[str]:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    names = sorted(task.get_name() for task in tasks)
    return [name for name in names if name.startswith("serve:")]


def _journals(storage_path: Path) -> list[str]:
    # The write-ahead log of a file that is open is in its place.
    found = [*storage_path.glob("*-journal"), *storage_path.glob(f"*/{USER_FILE}-journal")]
    return sorted(path.relative_to(storage_path).as_posix() for path in found)


async def _audit_desks(top: TopStore, desks: DeskRegistry) -> list[str]:
    problems = [f"Q7: desks: {fault}" for fault in await top.check_integrity()]
    rows = [record.desk_account for record in await top.list_desks()]
    restored = desks.list_desks()
    failed = [failure.desk_account for failure in desks.failures()]
    problems += [
        f"Q5: desk {desk} is restored but has no row" for desk in restored if desk not in rows
    ]
    if desks.was_restored:
        untried = [row for row in rows if row not in restored and row not in failed]
        problems += [
            f"Q5: desk {desk} has a row, but nobody tried to restore it" for desk in untried
        ]
    return problems


async def _audit_rows(
    owner: Owner, users: UserStore, creation: AccountCreation, *, is_live: bool
) -> list[tuple[str, str]]:
    faults = [("Q7", fault) for fault in await users.check_integrity(owner)]
    problems: list[str] = []
    statuses = dict(await users.list_account_statuses(owner))
    made: dict[str, int] = {}
    named: set[str | None] = set()
    for order in await users.list_orders(owner):
        named.add(order.account)
        if order.status is OrderStatus.SUCCEEDED:
            account = order.account or ""
            made[account] = made.get(account, 0) + 1
            if statuses.get(account) != "active":
                problems.append(f"order {order.uuid} succeeded, but its account is not active")
        elif order.status is OrderStatus.FAILED and order.account is not None:
            problems.append(f"order {order.uuid} failed, but has the account {order.account}")
        # Pending rows of an earlier process wait for the owner's client to be opened.
        elif order.status is OrderStatus.PENDING and is_live and not creation.knows(owner, order):
            problems.append(f"order {order.uuid} is pending, and nobody is to decide it")
    for account, status in statuses.items():
        if status == "active" and made.get(account, 0) != 1:
            problems.append(f"account {account} has {made.get(account, 0)} orders that made it")
        if status == "pending" and account not in named:
            problems.append(f"account {account} is pending, and no order is to make it")
    return faults + [("rows", problem) for problem in problems]


async def _audit_held(
    owner: Owner, users: UserStore, held: list[AccountId]
) -> list[tuple[str, str]]:
    statuses = dict(await users.list_account_statuses(owner))
    addresses = [encode_address(account_id, owner.network) for account_id in held]
    problems = [
        f"account {account} is active, but its client does not hold it"
        for account, status in statuses.items()
        if status == "active" and account not in addresses
    ]
    problems += [f"the client holds {a}, which has no row" for a in addresses if a not in statuses]
    return [("Q4", problem) for problem in problems]


def _client_directories(storage_path: Path) -> list[str]:
    return sorted(path.parent.name for path in storage_path.glob(f"*/{USER_FILE}"))


def _owner_of(name: str) -> Owner:
    prefix, _, identifier = name.partition("_")
    return Owner.of(secret_of(identifier), Network.parse(prefix))
