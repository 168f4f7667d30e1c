"""The status request to a node, which shows whether it is ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc

from harness.errors import BadInput, CouldNotRun
from serve.domain.client_values import NodeStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ask_status", "decode_status", "split_endpoint", "wait_for_status"]

_METHOD = "/rpc.Api/Status"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Loopback traffic must not go to a proxy that the environment names; callers retry by themselves.
_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0))


def split_endpoint(endpoint: str, *, source: str = "endpoint") -> tuple[str, int]:
    """Split ``http://host:port`` into host and port.

    Raises:
        BadInput: It is anything else; the message names ``source``, where the text came from.
    """
    try:
        url = urlsplit(endpoint)
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or url.scheme != "http" or url.path.strip("/"):
        raise BadInput(
            f"{source} must be http://HOST:PORT, got {endpoint!r}; example: http://127.0.0.1:57291"
        )
    return host, port


def ask_status(endpoint: str, *, timeout_s: float = 5.0) -> NodeStatus:
    """Ask a node for its version, its genesis and the tip of its chain; no retries.

    Raises:
        BadInput: ``endpoint`` is not ``http://host:port``.
        CouldNotRun: Nothing answers there, or what answers is not a Miden node.
    """
    host, port = split_endpoint(endpoint)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with grpc.insecure_channel(target, options=_OPTIONS) as channel:
        # The request message is empty, so no generated code is needed to write it.
        call = channel.unary_unary(_METHOD)
        try:
            reply: bytes = call(b"", timeout=timeout_s)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details()
            raise CouldNotRun(
                f"{endpoint}: no status from a Miden node: {code}: {details}; is the node up, "
                "and is this its RPC port?"
            ) from error
    return decode_status(reply, endpoint=endpoint)


def wait_for_status(endpoint: str, *, timeout_s: float, poll_s: float = 0.25) -> NodeStatus:
    """Ask a node for its status until it answers.

    Raises:
        BadInput: ``endpoint`` is not ``http://host:port``.
        CouldNotRun: It did not answer within ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask_status(endpoint, timeout_s=max(0.1, min(5.0, deadline - time.monotonic())))
        except CouldNotRun as error:
            if time.monotonic() + poll_s >= deadline:
                raise CouldNotRun(f"no answer within {timeout_s:g} s: {error}") from error
        time.sleep(poll_s)


def decode_status(reply: bytes, *, endpoint: str = "node") -> NodeStatus:
    """Read the bytes of an ``rpc.RpcStatus`` message, with the fields of version 0.15.

    Raises:
        CouldNotRun: The bytes are not such a message.
    """
    try:
        fields = dict(_fields(reply))
        digest = dict(_fields(fields[2]))
        words = b"".join(_fixed(digest, number, size=8) for number in (1, 2, 3, 4))
        return NodeStatus(
            version=fields[1].decode(),
            genesis_commitment="0x" + words.hex(),
            chain_tip=int.from_bytes(_fixed(fields, 3, size=4), "little"),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise CouldNotRun(
            f"{endpoint}: what answers is not a Miden node of version 0.15: "
            f"its status is {reply[:80]!r} ({error})"
        ) from error


def _fixed(fields: dict[int, bytes], number: int, *, size: int) -> bytes:
    """Read a little-endian number of fixed width; messages leave a zero out."""
    value = fields.get(number, bytes(size))
    if len(value) != size:
        raise ValueError(f"field {number} has {len(value)} bytes, not {size}")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the field number and raw value of each field of a protobuf message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            start = position
            _, position = _varint(message, position)
            yield number, message[start:position]
            continue
        if kind == _BYTES:
            size, position = _varint(message, position)
        elif kind in {_FIXED32, _FIXED64}:
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} at byte {position}")
        if position + size > len(message):
            raise ValueError(f"field {number} is cut short")
        yield number, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
