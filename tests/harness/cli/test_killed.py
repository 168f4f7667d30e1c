"""A command that is killed, whenever that is, leaves nothing once the next has run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.processes.temporary import MARKER, MEMORY_DISK
from tests.command import HARNESS, ROOT
from tests.waiting import LIMIT_S, wait_until

# Scratch in the run's own temporary folder, as Dask and joblib make it, by a child, too.
SCRATCHING = """\
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path


class Scratching:
    async def pay(self, user: str) -> int:
        folder = Path(tempfile.mkdtemp(prefix="dask-scratch-"))
        (folder / "block").write_bytes(bytes(100))
        Path("told").write_text(tempfile.gettempdir())
        await asyncio.sleep(0 if Path("soon").exists() else 3_600)
        return 1


class ScratchingChild:
    async def pay(self, user: str) -> int:
        code = "import tempfile; tempfile.mkdtemp(); print(tempfile.gettempdir())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        Path("told").write_text(done.stdout.strip())
        return 1
"""


@pytest.fixture
def disk(tmp_path):
    """Return the folder for temporary files of the commands under test."""
    folder = tmp_path / "temporary-files"
    folder.mkdir()
    return folder


@pytest.fixture
def begin(shop, disk):
    """Start a command in the shop's folder; at the end it is killed, with all its processes."""
    (shop / "scratching.py").write_text(SCRATCHING, encoding="utf-8")
    started = []

    def start(*command):
        process = subprocess.Popen(
            command,
            cwd=shop,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(disk)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for one in started:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
        one.communicate(timeout=LIMIT_S)


def folders(disk, pids=()):
    """List the folders on the disk, and those in memory that these processes have made."""
    here = [one for one in disk.iterdir() if one.name.startswith("harness-")]
    inside = [one for one in MEMORY_DISK.glob("harness-*") if one.name.split("-")[1] in pids]
    return sorted([*here, *inside])


def killed(process, *, workers=True):
    """Kill a command's processes, all at once or the first alone, and wait for its end."""
    if workers:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate(timeout=LIMIT_S)


def group(process):
    """List the processes of a command's group, by number."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            fields = (one / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == str(process.pid):
            found.append(one.name)
    return found


SOUND = ("--system", "exploring_shop:SoundShop")
COMMANDS = {
    "run": ("run", "--seeds", "100000", "--jobs", "1"),
    "run in workers": ("run", "--seeds", "100000", "--jobs", "2"),
    "explore": ("explore", "--runs", "400000", "--jobs", "1"),
    "explore in workers": ("explore", "--runs", "400000", "--jobs", "2"),
}
# What is there when it is killed: the first folder of all, or that of a run.
MOMENTS = {"early": "harness-*", "in a run": "harness-*/storage"}


@pytest.mark.parametrize(
    ("command", "moment", "workers"),
    [
        ("run", "early", True),
        ("run", "in a run", True),
        ("run in workers", "in a run", False),
        ("explore", "in a run", True),
        ("explore in workers", "early", True),
        ("explore in workers", "in a run", True),
        ("explore in workers", "in a run", False),
    ],
)
def test_the_next_run_sweeps_what_a_killed_command_left(begin, disk, command, moment, workers):
    process = begin(*HARNESS, *COMMANDS[command], *SOUND)
    pids = set()

    def is_there():
        pids.update(group(process))
        places = [*disk.glob(MOMENTS[moment]), *MEMORY_DISK.glob(MOMENTS[moment])]
        return any(pid in str(place) for place in places for pid in pids)

    wait_until(is_there, process=process)
    pids.update(group(process))
    killed(process, workers=workers)
    wait_until(lambda: not group(process))
    done = begin(*HARNESS, "run", *SOUND)
    _, err = done.communicate(timeout=LIMIT_S)
    assert done.returncode == 0, err
    assert folders(disk, pids) == []


@pytest.mark.parametrize("plugin", [(), ("-n", "2")], ids=["alone", "in workers"])
def test_the_next_run_sweeps_what_a_killed_pytest_left(begin, disk, shop, plugin):
    (shop / "test_scratch.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "from harness.runs.directory import run_folders\n"
        "def test_one():\n"
        "    with run_folders(in_memory=True) as folders:\n"
        "        (folders.temporary / 'block').touch()\n"
        "        Path('told').write_text(str(folders.temporary))\n"
        "        time.sleep(3600)\n",
        encoding="utf-8",
    )
    process = begin(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin)
    told = shop / "told"
    wait_until(lambda: told.exists() and told.read_text(), process=process)
    scratch = Path(told.read_text())
    assert (scratch / "block").exists()
    killed(process)
    wait_until(lambda: not group(process))
    # Whichever command begins next sweeps the memory disk: it may be another test's.
    done = begin(*HARNESS, "run", *SOUND)
    done.communicate(timeout=LIMIT_S)
    assert not scratch.parent.exists()


def test_the_scratch_of_a_program_under_test_goes_with_its_killed_run(begin, disk, shop):
    process = begin(*HARNESS, "run", "--node", "live", "--system", "scratching:Scratching")
    scratch = "harness-*/temporary/dask-scratch-*/block"
    wait_until(lambda: list(disk.glob(scratch)), process=process)
    killed(process)
    assert list(disk.glob(scratch))
    assert list(disk.glob(f"harness-*/{MARKER}"))
    begin(*HARNESS, "run", *SOUND).communicate(timeout=LIMIT_S)
    assert folders(disk) == []


@pytest.mark.parametrize("service", ["Scratching", "ScratchingChild"])
def test_the_scratch_of_a_live_run_goes_when_the_command_ends(begin, disk, shop, service):
    (shop / "soon").touch()
    process = begin(*HARNESS, "run", "--node", "live", "--system", f"scratching:{service}")
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    assert Path((shop / "told").read_text()).parts[: len(disk.parts)] == disk.parts
    assert list(disk.iterdir()) == []


def test_a_simulated_run_begins_without_the_temporary_files_of_the_one_before(begin, shop):
    (shop / "counting.py").write_text(
        "import os, tempfile\n"
        "class Counting:\n"
        "    async def pay(self, user: str) -> int:\n"
        "        tempfile.mkdtemp()\n"
        "        assert len(os.listdir(tempfile.gettempdir())) <= 2, 'another run has been here'\n"
        "        return 1\n",
        encoding="utf-8",
    )
    done = begin(*HARNESS, "run", "--seeds", "3", "--jobs", "1", "--system", "counting:Counting")
    out, _ = done.communicate(timeout=LIMIT_S)
    assert done.returncode == 0, out


def test_an_interrupted_command_leaves_nothing_itself(begin, disk, shop):
    process = begin(*HARNESS, *COMMANDS["explore in workers"], *SOUND)
    wait_until(lambda: folders(disk, group(process)), process=process)
    pids = group(process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT_S)
    wait_until(lambda: not group(process))
    assert folders(disk, pids) == []
