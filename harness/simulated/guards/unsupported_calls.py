"""The calls that the virtual loop refuses, each with what to use instead."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from harness.errors import Unsupported

__all__ = ["UnsupportedCalls", "refusal"]

_NETWORK = (
    "there is no real network inside a simulation; put a protocol (a seam) between the service and"
    " the network, and hand it a simulated partner, or run the scenario live"
)
_DESCRIPTOR = "a descriptor becomes ready in real time; await a SimPy event with loop.future_of()"
_SUBPROCESS = "a process runs in real time; model it as a SimPy process, or run the scenario live"
_SIGNAL = "signals arrive in real time; call what the handler would call, or run the scenario live"


def refusal(what: str, advice: str) -> Any:
    """Make a function that raises ``Unsupported`` whatever it is given."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise Unsupported(f"{what}: not available inside a simulation: {advice}")

    refuse.__name__ = what.rpartition(".")[2]
    refuse.__qualname__ = what
    refuse.__doc__ = f"Refuse: {advice}."
    return refuse


def _refusal(name: str, advice: str) -> Any:
    return refusal(f"loop.{name}", advice)


class UnsupportedCalls(asyncio.AbstractEventLoop):
    """The part of an event loop that has no faithful form in virtual time."""

    add_reader: Any = _refusal("add_reader", _DESCRIPTOR)
    remove_reader: Any = _refusal("remove_reader", _DESCRIPTOR)
    add_writer: Any = _refusal("add_writer", _DESCRIPTOR)
    remove_writer: Any = _refusal("remove_writer", _DESCRIPTOR)

    getaddrinfo: Any = _refusal("getaddrinfo", _NETWORK)
    getnameinfo: Any = _refusal("getnameinfo", _NETWORK)
    create_connection: Any = _refusal("create_connection", _NETWORK)
    create_server: Any = _refusal("create_server", _NETWORK)
    create_unix_connection: Any = _refusal("create_unix_connection", _NETWORK)
    create_unix_server: Any = _refusal("create_unix_server", _NETWORK)
    create_datagram_endpoint: Any = _refusal("create_datagram_endpoint", _NETWORK)
    connect_accepted_socket: Any = _refusal("connect_accepted_socket", _NETWORK)
    start_tls: Any = _refusal("start_tls", _NETWORK)
    sendfile: Any = _refusal("sendfile", _NETWORK)
    sock_recv: Any = _refusal("sock_recv", _NETWORK)
    sock_recv_into: Any = _refusal("sock_recv_into", _NETWORK)
    sock_recvfrom: Any = _refusal("sock_recvfrom", _NETWORK)
    sock_recvfrom_into: Any = _refusal("sock_recvfrom_into", _NETWORK)
    sock_sendall: Any = _refusal("sock_sendall", _NETWORK)
    sock_sendto: Any = _refusal("sock_sendto", _NETWORK)
    sock_connect: Any = _refusal("sock_connect", _NETWORK)
    sock_accept: Any = _refusal("sock_accept", _NETWORK)
    sock_sendfile: Any = _refusal("sock_sendfile", _NETWORK)

    connect_read_pipe: Any = _refusal("connect_read_pipe", _DESCRIPTOR)
    connect_write_pipe: Any = _refusal("connect_write_pipe", _DESCRIPTOR)
    subprocess_shell: Any = _refusal("subprocess_shell", _SUBPROCESS)
    subprocess_exec: Any = _refusal("subprocess_exec", _SUBPROCESS)

    add_signal_handler: Any = _refusal("add_signal_handler", _SIGNAL)
    remove_signal_handler: Any = _refusal("remove_signal_handler", _SIGNAL)
