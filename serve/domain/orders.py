"""Account orders: their kinds, their JSON, what each makes, and their results."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from serve.domain.account_specs import AccountSpec, FaucetSpec, KeyScheme, StorageMode, WalletSpec
from serve.domain.address import Network
from serve.domain.records import AccountKind, OwnedAsset
from serve.errors import BadOrder, UnsupportedNetwork, UnsupportedOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ORDER_TYPES",
    "AccountOrder",
    "AccountOrderResult",
    "ClientCreated",
    "CreateClient",
    "CreateFaucet",
    "CreateLiquidity",
    "FaucetCreated",
    "LiquidityCreated",
    "order_json",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What all account orders have: a private wallet is made, unless a kind says otherwise."""

    TAG: ClassVar[str]
    KIND: ClassVar[AccountKind]

    network: Network

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise UnsupportedNetwork(f"{self.TAG}.network must be a Network, got {self.network!r}")

    @property
    def order_type(self) -> str:
        """The text of its kind in its row."""
        return f"{self.TAG}Account"

    @property
    def account_name(self) -> str | None:
        """The name under which its account is listed."""
        return None

    @property
    def asset(self) -> OwnedAsset | None:
        """The asset of the user that comes with its account."""
        return None

    def spec(self, key_scheme: KeyScheme) -> AccountSpec:
        """Return what the user's client has to build."""
        return WalletSpec(storage_mode=StorageMode.PRIVATE, key_scheme=key_scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateClient(_Order):
    """Ask for a private wallet. ``name`` is trimmed; an empty name counts as none."""

    TAG: ClassVar[str] = "CreateClient"
    KIND: ClassVar[AccountKind] = AccountKind.CLIENT

    name: str | None = None

    def __post_init__(self) -> None:
        _Order.__post_init__(self)
        if self.name is not None:
            _check_text(f"{self.TAG}.name", self.name)
            object.__setattr__(self, "name", self.name.strip() or None)

    @property
    def account_name(self) -> str | None:
        """The name that was asked for."""
        return self.name

    def result(self, account: str) -> ClientCreated:
        """Return the result of this order, which made the account with this address."""
        return ClientCreated(account_id=account, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLiquidity(_Order):
    """Ask for a private wallet of a liquidity provider."""

    TAG: ClassVar[str] = "CreateLiquidity"
    KIND: ClassVar[AccountKind] = AccountKind.LIQUIDITY

    def result(self, account: str) -> LiquidityCreated:
        """Return the result of this order, which made the account with this address."""
        return LiquidityCreated(account_id=account)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFaucet(_Order):
    """Ask for a public fungible faucet, which becomes an owned asset of the user.

    ``token_symbol``: 1 to 6 letters A-Z. ``decimals``: 0 to 12. ``max_supply``: 1 to 2^63 - 2^31
    base units.
    """

    TAG: ClassVar[str] = "CreateFaucet"
    KIND: ClassVar[AccountKind] = AccountKind.FAUCET

    token_symbol: str
    decimals: int
    max_supply: int

    def __post_init__(self) -> None:
        _Order.__post_init__(self)
        symbol = self.token_symbol
        letters = isinstance(symbol, str) and symbol.isascii() and symbol.isalpha()
        if not letters or not symbol.isupper() or len(symbol) > SYMBOL_LENGTH_MAX:
            raise BadOrder(
                f"{self.TAG}.token_symbol must be 1 to {SYMBOL_LENGTH_MAX} letters A-Z,"
                f" got {symbol!r}"
            )
        _check_range(f"{self.TAG}.decimals", self.decimals, least=0, most=DECIMALS_MAX)
        _check_range(f"{self.TAG}.max_supply", self.max_supply, least=1, most=SUPPLY_MAX)

    @property
    def account_name(self) -> str:
        """The token's symbol."""
        return self.token_symbol

    @property
    def asset(self) -> OwnedAsset:
        """The faucet's token."""
        return OwnedAsset(
            symbol=self.token_symbol, decimals=self.decimals, max_supply=self.max_supply
        )

    def spec(self, key_scheme: KeyScheme) -> FaucetSpec:
        """Return what the user's client has to build."""
        return FaucetSpec(
            symbol=self.token_symbol,
            decimals=self.decimals,
            max_supply=self.max_supply,
            key_scheme=key_scheme,
        )

    def result(self, account: str) -> FaucetCreated:
        """Return the result of this order, which made the account with this address."""
        return FaucetCreated(
            account_id=account,
            token_symbol=self.token_symbol,
            decimals=self.decimals,
            max_supply=self.max_supply,
        )


AccountOrder = CreateClient | CreateLiquidity | CreateFaucet
_KINDS: dict[str, type[AccountOrder]] = {
    kind.TAG: kind for kind in (CreateClient, CreateLiquidity, CreateFaucet)
}
# By the text in an order's row.
ORDER_TYPES = {f"{tag}Account": kind for tag, kind in _KINDS.items()}


def parse_order(value: object) -> AccountOrder:
    """Read an order from its decoded JSON: ``{"CreateClient": {"network": "Testnet"}}``.

    Raises:
        BadOrder: Not an order, or a field of it is missing, unknown or out of range.
        UnsupportedOrder: An order that this version does not carry out.
    """
    tag, body = value, None
    if isinstance(value, dict) and len(value) == 1:
        ((tag, body),) = value.items()
    if tag in _UNSUPPORTED:
        raise UnsupportedOrder(f"order {tag} is not carried out by this version")
    if not isinstance(tag, str) or tag not in _KINDS:
        raise BadOrder(f"order must be an object with one known kind as its key, got {value!r}")
    if not isinstance(body, dict):
        raise BadOrder(f"order {tag} must hold an object of its fields, got {body!r}")
    return _KINDS[tag](**_checked_fields(_KINDS[tag], body))


def order_json(order: AccountOrder) -> str:
    """Write an order as JSON, always in the same way: equal orders have equal text."""
    values = {field.name: getattr(order, field.name) for field in fields(order)}
    body = {name: value for name, value in values.items() if value is not None}
    return json.dumps({order.TAG: body}, separators=(",", ":"))


def _checked_fields(kind: type[AccountOrder], body: Mapping[str, object]) -> dict[str, Any]:
    names = [field.name for field in fields(kind)]
    for field in fields(kind):
        if field.name not in body and field.default is MISSING:
            raise BadOrder(f"{kind.TAG}.{field.name} is missing")
    for name in body:
        if name not in names:
            raise BadOrder(f"{kind.TAG}.{name} is not a field of this order: it has {names}")
    try:
        return {**body, "network": Network(str(body["network"]))}
    except ValueError:
        raise BadOrder(
            f"{kind.TAG}.network must be Testnet or Localnet, in this case, got {body['network']!r}"
        ) from None


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
