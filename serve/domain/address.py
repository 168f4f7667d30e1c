"""The written forms of networks, account ids, owners and client directories."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import base58

from serve.domain import bech32m
from serve.domain.account_specs import StorageMode
from serve.errors import BadAddress, BadSecret, NetworkMismatch, UnsupportedNetwork

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AccountId",
    "Network",
    "Owner",
    "canonical_address",
    "client_directory",
    "decode_address",
    "encode_address",
    "owner_identifier",
    "secret_of",
    "secret_of_user",
]

ID_BYTES = 15
SECRET_BYTES = 32
_OWNER_LENGTH_MAX = 44  # What 32 bytes need at most: ceil(256 / log2(58)).
FIELD_PRIME = 2**64 - 2**32 + 1  # Both halves of an id are elements of this field.

_HRPS = {"Testnet": "mtst", "Localnet": "mlcl"}
# First byte of every payload: what the address names. Both bytes stand for an account; Miden moved
# from the first to the second between 0.12 and 0.15, where addresses therefore begin with "1a".
_TYPE_OF_VERSION = {0: b"\x00", 1: b"\xe8"}
_TAIL_BYTES = 2  # Version 0 only: (tag length << 11) | interface.
_TAIL_DEFAULT = (14 << 11).to_bytes(2, "big")
_TAG_LENGTH_MAX = 30
_INTERFACES = (0, 1)  # Unspecified, basic wallet.


class Network(StrEnum):
    """A Miden network. The value is the text used in JSON, in this exact case."""

    TESTNET = "Testnet"
    LOCALNET = "Localnet"

    @property
    def hrp(self) -> str:
        """The human-readable part of an address on this network."""
        return _HRPS[self.value]

    @property
    def directory_prefix(self) -> str:
        """The beginning of a client directory's name on this network."""
        return self.value.lower()

    @classmethod
    def parse(cls, text: str) -> Network:
        """Read free text in any case.

        Raises:
            UnsupportedNetwork: It names neither Testnet nor Localnet.
        """
        for network in cls:
            if isinstance(text, str) and text.strip().lower() == network.value.lower():
                return network
        raise UnsupportedNetwork(f"network must be Testnet or Localnet, got {text!r}")

    @classmethod
    def of_hrp(cls, hrp: str) -> Network:
        """Return the network that writes addresses with this human-readable part.

        Raises:
            UnsupportedNetwork: Mainnet, Devnet or a custom network.
        """
        for network in cls:
            if hrp == network.hrp:
                return network
        raise UnsupportedNetwork(
            f"address prefix must be mtst (Testnet) or mlcl (Localnet), got {hrp!r}"
        )


@dataclass(frozen=True, slots=True, order=True)
class AccountId:
    """An account id: an 8-byte big-endian prefix, then the first 7 bytes of the suffix.

    The low nibble of byte 7 is the version. Version 0 (Miden 0.11) keeps the storage mode in bits
    7-6 of that byte and the account type in bits 5-4; version 1 (Miden 0.15) keeps only whether
    the account is public, in bit 4. The eighth byte of the suffix is always zero and not kept.
    """

    raw: bytes

    def __post_init__(self) -> None:
        fault = _id_fault(self.raw)
        if fault:
            shown = self.raw.hex() if isinstance(self.raw, bytes) else repr(self.raw)
            raise BadAddress(f"account id {fault}, got {shown}")

    @property
    def hex(self) -> str:
        """``0x`` and 30 hex digits."""
        return f"0x{self.raw.hex()}"

    @property
    def version(self) -> int:
        """0 for ids of Miden 0.11, 1 for ids of Miden 0.15."""
        return self.raw[7] & 0x0F

    @property
    def is_public(self) -> bool:
        """Whether the chain holds all of the account's state."""
        low = self.raw[7]
        return bool(low & 0x10) if self.version == 1 else low >> 6 != 0b10

    @property
    def storage_mode(self) -> StorageMode:
        """Where the account's state lives, as the id itself says."""
        return StorageMode.PUBLIC if self.is_public else StorageMode.PRIVATE

    @classmethod
    def from_hex(cls, text: str) -> AccountId:
        """Read ``0x`` and 30 hex digits.

        Raises:
            BadAddress: The text is not of that form, or the bits are not an id's.
        """
        digits = text[2:] if text[:2] == "0x" else ""
        if len(digits) != 2 * ID_BYTES or not digits.isalnum():
            raise BadAddress(f"account id must be 0x and {2 * ID_BYTES} hex digits, got {text!r}")
        try:
            return cls(bytes.fromhex(digits))
        except ValueError as error:
            if isinstance(error, BadAddress):
                raise
            raise BadAddress(f"account id must be hexadecimal, got {text!r}") from error

    def __str__(self) -> str:
        return self.hex


class Owner(NamedTuple):
    """A user, by their secret, on a network."""

    secret: bytes
    network: Network

    @classmethod
    def of(cls, secret: bytes, network: Network | str) -> Owner:
        """Check both halves.

        Raises:
            BadSecret: Not 32 bytes.
            UnsupportedNetwork: Neither a ``Network`` nor its exact text.
        """
        owner_identifier(secret)
        try:
            return cls(secret, Network(network))
        except ValueError as error:
            raise UnsupportedNetwork(
                f"network must be Testnet or Localnet, got {network!r}"
            ) from error

    @property
    def label(self) -> str:
        """A short name for messages and tasks: the network and the owner's first characters."""
        return f"{self.network.directory_prefix}_{owner_identifier(self.secret)[:8]}"


