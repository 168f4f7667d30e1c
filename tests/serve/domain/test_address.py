"""Claims: account ids, addresses, owner identifiers and directories have one written form."""

from pathlib import Path

import pytest
from bech32 import bech32_encode, convertbits
from hypothesis import given
from hypothesis import strategies as st

from serve import (
    AccountId,
    Network,
    client_directory,
    decode_address,
    encode_address,
    owner_identifier,
    secret_of,
    secret_of_user,
)
from serve.domain import bech32m
from serve.domain.account_specs import StorageMode
from serve.domain.address import canonical_address
from serve.errors import BadAddress, BadSecret, NetworkMismatch, UnsupportedNetwork
from tests.there import there

BTC = AccountId(bytes.fromhex("ed8a4031abad3c2065584a8bca1261"))
BTC_TESTNET = "mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da0"
V1_PUBLIC = AccountId(bytes.fromhex("112233445566771101020304050607"))

ADDRESSES = [
    (Network.TESTNET, BTC_TESTNET),
    (Network.TESTNET, "mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqzuexwwz"),
    (Network.LOCALNET, "mlcl1qrkc5sp34wkncgr9tp9ghjsjv9cqqv5n5xe"),
    (Network.LOCALNET, "mlcl1qrkc5sp34wkncgr9tp9ghjsjv9cqzl3jh45"),
    (Network.TESTNET, "mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da0".upper()),
    (Network.TESTNET, "mtst1qrkc5sp34wkncgr9tp9ghjsjvykvqtzs"),
    (Network.TESTNET, "mtst1qrkc5sp34wkncgr9tp9ghjsjvykvqtzs_qruqqypuyph"),
]
SECRETS = [
    (bytes(32), "1" * 32),
    (bytes([1]) * 32, "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"),
    (bytes([2]) * 32, "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR"),
    (bytes([42]) * 32, "3qbR1eZRqXUWroWKKYhbDmR3FfqTHfqSU8zZSxtANzYh"),
    (bytes([99]) * 32, "7gyGAp71YXQRoxmFBaHxofQXAipvgHyBKPyxmdSJxyvz"),
]


@st.composite
def account_ids(draw):
    raw = bytearray(draw(st.binary(min_size=15, max_size=15)))
    raw[0] &= 0x7F
    raw[8] &= 0x7F
    raw[7] = draw(st.sampled_from([0x01, 0x11, 0x21, 0x00, 0x20, 0x80, 0x90, 0x40]))
    return AccountId(bytes(raw))


def payload_address(payload, *, hrp="mtst"):
    return bech32m.encode(hrp, payload)


@pytest.mark.parametrize(("network", "text"), ADDRESSES)
def test_golden_addresses_decode_to_the_default_faucet(network, text):
    assert decode_address(text) == (network, BTC)


@pytest.mark.parametrize(("network", "text"), [ADDRESSES[0], ADDRESSES[2]])
def test_a_version_0_id_is_written_with_its_tail(network, text):
    assert encode_address(BTC, network) == text


def test_a_version_1_id_is_written_without_a_tail():
    text = encode_address(V1_PUBLIC, Network.LOCALNET)
    assert text == payload_address(b"\xe8" + V1_PUBLIC.raw, hrp="mlcl")
    assert text.startswith("mlcl1a")


@pytest.mark.parametrize("tail", [b"", b"\x70\x00", b"\x70\x01", b"\xf0\x00"])
@pytest.mark.parametrize("kind", [b"\x00", b"\xe8"])
@pytest.mark.parametrize("account_id", [BTC, V1_PUBLIC])
def test_both_versions_are_read_with_and_without_a_tail(account_id, kind, tail):
    text = payload_address(kind + account_id.raw + tail)
    assert decode_address(text) == (Network.TESTNET, account_id)


@given(account_id=account_ids(), network=st.sampled_from(Network))
def test_every_id_survives_its_address_and_its_hex(account_id, network):
    assert decode_address(encode_address(account_id, network)) == (network, account_id)
    assert AccountId.from_hex(account_id.hex) == account_id


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bech32m"),
        ("mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da1", "bech32m"),
        ("Mtst1qrkc5sp34wkncgr9tp9ghjsjv9cqq0u8da0", "mixed case"),
        (BTC_TESTNET + " ", "bech32m"),
        (BTC_TESTNET + "_", "what follows"),
        (BTC_TESTNET + "_b!", "what follows"),
        (
            bech32_encode("mtst", there(convertbits(b"\x00" + BTC.raw, 8, 5))),
            "BECH32_1_CONST verifies",
        ),
        (payload_address(b"\x01" + BTC.raw), "type must be 0 or 232"),
        (payload_address(b"\x00" + BTC.raw + b"\x70"), "16 or 18 bytes, got 17"),
        (payload_address(b"\x00" + BTC.raw + b"\xf8\x00"), "tag length must be at most 30"),
        (payload_address(b"\x00" + BTC.raw + b"\x70\x02"), "interface must be 0 or 1"),
        (payload_address(b"\x00" + bytes(7) + b"\x02" + bytes(7)), "version 0 or 1"),
    ],
)
def test_text_that_is_no_address_is_refused_with_its_reason(text, reason):
    with pytest.raises(BadAddress, match=reason):
        decode_address(text)


