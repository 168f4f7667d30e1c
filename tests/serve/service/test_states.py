"""Claims: a Serve is opened once and closed once, whoever does what at once."""

import asyncio
import gc
import threading

import pytest

from serve import Network
from serve.errors import ServeClosed, StorageInUse
from serve.store.storage_lock import StorageLock

ANN = bytes([1]) * 32
TESTNET = Network.TESTNET


async def test_an_open_service_that_is_entered_again_goes_on(open_serve):
    async with open_serve() as service:
        await service.get_client(ANN, TESTNET)
        with pytest.raises(ServeClosed, match="entered once"):
            await service.__aenter__()
        with pytest.raises(StorageInUse, match="held by"):
            async with open_serve():
                pass
        await service.client_sync(ANN, TESTNET)
        assert await service.audit() == ()
    async with open_serve():
        pass


async def test_a_closed_service_is_not_opened_again(open_serve):
    service = open_serve()
    async with service:
        pass
    with pytest.raises(ServeClosed, match="entered once"):
        await service.__aenter__()
    async with open_serve():
        pass


@pytest.fixture
def slow_lock(monkeypatch):
    """Hold the thread that takes a storage's lock until the test lets it go on."""
    began, go_on = threading.Event(), threading.Event()
    acquire = StorageLock.acquire

    def slowly(lock):
        began.set()
        go_on.wait(60)
        acquire(lock)

    monkeypatch.setattr(StorageLock, "acquire", slowly)
    yield began, go_on
    go_on.set()


@pytest.mark.parametrize("order", ["close ends first", "opening ends first"])
async def test_a_close_waits_for_an_opening_and_leaves_nothing(open_serve, slow_lock, order):
    began, go_on = slow_lock
    service = open_serve()
    opening = asyncio.create_task(service.__aenter__())
    await asyncio.to_thread(began.wait, 60)
    closing = asyncio.create_task(service.close())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    if order == "close ends first":
        await closing
    with pytest.raises(ServeClosed, match="closed while it opened"):
        await opening
    await closing
    with pytest.raises(ServeClosed, match="closed"):
        await service.list_desks()
    async with open_serve() as again:
        assert await again.list_desks() == ()


async def test_an_opening_that_is_cancelled_leaves_the_storage_free(open_serve, slow_lock):
    began, go_on = slow_lock
    service = open_serve()
    opening = asyncio.create_task(service.__aenter__())
    await asyncio.to_thread(began.wait, 60)
    opening.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait([opening])
    assert opening.cancelled()
    while True:
        try:
            async with open_serve():
                break
        except StorageInUse:
            await asyncio.sleep(0.01)


async def test_an_opening_that_is_cancelled_and_fails_later_is_not_told_to_nobody(
    open_serve, slow_lock
):
    began, go_on = slow_lock
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    go_on.set()
    async with open_serve():
        began.clear()
        go_on.clear()
        opening = asyncio.create_task(open_serve().__aenter__())
        await asyncio.to_thread(began.wait, 60)
        opening.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait([opening])
        del opening
        gc.collect()
    gc.collect()
    assert told == []
