"""Own the audit of a quiet service: what its files, clients and registries say must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serve.address import Network, encode_address, secret_of
from serve.errors import ServeError
from serve.records import OrderStatus
from serve.user_store import USER_FILE, Owner

if TYPE_CHECKING:
    from pathlib import Path

    from serve.account_creation import AccountCreation
    from serve.address import AccountId
    from serve.client_registry import ClientRegistry
    from serve.desk_registry import DeskRegistry
    from serve.store import Databases
    from serve.top_store import TopStore
    from serve.user_store import UserStore

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
    """Return what is wrong, in a fixed order: clients, desks, then user by user."""
    problems = [*clients.faults, *await _audit_desks(top, desks)]
    live = dict(clients.live_clients())
    for name in await databases.call(_client_directories, storage_path):
        try:
            owner = _owner_of(name)
            faults = await _audit_rows(owner, users, creation, is_live=owner in live)
            if owner in live:
                held = [account.account_id for account in await live[owner].list_accounts()]
                faults += await _audit_held(owner, users, held)
        except ServeError as error:
            faults = [f"{type(error).__name__}: {error}"]
        problems += [f"{name}: {fault}" for fault in faults]
    return tuple(problems)


async def _audit_desks(top: TopStore, desks: DeskRegistry) -> list[str]:
    problems = [f"desks: {fault}" for fault in await top.check_integrity()]
    rows = [record.desk_account for record in await top.list_desks()]
    restored = desks.list_desks()
    failed = [failure.desk_account for failure in desks.failures()]
    problems += [f"desk {desk} is restored but has no row" for desk in restored if desk not in rows]
    if desks.was_restored:
        untried = [row for row in rows if row not in restored and row not in failed]
        problems += [f"desk {desk} has a row, but nobody tried to restore it" for desk in untried]
    return problems


async def _audit_rows(
    owner: Owner, users: UserStore, creation: AccountCreation, *, is_live: bool
) -> list[str]:
    problems = list(await users.check_integrity(owner))
    statuses = dict(await users.list_account_statuses(owner))
    made: dict[str, int] = {}
    for order in await users.list_orders(owner):
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
    return problems


async def _audit_held(owner: Owner, users: UserStore, held: list[AccountId]) -> list[str]:
    statuses = dict(await users.list_account_statuses(owner))
    addresses = [encode_address(account_id, owner.network) for account_id in held]
    problems = [
        f"account {account} is active, but its client does not hold it"
        for account, status in statuses.items()
        if status == "active" and account not in addresses
    ]
    problems += [f"the client holds {a}, which has no row" for a in addresses if a not in statuses]
    return problems


def _client_directories(storage_path: Path) -> list[str]:
    return sorted(path.parent.name for path in storage_path.glob(f"*/{USER_FILE}"))


def _owner_of(name: str) -> Owner:
    prefix, _, identifier = name.partition("_")
    return Owner.of(secret_of(identifier), Network.parse(prefix))