@pytest.mark.parametrize("hrp", ["mm", "mdev", "mcst"])
def test_addresses_of_other_networks_are_unsupported(hrp):
    with pytest.raises(UnsupportedNetwork, match=hrp):
        decode_address(payload_address(b"\x00" + BTC.raw, hrp=hrp))


def test_two_spellings_of_an_account_have_one_canonical_address():
    spellings = [text for network, text in ADDRESSES if network is Network.TESTNET]
    canonical = {canonical_address(text, network=Network.TESTNET)[1] for text in spellings}
    assert canonical == {BTC_TESTNET}


def test_an_address_of_another_network_than_asked_for_is_refused():
    with pytest.raises(NetworkMismatch, match="on Testnet, but Localnet was asked for"):
        canonical_address(BTC_TESTNET, network=Network.LOCALNET)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "15 bytes"),
        (bytes(14), "15 bytes"),
        (bytes(7) + b"\xc0" + bytes(7), "storage mode"),
        (bytes(7) + b"\x0f" + bytes(7), "version 0 or 1"),
        (bytes(7) + b"\x01\x80" + bytes(6), "zero top bit"),
        (b"\xff\xff\xff\xff\x00\x00\x00\x11" + bytes(7), "prefix below"),
    ],
)
def test_bytes_that_are_no_id_are_refused_with_their_reason(raw, reason):
    with pytest.raises(BadAddress, match=reason):
        AccountId(raw)


@pytest.mark.parametrize("text", ["", "ed8a", "0xzz" + "0" * 28, "0x" + "0" * 29 + " "])
def test_text_that_is_no_hex_id_is_refused(text):
    with pytest.raises(BadAddress, match="hex"):
        AccountId.from_hex(text)


@pytest.mark.parametrize(
    ("low", "mode"),
    [
        (0x20, StorageMode.PUBLIC),
        (0x90, StorageMode.PRIVATE),
        (0x11, StorageMode.PUBLIC),
        (0x01, StorageMode.PRIVATE),
    ],
)
def test_an_id_says_where_its_account_is_stored(low, mode):
    assert AccountId(bytes(7) + bytes([low]) + bytes(7)).storage_mode is mode


@pytest.mark.parametrize(("secret", "text"), SECRETS)
def test_golden_owner_identifiers(secret, text):
    assert owner_identifier(secret) == text
    assert secret_of(text) == secret


@pytest.mark.parametrize(
    ("user_id", "secret", "text"),
    [
        (
            "mosaic|auth0|auth0|123456789",
            "7273fba4202c58b3444403655934fa00ba18b52adbd9ff2d2d12d0a864e3c5e5",
            "8hn46tT8xXSpzrBf9RKFAiyfDdey7G6cakJ5ohSbQhXa",
        ),
        (
            "mosaic|token_abc123",
            "014d403f21f18d950854fe2f849cdcacfbd4c0d180bede91e042d5ff7b540af7",
            "65jGph8eZCM6HmkGMjfbNbyqxSkZ5onCmr6qp49VuPk",
        ),
    ],
)
def test_golden_user_secrets(user_id, secret, text):
    assert secret_of_user(user_id).hex() == secret
    assert owner_identifier(secret_of_user(user_id)) == text


@given(secret=st.binary(min_size=32, max_size=32))
def test_owner_identifiers_are_injective(secret):
    assert secret_of(owner_identifier(secret)) == secret


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), "1" * 32, None])
def test_a_secret_that_is_not_32_bytes_is_refused(secret):
    with pytest.raises(BadSecret, match="secret must be 32 bytes"):
        owner_identifier(secret)


@pytest.mark.parametrize("text", ["", "0OIl", "1" * 31, "1" * 33, "z" * 44, "z" * 45, " " * 32])
def test_text_that_is_no_owner_identifier_is_refused(text):
    with pytest.raises(BadSecret, match="Base58"):
        secret_of(text)


def test_directories_are_named_by_network_and_owner():
    path = client_directory(Path("/store"), bytes([1]) * 32, Network.TESTNET)
    assert path == Path("/store/testnet_4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi")


@pytest.mark.parametrize("text", ["Testnet", "testnet", "TESTNET", " testnet "])
def test_a_network_is_parsed_in_any_case(text):
    assert Network.parse(text) is Network.TESTNET


@pytest.mark.parametrize("text", ["", "mainnet", "mtst", None])
def test_text_that_is_no_network_is_refused(text):
    with pytest.raises(UnsupportedNetwork, match="Testnet or Localnet"):
        Network.parse(text)
