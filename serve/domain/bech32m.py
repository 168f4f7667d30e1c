"""Bech32m (BIP 350): bytes as text with a prefix and a checksum."""

from __future__ import annotations

from bech32 import CHARSET, bech32_hrp_expand, bech32_polymod, convertbits

__all__ = ["CHARSET", "decode", "encode"]

# The library knows the checksum of BIP 173 only; BIP 350 differs in the constant it ends on.
_BECH32 = 1
_BECH32M = 0x2BC830A3
_CHECKSUM_LENGTH = 6
_LENGTH_MAX = 1023  # Up to here the checksum detects any three wrong characters.


def encode(hrp: str, payload: bytes) -> str:
    """Write a payload after a human-readable part, which is lower case."""
    values = convertbits(payload, 8, 5) or []
    residue = bech32_polymod([*bech32_hrp_expand(hrp), *values, *[0] * _CHECKSUM_LENGTH]) ^ _BECH32M
    checksum = [residue >> 5 * place & 31 for place in reversed(range(_CHECKSUM_LENGTH))]
    return f"{hrp}1{''.join(CHARSET[value] for value in (*values, *checksum))}"


def decode(text: str) -> tuple[str, bytes]:
    """Return the human-readable part, in lower case, and the payload.

    Raises:
        ValueError: The text is not bech32m. The message does not quote it.
    """
    hrp, values = _parts(text)
    residue = bech32_polymod([*bech32_hrp_expand(hrp), *values])
    if residue == _BECH32:
        raise ValueError("invalid checksum: BECH32_1_CONST verifies")
    if residue != _BECH32M:
        raise ValueError("invalid checksum")
    data = values[:-_CHECKSUM_LENGTH]
    payload = convertbits(data, 5, 8, pad=False)
    if payload is not None:
        return hrp, bytes(payload)
    if 5 * len(data) % 8 >= 5:
        raise ValueError("zero padding of more than 4 bits in 5-to-8 conversion")
    raise ValueError("non-zero padding in 5-to-8 conversion")


def _parts(text: str) -> tuple[str, list[int]]:
    """Split into the human-readable part and the 5-bit values, checksum included."""
    if len(text) > _LENGTH_MAX:
        raise ValueError(f"too many bech32 characters: {len(text)}, limit is {_LENGTH_MAX}")
    hrp, separator, rest = text.rpartition("1")
    if not separator:
        raise ValueError("no separator character")
    if not hrp:
        raise ValueError("empty HRP")
    if len(rest) < _CHECKSUM_LENGTH:
        raise ValueError("too short checksum")
    for name, part in (("HRP", hrp), ("data part", rest)):
        if not all("!" <= character <= "~" for character in part):
            raise ValueError(f"{name} character out of range")
    if text not in (text.lower(), text.upper()):
        raise ValueError("mixed case")
    values = [CHARSET.find(character) for character in rest.lower()]
    if -1 in values[-_CHECKSUM_LENGTH:]:
        raise ValueError("invalid character in checksum")
    if -1 in values:
        raise ValueError("invalid data character")
    return hrp.lower(), values
