"""Claims: only one Serve works on a storage path; a lock that fails says why; no fork keeps it."""

import asyncio
import os
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

import serve
from serve import Serve
from serve.errors import StorageInUse, StoragePathNotFound, StoreFailed
from serve.store.storage_lock import StorageLock
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


FORKED = """
import os, sys
from pathlib import Path
from serve.errors import StorageInUse
from serve.store.storage_lock import StorageLock

path = Path(sys.argv[1])
lock = StorageLock(path)
lock.acquire()


def is_free():
    try:
        other = StorageLock(path)
        other.acquire()
    except StorageInUse as error:
        assert f"process {os.getppid() if is_child else os.getpid()};" in str(error), error
        return False
    other.release()
    return True


to_child, to_parent = os.pipe(), os.pipe()
is_child = os.fork() == 0
if is_child:
    CHILD
    os._exit(0)
PARENT
"""


def run_forked(path, *, child, parent):
    """Run a process that takes the lock, then forks; return what both print."""
    script = FORKED.replace("    CHILD", textwrap.indent(child, "    ")).replace("PARENT", parent)
    ended = subprocess.run(
        (sys.executable, "-c", textwrap.dedent(script), str(path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(serve.__file__).parents[1])},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_a_forked_child_does_not_keep_the_lock_that_its_parent_gives_back(tmp_path):
    # The child lives on, and does nothing.
    child = "os.close(to_child[1]); os.read(to_child[0], 1)"
    parent = "print(is_free()); lock.release(); print(is_free()); os.close(to_child[1]); os.wait()"
    assert run_forked(tmp_path, child=child, parent=parent) == ["False", "True"]


@pytest.mark.parametrize("does", ["pass", "lock.release()", "del lock"])
def test_a_parents_lock_outlives_a_forked_child_and_what_it_does(tmp_path, does):
    parent = "print(os.waitpid(-1, 0)[1]); print(is_free()); lock.release(); print(is_free())"
    assert run_forked(tmp_path, child=does, parent=parent) == ["0", "False", "True"]


def test_a_forked_child_takes_the_lock_as_any_process_does(tmp_path):
    child = """
print(is_free(), flush=True)
os.write(to_parent[1], b"x")
os.read(to_child[0], 1)
# A number that was the lock's may be another file's by now.
elsewhere = os.open(path, os.O_RDONLY)
lock.release()
os.fstat(elsewhere)
print(is_free(), flush=True)
""".strip()
    parent = "os.read(to_parent[0], 1); lock.release(); os.write(to_child[1], b'x'); os.wait()"
    assert run_forked(tmp_path, child=child, parent=parent) == ["False", "True"]


def test_a_copy_of_the_locked_file_does_not_keep_the_lock(tmp_path):
    lock, other = StorageLock(tmp_path), StorageLock(tmp_path)
    lock.acquire()
    locked = (tmp_path / ".mosaic.lock").stat()
    # As a child has that was not forked by Python.
    copies = [os.dup(number) for number in range(3, 1024) if is_open_as(number, locked)]
    assert copies
    try:
        lock.release()
        other.acquire()
        other.release()
    finally:
        for copy in copies:
            os.close(copy)


def is_open_as(number, status):
    with suppress(OSError):
        return os.path.samestat(os.fstat(number), status)
    return False
