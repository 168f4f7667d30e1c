"""The accounts, desks and orders of many users on Miden networks, for asyncio.

Begin with a directory that exists, a factory of clients, and a secret of 32 bytes for each user:

    async with Serve(path, MidenClientFactory()) as service:
        order = CreateClient(network=Network.LOCALNET, name="savings")
        created = await service.create_account_order(secret, order)
        listing = await service.list_accounts(secret)

help(serve.Serve) has all operations. MidenClientFactory needs the extension mosaic-miden-client;
another factory needs only what ClientFactory and Client ask for. All that goes wrong is raised as a
ServeError, of which serve.errors has each kind. Public are the names in serve.__all__ and in
serve.errors.__all__; all others may change with any release.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serve.clients.deadlines import Deadlines
    from serve.clients.handle import ClientHandle
    from serve.clients.port import Client, ClientFactory
    from serve.desks.registry import Desk
    from serve.domain.account_specs import KeyScheme
    from serve.domain.address import (
        AccountId,
        Network,
        client_directory,
        decode_address,
        encode_address,
        owner_identifier,
        secret_of,
        secret_of_user,
    )
    from serve.domain.orders import (
        AccountOrder,
        AccountOrderResult,
        ClientCreated,
        CreateClient,
        CreateFaucet,
        CreateLiquidity,
        FaucetCreated,
        LiquidityCreated,
        parse_order,
    )
    from serve.domain.records import (
        AccountEntry,
        AccountListing,
        AccountStatusData,
        DeskRecord,
        OrderRecord,
        OrderStatus,
        RestoreReport,
    )
    from serve.errors import ServeError
    from serve.miden.factory import MidenClientFactory
    from serve.service.service import Serve
    from serve.store.sqlite_files import Synchronous
    from serve.store.top_store import TopStore

__all__ = [
    "AccountEntry",
    "AccountId",
    "AccountListing",
    "AccountOrder",
    "AccountOrderResult",
    "AccountStatusData",
    "Client",
    "ClientCreated",
    "ClientFactory",
    "ClientHandle",
    "CreateClient",
    "CreateFaucet",
    "CreateLiquidity",
    "Deadlines",
    "Desk",
    "DeskRecord",
    "FaucetCreated",
    "KeyScheme",
    "LiquidityCreated",
    "MidenClientFactory",
    "Network",
    "OrderRecord",
    "OrderStatus",
    "RestoreReport",
    "Serve",
    "ServeError",
    "Synchronous",
    "TopStore",
    "client_directory",
    "decode_address",
    "encode_address",
    "owner_identifier",
    "parse_order",
    "secret_of",
    "secret_of_user",
]

# The modules that define them, those first that need the fewest others: a name is looked for in
# these, in this order, when it is first asked for.
_HOMES = (
    "errors",
    "domain.address",
    "domain.account_specs",
    "domain.records",
    "domain.orders",
    "clients.deadlines",
    "clients.port",
    "clients.handle",
    "store.sqlite_files",
    "store.top_store",
    "desks.registry",
    "service.service",
    "miden.factory",
)


def __getattr__(name: str) -> Any:
    """Import a public name from where it is defined."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"serve.{home}")
            if name in module.__all__:
                # Not kept: help() would print whatever somebody has used.
                return getattr(module, name)
    msg = f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}"
    raise AttributeError(msg)
