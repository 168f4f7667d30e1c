"""The claims about asking a node for its status, against a real gRPC server."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest

from harness.errors import BadInput, CouldNotRun
from harness.miden.node.status import ask_status, decode_status, split_endpoint, wait_for_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a node of version 0.15.2 sent, with its chain at block 2.
REPLY = (
    b"\n\x060.15.2\x12$\t/\x8e\xb9U\x8e\x98NO\x11\x97\xd5\xc59\x84\xe2\xe7d\x19\xab\x8e\x187s*\xdc"
    b'\x88!\xc6^n\x1a\x87\x88\xd1%\x1d\x02\x00\x00\x00"\x15\n\x060.15.2\x12\tconnected\x1a\x00'
)
GENESIS = "0x2f8eb9558e984e4f97d5c53984e2e764ab8e1837732adc88c65e6e1a8788d125"


@contextmanager
def _server(answer: Callable[[], bytes]) -> Iterator[str]:
    """Serve ``rpc.Api/Status`` on a port of 127.0.0.1, and yield the endpoint."""
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer())
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("rpc.Api", {"Status": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait(5)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_reply_of_a_real_node_is_read() -> None:
    status = decode_status(REPLY)
    assert (status.version, status.genesis_commitment, status.chain_tip) == ("0.15.2", GENESIS, 2)


def test_tip_of_zero_is_left_out_of_the_message() -> None:
    assert decode_status(REPLY.replace(b"\x1d\x02\x00\x00\x00", b"")).chain_tip == 0


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"hello world",
        REPLY[:20],
        b"\x0a\x03abc",
        b"\x0a\x01a\x12\x03\x0a\x01x",
        b"\x0a\x01\xff\x12\x00",
        b"\xff",
    ],
)
def test_anything_else_is_not_a_node(reply: bytes) -> None:
    with pytest.raises(CouldNotRun, match=r"not a Miden node"):
        decode_status(reply)


def test_every_cut_of_a_reply_is_read_or_refused_in_words() -> None:
    for end in range(len(REPLY)):
        try:
            assert decode_status(REPLY[:end]).version == "0.15.2"
        except CouldNotRun as error:
            assert "not a Miden node" in str(error)  # noqa: PT017 - most cuts raise, not all


def test_running_node_answers() -> None:
    with _server(lambda: REPLY) as endpoint:
        assert ask_status(endpoint).genesis_commitment == GENESIS


def test_closed_port_says_unavailable() -> None:
    endpoint = f"http://127.0.0.1:{_closed_port()}"
    with pytest.raises(CouldNotRun, match=f"{endpoint}: no status from a Miden node: UNAVAILABLE"):
        ask_status(endpoint)


def test_silent_port_is_given_up_in_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(CouldNotRun, match=r"DEADLINE_EXCEEDED|UNAVAILABLE"),
    ):
        ask_status(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.5)


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{_closed_port()}")
    with _server(lambda: REPLY) as endpoint:
        assert ask_status(endpoint).chain_tip == 2


def test_waiting_ends_with_the_first_answer() -> None:
    answers = iter([b"not yet", b"not yet", REPLY])
    with _server(lambda: next(answers)) as endpoint:
        assert wait_for_status(endpoint, timeout_s=60, poll_s=0.01).version == "0.15.2"


def test_waiting_names_its_limit_and_the_last_reason() -> None:
    endpoint = f"http://127.0.0.1:{_closed_port()}"
    with pytest.raises(CouldNotRun, match=r"no answer within 0\.3 s: .*UNAVAILABLE"):
        wait_for_status(endpoint, timeout_s=0.3, poll_s=0.05)


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:57291", "https://127.0.0.1:1", "http://h", "http://h:x", "http://h:1/p"]
)
def test_bad_endpoint_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match=r"SETTING must be http://HOST:PORT.*example"):
        split_endpoint(text, source="SETTING")


def test_endpoint_of_ipv6_is_split() -> None:
    assert split_endpoint("http://[::1]:57291/") == ("::1", 57291)
