"""Own the wire format of protocol buffers, as far as a trace needs it: its fields of three kinds.

The format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct

__all__ = ["fixed64", "message", "text", "varint"]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2
_BITS_64 = (1 << 64) - 1


def varint(field: int, value: int) -> bytes:
    """Encode an integer or an enum; a negative one as its two's complement of 64 bits."""
    return _number(field << 3 | _VARINT) + _number(value & _BITS_64)


def fixed64(field: int, value: int) -> bytes:
    """Encode an unsigned integer in eight bytes."""
    return _number(field << 3 | _FIXED64) + struct.pack("<Q", value)


def text(field: int, value: str) -> bytes:
    """Encode a text in UTF-8; lone surrogates, which it has no form for, as escapes."""
    return message(field, value.encode("utf-8", errors="backslashreplace"))


def message(field: int, value: bytes) -> bytes:
    """Encode a message within a message, from the bytes of its fields."""
    return _number(field << 3 | _LENGTH) + _number(len(value)) + value


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
