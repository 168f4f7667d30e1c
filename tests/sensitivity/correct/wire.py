"""Correct programs that speak a protocol: frames, chunks, several calls on one connection."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import struct
from collections import deque
from contextlib import asynccontextmanager

__all__ = ["PROGRAMS"]


async def _in_pieces(reader, data, sizes=(1, 4)):
    """Feed a reader as a network does: in pieces of any size."""
    while data:
        size = random.randint(*sizes)
        reader.feed_data(data[:size])
        data = data[size:]
        await asyncio.sleep(random.uniform(0, 0.005))
    reader.feed_eof()


async def frames_with_a_length():
    reader = asyncio.StreamReader()
    frames = [b"hello", b"", b"a longer frame"]

    async def read_frames():
        got = []
        while True:
            try:
                head = await reader.readexactly(2)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
                return got
            (length,) = struct.unpack(">H", head)
            got.append(await reader.readexactly(length))

    data = b"".join(struct.pack(">H", len(one)) + one for one in frames)
    got, _ = await asyncio.gather(read_frames(), _in_pieces(reader, data))
    assert got == frames


async def a_frame_that_is_cut_off():
    reader = asyncio.StreamReader()

    async def read():
        try:
            return await reader.readexactly(10)
        except asyncio.IncompleteReadError as error:
            return error.partial, error.expected

    found, _ = await asyncio.gather(read(), _in_pieces(reader, b"only"))
    assert found == (b"only", 10)


async def lines_that_are_too_long():
    reader = asyncio.StreamReader(limit=8)

    async def read():
        lines = []
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await reader.readexactly(error.consumed)
                lines.append("too long")
            except asyncio.IncompleteReadError:
                return lines
            else:
                lines.append(line.decode().strip())

    data = b"short\n" + b"x" * 40 + b"\nend\n"
    lines, _ = await asyncio.gather(read(), _in_pieces(reader, data, sizes=(12, 20)))
    assert "too long" in lines
    assert lines[0] == "short"
    assert lines[-1] == "end"


async def an_answer_in_chunks():
    reader = asyncio.StreamReader()

    async def chunks():
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readline()

    async def read():
        return b"".join([chunk async for chunk in chunks()])

    data = b"4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n"
    body, _ = await asyncio.gather(read(), _in_pieces(reader, data))
    assert body == b"Wikipedia in\r\n\r\nchunks."


class _Pipe:
    """Two ends without a network: what one writes, the other one reads, after a while."""

    def __init__(self, loop):
        self.loop, self.reader, self.on_its_way = loop, asyncio.StreamReader(), deque()

    def write(self, data):
        self.on_its_way.append(data)
        self.loop.call_later(random.uniform(0, 0.005), self.arrive)

    def arrive(self):
        # Whichever timer comes first: bytes do not overtake each other.
        data = self.on_its_way.popleft()
        if data:
            self.reader.feed_data(data)
        else:
            self.reader.feed_eof()

    def end(self):
        self.write(b"")


@asynccontextmanager
async def _served(handle):
    """Serve one connection, and give the client's ends of it."""
    loop = asyncio.get_running_loop()
    there, back = _Pipe(loop), _Pipe(loop)
    server = asyncio.create_task(handle(there.reader, back))
    try:
        yield back.reader, there
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


async def an_echo_of_lines():
    async def echo(reader, out):
        while line := await reader.readline():
            out.write(line.upper())
        out.end()

    async with _served(echo) as (reader, out), asyncio.timeout(60):
        for word in (b"one\n", b"two\n"):
            out.write(word)
            assert await reader.readline() == word.upper()
        out.end()
        assert await reader.read() == b""


