"""A TCP proxy in front of a node, which can cut or freeze its connections."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from typing import TYPE_CHECKING, Self

from harness.errors import CouldNotRun, HarnessBug

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["FaultProxy", "ProxyState"]

_CHUNK_BYTES = 64 * 1024
_HOST = "127.0.0.1"


class ProxyState(Enum):
    """What the proxy does with traffic."""

    HEALTHY = "healthy"
    FROZEN = "frozen"
    CUT = "cut"


class FaultProxy:
    """Forwards a loopback port to a node, until ``cut`` or ``freeze``; an async context manager.

    ``cut``: every connection breaks and new ones are refused, as if the node had crashed.
    ``freeze``: connections are accepted and stay open, but no byte moves, as if the node hung.
    ``heal``: traffic flows again on the same port, and what a freeze held back arrives. At most
    ``connections_max`` connections are open; further ones are closed at once.
    """

    def __init__(
        self,
        target_host: str,
        target_port: int,
        *,
        dial_timeout_s: float = 10.0,
        connections_max: int = 4096,
    ) -> None:
        self._target = (target_host, target_port)
        self._dial_timeout_s = dial_timeout_s
        self._connections_max = connections_max
        self._server: asyncio.Server | None = None
        self._port: int | None = None
        self._state = ProxyState.CUT
        self._flowing = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        """Where clients connect: ``http://127.0.0.1:PORT``, the same from start to end."""
        if self._port is None:
            raise HarnessBug("the proxy's endpoint was asked for before the proxy was opened")
        return f"http://{_HOST}:{self._port}"

    @property
    def state(self) -> ProxyState:
        """What the proxy does at this moment."""
        return self._state

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def cut(self) -> None:
        """Break every connection and refuse new ones, until ``heal``; idempotent."""
        self._state = ProxyState.CUT
        self._flowing.clear()
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        # Each ends by aborting its two sockets, without delay.
        await asyncio.gather(*tasks, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    async def freeze(self) -> None:
        """Accept connections but move no byte, until ``heal``; idempotent.

        Raises:
            CouldNotRun: The way was cut, and its port is now taken by somebody else.
        """
        self._state = ProxyState.FROZEN
        self._flowing.clear()
        await self._listen()

    async def heal(self) -> None:
        """Let traffic flow again, on the same port; idempotent.

        Raises:
            CouldNotRun: The way was cut, and its port is now taken by somebody else.
        """
        await self._listen()
        self._state = ProxyState.HEALTHY
        self._flowing.set()

    async def _listen(self) -> None:
        if self._server is not None:
            return
        try:
            # Listening again works at once, although old connections may linger: asyncio asks for
            # the address to be reused.
            self._server = await asyncio.start_server(
                self._accept, _HOST, self._port or 0, limit=_CHUNK_BYTES
            )
        except OSError as error:
            raise CouldNotRun(
                f"{_HOST}:{self._port or 0}: the proxy cannot listen there: {error.strerror}; "
                "did another program take the port while it was cut?"
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._server is None or self.connection_count >= self._connections_max:
            writer.transport.abort()
            return
        task.set_name(f"proxy connection {writer.get_extra_info('peername')}")
        self._connections.add(task)
        try:
            await self._forward(reader, writer)
        except OSError:
            # A side is gone, or the node could not be dialled: the client sees a break.
            pass
        except asyncio.CancelledError:
            # Only cut() and the proxy's end cancel, and both only want this to end.
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        async with asyncio.timeout(self._dial_timeout_s):
            node_reader, node_writer = await asyncio.open_connection(
                *self._target, limit=_CHUNK_BYTES
            )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, node_writer), name="proxy: to the node")
                group.create_task(self._pump(node_reader, writer), name="proxy: from the node")
        except* OSError:
            # A direction broke, and the group has ended the other.
            pass
        finally:
            node_writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Move bytes one way until the source ends; nothing is read ahead while frozen."""
        while chunk := await source.read(_CHUNK_BYTES):
            await self._flowing.wait()
            target.write(chunk)
            await target.drain()
        await self._flowing.wait()
        with contextlib.suppress(OSError):
            target.write_eof()

    async def __aenter__(self) -> Self:
        await self.heal()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.cut()
