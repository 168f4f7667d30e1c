"""Own the service's public names: accounts, desks and orders of many users, for asyncio."""

from serve.address import (
    AccountId,
    Network,
    client_directory,
    decode_address,
    encode_address,
    owner_identifier,
    secret_of,
    secret_of_user,
)
from serve.client import Client, ClientFactory, KeyScheme
from serve.client_handle import ClientHandle
from serve.deadlines import Deadlines
from serve.desk_registry import Desk
from serve.errors import ServeError
from serve.orders import (
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
from serve.records import (
    AccountEntry,
    AccountListing,
    AccountStatusData,
    DeskRecord,
    OrderRecord,
    OrderStatus,
    RestoreReport,
)
from serve.service import Serve
from serve.store import Synchronous
from serve.top_store import TopStore

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
