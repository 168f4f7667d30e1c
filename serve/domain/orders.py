"""Account orders: their kinds, their JSON, and their results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from serve.domain.account_specs import AccountSpec, FaucetSpec, KeyScheme, StorageMode, WalletSpec
from serve.domain.address import Network
from serve.domain.records import AccountKind
from serve.errors import BadOrder, UnsupportedNetwork, UnsupportedOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AccountOrder",
    "AccountOrderResult",
    "ClientCreated",
    "CreateClient",
    "CreateFaucet",
    "CreateLiquidity",
    "FaucetCreated",
    "LiquidityCreated",
    "account_spec",
    "order_json",
    "order_result",
    "parse_order",
]

SYMBOL_LENGTH_MAX = 6
DECIMALS_MAX = 12
SUPPLY_MAX = 2**63 - 2**31  # The most a fungible asset of the chain can hold.

# Kinds of spec 1.7 that exist and are not carried out by this version.
_UNSUPPORTED = (
    "ActivateDesk",
    "CreateDesk",
    "DeactivateDesk",
    "FundAccount",
    "KYCPassed",
    "LimitBuyOrderLocked",
    "LimitBuyOrderNotLocked",
    "LimitOrder",
    "LimitSellOrderLocked",
    "LimitSellOrderNotLocked",
    "LiquidityOffer",
    "QuoteRequest",
    "QuoteRequestNoOffer",
    "QuoteRequestOffer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateClient:
    """Ask for a private wallet. ``name`` is trimmed; an empty name counts as none."""

    TAG: ClassVar[str] = "CreateClient"
    KIND: ClassVar[AccountKind] = AccountKind.CLIENT

    network: Network
    name: str | None = None

    def __post_init__(self) -> None:
        _check_network(self.TAG, self.network)
        if self.name is None:
            return
        _check_text(f"{self.TAG}.name", self.name)
        object.__setattr__(self, "name", self.name.strip() or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLiquidity:
    """Ask for a private wallet of a liquidity provider."""

    TAG: ClassVar[str] = "CreateLiquidity"
    KIND: ClassVar[AccountKind] = AccountKind.LIQUIDITY

    network: Network

    def __post_init__(self) -> None:
        _check_network(self.TAG, self.network)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFaucet:
    """Ask for a public fungible faucet, which becomes an owned asset of the user.

    ``token_symbol``: 1 to 6 letters A-Z. ``decimals``: 0 to 12. ``max_supply``: 1 to 2^63 - 2^31
    base units.
    """

    TAG: ClassVar[str] = "CreateFaucet"
    KIND: ClassVar[AccountKind] = AccountKind.FAUCET

    network: Network
    token_symbol: str
    decimals: int
    max_supply: int

    def __post_init__(self) -> None:
        _check_network(self.TAG, self.network)
        symbol = self.token_symbol
        letters = isinstance(symbol, str) and symbol.isascii() and symbol.isalpha()
        if not letters or not symbol.isupper() or len(symbol) > SYMBOL_LENGTH_MAX:
            raise BadOrder(
                f"{self.TAG}.token_symbol must be 1 to {SYMBOL_LENGTH_MAX} letters A-Z,"
                f" got {symbol!r}"
            )
        _check_range(f"{self.TAG}.decimals", self.decimals, least=0, most=DECIMALS_MAX)
        _check_range(f"{self.TAG}.max_supply", self.max_supply, least=1, most=SUPPLY_MAX)


AccountOrder = CreateClient | CreateLiquidity | CreateFaucet


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCreated:
    """A client account exists. ``account_id`` is its canonical address."""

    account_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityCreated:
    """A liquidity account exists. ``account_id`` is its canonical address."""

    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaucetCreated:
    """A faucet exists. ``account_id`` is its canonical address."""

    account_id: str
    token_symbol: str
    decimals: int
    max_supply: int


AccountOrderResult = ClientCreated | LiquidityCreated | FaucetCreated


def parse_order(value: object) -> AccountOrder:
    """Read an order from its decoded JSON: ``{"CreateClient": {"network": "Testnet"}}``.

    Raises:
        BadOrder: Not an order, or a field of it is missing, unknown or out of range.
        UnsupportedOrder: An order that this version does not carry out.
    """
    tag, body = _tagged(value)
    if tag == CreateClient.TAG:
        _check_fields(tag, body, required=("network",), optional=("name",))
        return CreateClient(network=_network(tag, body), name=_text_or_none(tag, body, "name"))
    if tag == CreateLiquidity.TAG:
        _check_fields(tag, body, required=("network",))
        return CreateLiquidity(network=_network(tag, body))
    _check_fields(tag, body, required=("network", "token_symbol", "decimals", "max_supply"))
    return CreateFaucet(
        network=_network(tag, body),
        token_symbol=body["token_symbol"],  # type: ignore[arg-type]  # checked when it is made
        decimals=body["decimals"],  # type: ignore[arg-type]
        max_supply=body["max_supply"],  # type: ignore[arg-type]
    )


def order_json(order: AccountOrder) -> str:
    """Write an order as JSON, always in the same way: equal orders have equal text."""
    body: dict[str, object] = {"network": order.network.value}
    if isinstance(order, CreateClient) and order.name is not None:
        body["name"] = order.name
    if isinstance(order, CreateFaucet):
        body["token_symbol"] = order.token_symbol
        body["decimals"] = order.decimals
        body["max_supply"] = order.max_supply
    return json.dumps({order.TAG: body}, separators=(",", ":"))


def order_result(order: AccountOrder, account: str) -> AccountOrderResult:
    """Return the result of an order that made the account with this address."""
    if isinstance(order, CreateClient):
        return ClientCreated(account_id=account, name=order.name)
    if isinstance(order, CreateLiquidity):
        return LiquidityCreated(account_id=account)
    return FaucetCreated(
        account_id=account,
        token_symbol=order.token_symbol,
        decimals=order.decimals,
        max_supply=order.max_supply,
    )


def account_spec(order: AccountOrder, key_scheme: KeyScheme) -> AccountSpec:
    """Return what the user's client has to build for an order."""
    if isinstance(order, CreateFaucet):
        return FaucetSpec(
            symbol=order.token_symbol,
            decimals=order.decimals,
            max_supply=order.max_supply,
            key_scheme=key_scheme,
        )
    return WalletSpec(storage_mode=StorageMode.PRIVATE, key_scheme=key_scheme)


