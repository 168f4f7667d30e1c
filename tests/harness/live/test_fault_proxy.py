"""The claims about the proxy that cuts and freezes, over real sockets of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from harness.errors import CouldNotRun, HarnessBug
from harness.live.fault_proxy import FaultProxy, ProxyState

Body = Callable[[FaultProxy], Awaitable[None]]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
        await reader.read()
    writer.close()


def _in_front_of_echo(body: Body, **options: int) -> None:
    """Run ``body`` with a proxy in front of a server that sends back what it gets."""

    async def run() -> None:
        async with asyncio.timeout(60):
            server = await asyncio.start_server(_echo, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with FaultProxy("127.0.0.1", port, **options) as proxy:
                await body(proxy)
            server.close()

    asyncio.run(run())


async def _dial(proxy: FaultProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = urlsplit(proxy.endpoint)
    return await asyncio.open_connection(url.hostname, url.port)


async def _ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], text: bytes) -> bytes:
    reader, writer = connection
    writer.write(text)
    await writer.drain()
    return await reader.readexactly(len(text))


async def _is_broken(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


def test_healthy_proxy_forwards_both_ways() -> None:
    async def body(proxy: FaultProxy) -> None:
        large = bytes(range(256)) * 8192
        reader, writer = await _dial(proxy)
        sending = asyncio.create_task(_ask((reader, writer), large))
        assert await sending == large
        writer.close()

    _in_front_of_echo(body)


def test_end_of_one_direction_leaves_the_other_open() -> None:
    async def body(proxy: FaultProxy) -> None:
        reader, writer = await _dial(proxy)
        writer.write(b"last words")
        writer.write_eof()
        assert await reader.read() == b"last words"
        writer.close()

    _in_front_of_echo(body)


def test_cut_breaks_open_connections() -> None:
    async def body(proxy: FaultProxy) -> None:
        connection = await _dial(proxy)
        assert await _ask(connection, b"before") == b"before"
        await proxy.cut()
        assert await _is_broken(connection[0])
        assert (proxy.state, proxy.connection_count) == (ProxyState.CUT, 0)

    _in_front_of_echo(body)


def test_cut_refuses_new_connections() -> None:
    async def body(proxy: FaultProxy) -> None:
        await proxy.cut()
        with pytest.raises(ConnectionRefusedError, match=r"refused|Connect call failed"):
            await _dial(proxy)

    _in_front_of_echo(body)


def test_healed_proxy_listens_on_the_same_port() -> None:
    async def body(proxy: FaultProxy) -> None:
        before = proxy.endpoint
        for _ in range(20):
            connection = await _dial(proxy)
            assert await _ask(connection, b"round") == b"round"
            await proxy.cut()
            await proxy.heal()
        assert proxy.endpoint == before
        assert await _ask(await _dial(proxy), b"after") == b"after"

    _in_front_of_echo(body)


def test_frozen_proxy_accepts_but_never_answers() -> None:
    async def body(proxy: FaultProxy) -> None:
        await proxy.freeze()
        connection = await _dial(proxy)
        with pytest.raises(TimeoutError, match=r"^$"):
            async with asyncio.timeout(0.3):
                await _ask(connection, b"hello")
        assert proxy.connection_count == 1

    _in_front_of_echo(body)


def test_freeze_holds_back_what_open_connections_send() -> None:
    async def body(proxy: FaultProxy) -> None:
        connection = await _dial(proxy)
        assert await _ask(connection, b"before") == b"before"
        await proxy.freeze()
        waiting = asyncio.create_task(_ask(connection, b"during"))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        await proxy.heal()
        assert await waiting == b"during"

    _in_front_of_echo(body)


def test_connection_made_while_frozen_works_once_healed() -> None:
    async def body(proxy: FaultProxy) -> None:
        await proxy.freeze()
        asking = asyncio.create_task(_ask(await _dial(proxy), b"patience"))
        await asyncio.sleep(0.1)
        await proxy.heal()
        assert await asking == b"patience"

    _in_front_of_echo(body)


def test_freeze_after_cut_accepts_again() -> None:
    async def body(proxy: FaultProxy) -> None:
        await proxy.cut()
        await proxy.freeze()
        _, writer = await _dial(proxy)
        assert proxy.state is ProxyState.FROZEN
        writer.close()

    _in_front_of_echo(body)


def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    async def body(proxy: FaultProxy) -> None:
        connections = [await _dial(proxy) for _ in range(2)]
        for connection in connections:
            await _ask(connection, b"in")
        third, _ = await _dial(proxy)
        assert await _is_broken(third)
        assert await _ask(connections[0], b"still in") == b"still in"

    _in_front_of_echo(body, connections_max=2)


def test_dead_node_breaks_the_clients_connection() -> None:
    async def run() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with asyncio.timeout(60), FaultProxy("127.0.0.1", port) as proxy:
            reader, _ = await _dial(proxy)
            assert await _is_broken(reader)

    asyncio.run(run())


def test_port_taken_while_cut_is_reported() -> None:
    async def body(proxy: FaultProxy) -> None:
        await proxy.cut()
        port = urlsplit(proxy.endpoint).port
        thief = await asyncio.start_server(_echo, "127.0.0.1", port)
        with pytest.raises(CouldNotRun, match=f"127.0.0.1:{port}: the proxy cannot listen"):
            await proxy.heal()
        thief.close()

    _in_front_of_echo(body)


def test_leaving_the_proxy_ends_its_connections() -> None:
    async def run() -> None:
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(60):
            async with FaultProxy("127.0.0.1", port) as proxy:
                connection = await _dial(proxy)
                await _ask(connection, b"in")
            assert await _is_broken(connection[0])
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if name.startswith("proxy")]
        server.close()

    asyncio.run(run())


def test_endpoint_of_an_unopened_proxy_is_our_own_mistake() -> None:
    with pytest.raises(HarnessBug, match=r"before the proxy was opened"):
        _ = FaultProxy("127.0.0.1", 1).endpoint