async def calls_that_share_a_connection():
    """Many calls at once on one connection: a reader task gives each its answer."""

    async def serve(reader, out):
        async def answer(call):
            await asyncio.sleep(random.uniform(0, 0.01))
            reply = {"id": call["id"], "result": sum(call["params"])}
            out.write(json.dumps(reply).encode() + b"\n")

        async with asyncio.TaskGroup() as group:
            while line := await reader.readline():
                group.create_task(answer(json.loads(line)))

    class Connection:
        def __init__(self, reader, out):
            self.reader, self.out, self.calls = reader, out, {}

        async def dispatch(self):
            try:
                while line := await self.reader.readline():
                    reply = json.loads(line)
                    future = self.calls.get(reply["id"])
                    if future is not None and not future.done():
                        future.set_result(reply["result"])
            finally:
                for future in self.calls.values():
                    future.cancel()

        async def call(self, number, *params):
            future = self.calls[number] = asyncio.get_running_loop().create_future()
            try:
                self.out.write(json.dumps({"id": number, "params": params}).encode() + b"\n")
                return await future
            finally:
                del self.calls[number]

    async with _served(serve) as (reader, out):
        connection = Connection(reader, out)
        dispatching = asyncio.create_task(connection.dispatch())
        try:
            async with asyncio.timeout(60):
                found = await asyncio.gather(
                    connection.call(1, 1, 2), connection.call(2), connection.call(3, 5, 5, 5)
                )
        finally:
            dispatching.cancel()
            await asyncio.wait([dispatching])
        assert list(found) == [3, 0, 15]
        assert not connection.calls


async def questions_in_a_pipeline():
    """Answers come in the order of the questions, so a queue of waiters is enough."""

    async def serve(reader, out):
        while line := await reader.readline():
            await asyncio.sleep(random.uniform(0, 0.01))
            out.write(b"+" + line)
        out.end()

    async with _served(serve) as (reader, out):
        waiters: asyncio.Queue[asyncio.Future[bytes]] = asyncio.Queue()

        async def ask(word):
            answer = asyncio.get_running_loop().create_future()
            waiters.put_nowait(answer)
            out.write(word + b"\n")
            return await answer

        async def take():
            while True:
                answer = await waiters.get()
                line = await reader.readline()
                # Who no longer waits has an answer all the same: else the others get wrong ones.
                if not answer.done():
                    answer.set_result(line.strip())

        taking = asyncio.create_task(take())
        try:
            async with asyncio.timeout(60):
                assert list(await asyncio.gather(ask(b"a"), ask(b"b"))) == [b"+a", b"+b"]
        finally:
            taking.cancel()
            await asyncio.wait([taking])


class _Lines(asyncio.Protocol):
    """A protocol of callbacks: cuts what comes into lines."""

    def __init__(self, take):
        self.take, self.rest, self.transport = take, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(line)

    def connection_lost(self, exc):
        self.take(None)


async def a_protocol_of_callbacks():
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    protocol = _Lines(lines.put_nowait)
    protocol.connection_made(asyncio.Transport())

    async def network():
        try:
            for piece in (b"on", b"e\ntw", b"o\n", b"three\nrest"):
                protocol.data_received(piece)
                await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            protocol.connection_lost(None)

    async def read():
        got = []
        while (line := await lines.get()) is not None:
            got.append(line)
        return got

    got, _ = await asyncio.gather(read(), network())
    assert got == [b"one", b"two", b"three"]
    assert protocol.rest == b"rest"


async def a_writer_that_is_told_to_pause():
    """Flow control by hand: above the high mark the writer waits until the buffer has drained."""

    class Out:
        def __init__(self):
            self.buffer, self.sent, self.may_write = bytearray(), bytearray(), asyncio.Event()
            self.may_write.set()

        async def send(self, data):
            await self.may_write.wait()
            self.buffer += data
            if len(self.buffer) > 8:
                self.may_write.clear()

        async def drain(self):
            while True:
                await asyncio.sleep(random.uniform(0.001, 0.005))
                self.sent += self.buffer[:4]
                del self.buffer[:4]
                if len(self.buffer) <= 4:
                    self.may_write.set()

    out, most = Out(), 0

    async def produce():
        nonlocal most
        for _ in range(10):
            await out.send(b"abc")
            most = max(most, len(out.buffer))

    draining = asyncio.create_task(out.drain())
    try:
        async with asyncio.timeout(60):
            await produce()
            while out.buffer:
                await asyncio.sleep(0.005)
    finally:
        draining.cancel()
        await asyncio.wait([draining])
    assert bytes(out.sent) == b"abc" * 10
    assert most <= 11


async def a_window_of_packets_that_are_confirmed():
    """At most three packets are under way; one that is lost is sent again after a while."""
    arrived, confirmed, window = [], set(), asyncio.Semaphore(3)

    async def network(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        if random.random() < 0.25:
            return
        arrived.append(number)
        confirmed.add(number)

    async def send(number):
        async with window:
            while number not in confirmed:
                await network(number)
                if number not in confirmed:
                    await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(send(number))
    assert sorted(arrived) == list(range(6))


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and not one.__name__.startswith("_")
]
