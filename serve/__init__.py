"""A service for asyncio: the accounts, desks and orders of many users on Miden networks."""

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
