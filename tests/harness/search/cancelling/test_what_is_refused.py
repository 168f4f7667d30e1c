"""What a simulation has not is UNKNOWN in a search, whatever becomes of the error."""

from __future__ import annotations

import asyncio
import socket

import pytest

from harness import explore
from harness.errors import Unsupported


async def connect():
    await asyncio.open_connection("127.0.0.1", 1)


async def plain():
    await connect()


async def wrapped():
    try:
        await connect()
    except Exception as error:
        raise ConnectionError("no database") from error


async def replaced():
    try:
        socket.create_connection(("127.0.0.1", 1))
    except Exception:
        raise ValueError("no database") from None


async def swallowed():
    try:
        await connect()
    except Exception:
        await asyncio.sleep(1)


async def in_a_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(connect())
        group.create_task(asyncio.sleep(1))


async def in_a_background_task():
    task = asyncio.create_task(connect())
    await asyncio.sleep(1)
    assert not task.done(), "the connection is gone"


async def stuck_by_it():
    ready = asyncio.Event()

    async def start():
        await connect()
        ready.set()

    task = asyncio.create_task(start())
    await ready.wait()
    await task


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize(
    "main",
    [plain, wrapped, replaced, swallowed, in_a_group, in_a_background_task, stuck_by_it],
    ids=lambda main: main.__name__,
)
def test_a_search_that_met_a_refusal_is_unknown(main, cancel):
    with pytest.raises(Unsupported, match="asks for what a simulation has not") as found:
        explore(main, runs=10, cancel=cancel)
    assert str(found.value).startswith("UNKNOWN")