def _tagged(value: object) -> tuple[str, Mapping[str, object]]:
    tag, body = value, None
    if isinstance(value, dict) and len(value) == 1:
        ((tag, body),) = value.items()
    if tag in _UNSUPPORTED:
        raise UnsupportedOrder(f"order {tag} is not carried out by this version")
    if tag not in (CreateClient.TAG, CreateFaucet.TAG, CreateLiquidity.TAG):
        raise BadOrder(f"order must be an object with one known kind as its key, got {value!r}")
    if not isinstance(body, dict):
        raise BadOrder(f"order {tag} must hold an object of its fields, got {body!r}")
    return str(tag), body


def _check_fields(
    tag: str,
    body: Mapping[str, object],
    *,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
) -> None:
    for name in required:
        if name not in body:
            raise BadOrder(f"{tag}.{name} is missing")
    for name in body:
        if name not in required + optional:
            raise BadOrder(
                f"{tag}.{name} is not a field of this order: it has {required + optional}"
            )


def _network(tag: str, body: Mapping[str, object]) -> Network:
    for network in Network:
        if body["network"] == network.value:
            return network
    raise BadOrder(
        f"{tag}.network must be Testnet or Localnet, in this case, got {body['network']!r}"
    )


def _text_or_none(tag: str, body: Mapping[str, object], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadOrder(f"{tag}.{name} must be text, got {value!r}")


def _check_network(tag: str, network: object) -> None:
    if not isinstance(network, Network):
        raise UnsupportedNetwork(f"{tag}.network must be a Network, got {network!r}")


def _check_text(where: str, value: object) -> None:
    if not isinstance(value, str):
        raise BadOrder(f"{where} must be text, got {value!r}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadOrder(f"{where} must be text that UTF-8 can write, got {value!r}") from error


def _check_range(where: str, value: object, *, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadOrder(f"{where} must be a whole number from {least} to {most}, got {value!r}")
