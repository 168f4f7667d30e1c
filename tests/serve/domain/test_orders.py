"""Claims: orders hold what they may hold, and have one JSON."""

import json

import pytest

from serve import (
    CreateClient,
    CreateFaucet,
    CreateLiquidity,
    Network,
    parse_order,
)
from serve.domain.orders import SUPPLY_MAX, order_json
from serve.errors import BadOrder, UnsupportedNetwork, UnsupportedOrder

FAUCET = {"network": "Localnet", "token_symbol": "ABC", "decimals": 8, "max_supply": 10}
ORDERS = [
    ({"CreateClient": {"network": "Testnet"}}, CreateClient(network=Network.TESTNET)),
    (
        {"CreateClient": {"network": "Testnet", "name": "Ann"}},
        CreateClient(network=Network.TESTNET, name="Ann"),
    ),
    ({"CreateLiquidity": {"network": "Localnet"}}, CreateLiquidity(network=Network.LOCALNET)),
    (
        {"CreateFaucet": FAUCET},
        CreateFaucet(network=Network.LOCALNET, token_symbol="ABC", decimals=8, max_supply=10),
    ),
]


@pytest.mark.parametrize(("text", "order"), ORDERS)
def test_orders_are_read_from_and_written_to_tagged_json(text, order):
    assert parse_order(text) == order
    assert json.loads(order_json(order)) == text


@pytest.mark.parametrize(("name", "kept"), [(" Ann ", "Ann"), ("", None), ("  ", None)])
def test_a_name_is_trimmed_and_an_empty_one_is_none(name, kept):
    assert CreateClient(network=Network.TESTNET, name=name).name == kept


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_symbol": ""}, "token_symbol must be 1 to 6 letters"),
        ({"token_symbol": "ABCDEFG"}, "token_symbol must be 1 to 6 letters"),
        ({"token_symbol": "abc"}, "token_symbol must be 1 to 6 letters"),
        ({"token_symbol": "AB1"}, "token_symbol must be 1 to 6 letters"),
        ({"token_symbol": "ÄB"}, "token_symbol must be 1 to 6 letters"),
        ({"token_symbol": None}, "token_symbol must be 1 to 6 letters"),
        ({"decimals": -1}, "decimals must be a whole number from 0 to 12"),
        ({"decimals": 13}, "decimals must be a whole number from 0 to 12"),
        ({"decimals": True}, "decimals must be a whole number from 0 to 12"),
        ({"decimals": 1.0}, "decimals must be a whole number from 0 to 12"),
        ({"max_supply": 0}, "max_supply must be a whole number from 1 to"),
        ({"max_supply": SUPPLY_MAX + 1}, "max_supply must be a whole number from 1 to"),
        ({"max_supply": 2**64 - 2**32 + 2}, "max_supply must be a whole number from 1 to"),
        ({"max_supply": "10"}, "max_supply must be a whole number from 1 to"),
        ({"network": "localnet"}, "network must be Testnet or Localnet"),
        ({"network": 1}, "network must be Testnet or Localnet"),
        ({"colour": 1}, "colour is not a field"),
    ],
)
def test_a_faucet_order_out_of_range_is_refused_with_its_reason(changes, reason):
    with pytest.raises(BadOrder, match=reason):
        parse_order({"CreateFaucet": FAUCET | changes})


@pytest.mark.parametrize("field", sorted(FAUCET))
def test_a_missing_field_is_named(field):
    body = {name: value for name, value in FAUCET.items() if name != field}
    with pytest.raises(BadOrder, match=rf"CreateFaucet\.{field} is missing"):
        parse_order({"CreateFaucet": body})


def test_the_largest_values_are_accepted():
    order = CreateFaucet(
        network=Network.TESTNET, token_symbol="ABCDEF", decimals=12, max_supply=SUPPLY_MAX
    )
    assert order.max_supply == 2**63 - 2**31


@pytest.mark.parametrize(
    "value",
    [None, 3, "CreateClient", {}, {"Nonsense": {}}, {"CreateClient": None}, {"a": 1, "b": 2}, [1]],
)
def test_what_is_no_order_is_refused(value):
    with pytest.raises(BadOrder, match="order"):
        parse_order(value)


@pytest.mark.parametrize("name", [3, "\ud800"])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(BadOrder, match=r"CreateClient\.name must be text"):
        parse_order({"CreateClient": {"network": "Testnet", "name": name}})


@pytest.mark.parametrize(
    "value",
    [
        "LimitBuyOrderLocked",
        "LimitSellOrderNotLocked",
        {"CreateDesk": {}},
        {"ActivateDesk": {}},
        {"LiquidityOffer": {"market": "A/B"}},
        {"QuoteRequest": {}},
    ],
)
def test_known_orders_of_later_versions_are_unsupported(value):
    with pytest.raises(UnsupportedOrder, match="is not carried out by this version"):
        parse_order(value)


def test_a_network_that_is_text_is_refused_in_an_order():
    with pytest.raises(UnsupportedNetwork, match="must be a Network"):
        CreateClient(network="Testnet")  # type: ignore[arg-type]
