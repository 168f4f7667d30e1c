"""The status request to a node, which shows whether it is ready."""

from __future__ import annotations

import struct
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import DecodeError

from harness.errors import BadInput, CouldNotRun
from serve.domain.client_values import NodeStatus

__all__ = ["ask_status", "decode_status", "split_endpoint", "wait_for_status"]

_METHOD = "/rpc.Api/Status"
# Of rpc.proto and primitives/digest.proto, version 0.15, what is asked for here.
_SCHEMA = """
name: "status.proto" package: "rpc" syntax: "proto3"
message_type { name: "Digest"
  field { name: "d0" number: 1 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
  field { name: "d1" number: 2 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
  field { name: "d2" number: 3 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
  field { name: "d3" number: 4 type: TYPE_FIXED64 label: LABEL_OPTIONAL }
}
message_type { name: "RpcStatus"
  field { name: "version" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "genesis_commitment" number: 2 type: TYPE_MESSAGE type_name: ".rpc.Digest"
    label: LABEL_OPTIONAL }
  field { name: "chain_tip" number: 3 type: TYPE_FIXED32 label: LABEL_OPTIONAL }
}
"""
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
    status: Any = _status_message()()
    why = None
    try:
        status.ParseFromString(reply)
    except DecodeError as error:
        why = str(error)
    digest = status.genesis_commitment
    words = struct.pack("<4Q", digest.d0, digest.d1, digest.d2, digest.d3)
    if why is None and not (status.version and any(words)):
        why = "no version, or no genesis commitment"
    if why is not None:
        raise CouldNotRun(
            f"{endpoint}: what answers is not a Miden node of version 0.15: "
            f"its status is {reply[:80]!r} ({why})"
        )
    return NodeStatus(
        version=status.version,
        genesis_commitment="0x" + words.hex(),
        chain_tip=status.chain_tip,
    )


@cache
def _status_message() -> Any:
    """Make the class of the message from its description: no generated code is needed."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_SCHEMA, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("rpc.RpcStatus"))
