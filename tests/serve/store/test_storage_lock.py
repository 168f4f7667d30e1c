"""Claims: only one Serve works on a storage path, and a lock that fails says why."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import serve
from serve import Serve
from serve.errors import StorageInUse, StoragePathNotFound, StoreFailed
from tests.there import there


async def test_a_second_serve_is_refused_until_the_first_has_closed(open_serve):
    async with open_serve():
        with pytest.raises(StorageInUse, match=f"process {os.getpid()}; close it first"):
            await open_serve().__aenter__()
    async with open_serve() as service:
        assert await service.list_desks() == ()


async def test_a_serve_of_another_process_is_named(open_serve, tmp_path):
    script = (
        "import sys; from pathlib import Path; from serve.store.storage_lock import StorageLock\n"
        "StorageLock(Path(sys.argv[1])).acquire() or print('held', flush=True); sys.stdin.read()"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[1])},
    )
    assert await there(process.stdout).readline() == b"held\n"
    with pytest.raises(StorageInUse, match=f"process {process.pid};"):
        await open_serve().__aenter__()
    there(process.stdin).close()
    await process.wait()
    async with open_serve() as service:
        assert await service.list_desks() == ()


async def test_a_cancelled_opening_leaves_no_lock_behind(open_serve):
    opening = asyncio.create_task(open_serve().__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait([opening])
    for _ in range(1_000):
        # The thread that takes the lock was not waited for: it gives it back once it has it.
        with suppress(StorageInUse):
            async with open_serve() as service:
                assert await service.list_desks() == ()
                return
        await asyncio.sleep(0.01)
    pytest.fail("the lock was never given back")


@pytest.mark.parametrize("missing", ["absent", "file"])
async def test_a_storage_path_that_is_no_directory_is_refused(tmp_path, clients, missing):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoragePathNotFound, match="must be an existing directory"):
        await Serve(tmp_path / missing, clients).__aenter__()


async def test_a_lock_file_that_cannot_be_opened_is_reported(open_serve, tmp_path):
    (tmp_path / ".mosaic.lock").mkdir()
    with pytest.raises(StoreFailed, match=r"\.mosaic\.lock: Is a directory"):
        await open_serve().__aenter__()