def encode_address(account_id: AccountId, network: Network) -> str:
    """Write an id as an address on a network, in the form of the id's protocol version."""
    version = account_id.version
    payload = _TYPE_OF_VERSION[version] + account_id.raw + (_TAIL_DEFAULT if version == 0 else b"")
    return bech32m.encode(network.hrp, payload)


def decode_address(text: str) -> tuple[Network, AccountId]:
    """Read an address of either protocol version; a routing suffix (``_...``) is ignored.

    Raises:
        BadAddress: Not bech32m, not an account's payload, or not an id.
        UnsupportedNetwork: An address of another network.
    """
    if not isinstance(text, str):
        raise BadAddress(f"address must be text, got {type(text).__name__}")
    identifier, separator, routing = text.partition("_")
    if separator and not (routing and set(routing).issubset(bech32m.CHARSET)):
        raise BadAddress(f"address {text!r}: what follows '_' must be bech32 characters")
    try:
        hrp, payload = bech32m.decode(identifier)
    except ValueError as error:
        raise BadAddress(f"address {text!r} must be bech32m: {error}") from error
    network = Network.of_hrp(hrp)
    if len(payload) not in (1 + ID_BYTES, 1 + ID_BYTES + _TAIL_BYTES):
        raise BadAddress(f"address {text!r}: payload must be 16 or 18 bytes, got {len(payload)}")
    if payload[:1] not in _TYPE_OF_VERSION.values():
        raise BadAddress(f"address {text!r}: type must be 0 or 232 (account), got {payload[0]}")
    tail = payload[1 + ID_BYTES :]
    if tail:
        _check_tail(text, int.from_bytes(tail, "big"))
    return network, AccountId(payload[1 : 1 + ID_BYTES])


def canonical_address(text: str, *, network: Network) -> tuple[AccountId, str]:
    """Return an address's id, and its canonical spelling: the form that is compared and stored.

    Raises:
        BadAddress: Not an address.
        UnsupportedNetwork: An address of a network that is not supported.
        NetworkMismatch: An address on another network than ``network``.
    """
    found, account_id = decode_address(text)
    if found is not network:
        raise NetworkMismatch(f"address {text!r} is on {found}, but {network} was asked for")
    return account_id, encode_address(account_id, network)


def owner_identifier(secret: bytes) -> str:
    """Write a secret in Base58 (Bitcoin's alphabet), as in directory names and desk rows.

    Raises:
        BadSecret: Not 32 bytes.
    """
    if not isinstance(secret, bytes) or len(secret) != SECRET_BYTES:
        size = f"{len(secret)} bytes" if isinstance(secret, bytes) else type(secret).__name__
        raise BadSecret(f"secret must be {SECRET_BYTES} bytes, got {size}")
    return base58.b58encode(secret).decode()


def secret_of(owner: str) -> bytes:
    """Return the secret that an owner identifier writes.

    Raises:
        BadSecret: Not the Base58 of 32 bytes.
    """
    try:
        secret = _base58_bytes(owner)
    except (TypeError, ValueError) as error:
        raise BadSecret(f"owner identifier must be Base58 of 32 bytes: {error}") from error
    if len(secret) != SECRET_BYTES:
        raise BadSecret(f"owner identifier must be Base58 of 32 bytes, got {len(secret)} bytes")
    return secret


def secret_of_user(user_id: str) -> bytes:
    """Return a user's secret: the SHA-256 of the user id's UTF-8 bytes."""
    return hashlib.sha256(user_id.encode()).digest()


def client_directory(storage_path: Path, secret: bytes, network: Network) -> Path:
    """Return the directory of one (user, network).

    Raises:
        BadSecret: Not 32 bytes.
    """
    return storage_path / f"{network.directory_prefix}_{owner_identifier(secret)}"


def _base58_bytes(owner: str | bytes) -> bytes:
    if not isinstance(owner, str | bytes):
        raise TypeError(f"invalid base58 string type: {type(owner).__name__}")
    try:
        written = owner.encode("ascii") if isinstance(owner, str) else owner
    except UnicodeEncodeError as error:
        where = f"at position {error.start}"  # Not the character: it is secret.
        raise ValueError(f"non-ascii character in base58 string {where}") from None
    if len(written) > _OWNER_LENGTH_MAX:
        raise ValueError(f"too many base58 characters: {len(written)}, max is {_OWNER_LENGTH_MAX}")
    # Checked here, because the library accepts white space at the end.
    if written.translate(None, base58.BITCOIN_ALPHABET):
        raise ValueError("Base58 string contains invalid characters")
    return base58.b58decode(written)


def _id_fault(raw: object) -> str:
    if not isinstance(raw, bytes) or len(raw) != ID_BYTES:
        return f"must be {ID_BYTES} bytes"
    low = raw[7]
    if low & 0x0F not in (0, 1):
        return f"must have version 0 or 1 in the low nibble of byte 7 (it has {low & 0x0F})"
    if low & 0x0F == 0 and low >> 6 == 0b11:
        return "must have a storage mode of 0, 1 or 2 in bits 7-6 of byte 7 (it has 3)"
    if raw[8] & 0x80:
        return "must have a zero top bit in its suffix"
    if int.from_bytes(raw[:8], "big") >= FIELD_PRIME:
        return "must have a prefix below 2^64 - 2^32 + 1"
    return ""


def _check_tail(text: str, word: int) -> None:
    tag_length, interface = word >> 11, word & 0x7FF
    if tag_length > _TAG_LENGTH_MAX:
        raise BadAddress(
            f"address {text!r}: tag length must be at most {_TAG_LENGTH_MAX}, got {tag_length}"
        )
    if interface not in _INTERFACES:
        raise BadAddress(f"address {text!r}: interface must be 0 or 1, got {interface}")
