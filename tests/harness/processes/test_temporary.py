"""What is swept: only a marked folder of this user's whose process has gone, whatever is in it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.processes import temporary
from harness.processes.temporary import MARKER, sweep, temporary_folder, temporary_here
from tests.waiting import LIMIT_S

# Makes a folder with things in it that are hard to remove, says where, and waits to be killed.
MAKER = """
import os, sys
from pathlib import Path
from harness.processes.temporary import temporary_folder
if len(sys.argv) > 2:
    os.setuid(int(sys.argv[2]))
with temporary_folder("storage", disk=Path(sys.argv[1])) as folder:
    (folder / "deep" / "inner").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    (folder / "deep" / "link").symlink_to(Path(sys.argv[1]) / "precious")
    (folder / "deep").chmod(0o500)
    print(folder.parent, flush=True)
    sys.stdin.read()
"""
NOBODY = 65_534
GONE = 2**22 + 1  # No process has this number.


@pytest.fixture
def place(tmp_path):
    """Return a disk on which somebody else keeps files."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "kept").touch()
    return tmp_path


@pytest.fixture
def maker(place):
    """Start a process that has made a folder; return it with the folder."""
    started = []

    def start(*arguments, disk=place):
        process = subprocess.Popen(
            [sys.executable, "-c", MAKER, str(disk), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        started.append(process)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    yield start
    for one in started:
        one.kill()
        one.communicate(timeout=LIMIT_S)


def left(place):
    return sorted(one.name for one in place.iterdir())


def marked(place, name=f"harness-{GONE}-0123abcd"):
    folder = place / name
    folder.mkdir()
    (folder / MARKER).touch()
    return folder


def test_what_a_killed_process_left_is_swept_and_nothing_is_followed(place, maker):
    process, folder = maker()
    process.kill()
    process.wait(LIMIT_S)
    assert (folder / "storage" / "deep" / "file").exists()
    sweep(place)
    assert left(place) == ["precious"]
    assert (place / "precious" / "kept").exists()


@pytest.fixture
def plain_users_place():
    """Return a disk of a user whom modes bind: this one, unless it is root."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)


def test_what_a_program_made_read_only_goes_though_its_user_is_bound_by_modes(
    plain_users_place, maker
):
    user = [str(NOBODY)] if os.geteuid() == 0 else []
    process, folder = maker(*user, disk=plain_users_place)
    assert folder.stat().st_uid != 0
    process.communicate("", timeout=LIMIT_S)
    assert process.returncode == 0
    assert left(plain_users_place) == []


@pytest.mark.parametrize("number", [None, signal.SIGSTOP], ids=["running", "stopped"])
def test_the_folder_of_a_live_process_stays(place, maker, number):
    process, folder = maker()
    if number is not None:
        process.send_signal(number)
    sweep(place)
    assert (folder / "storage" / "deep" / "file").exists()


def test_a_folder_whose_lock_somebody_holds_stays_though_its_process_has_gone(place):
    folder = marked(place)
    with (folder / MARKER).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        sweep(place)
        assert folder.exists()
    sweep(place)
    assert not folder.exists()


def test_the_folder_of_another_user_stays(place, monkeypatch):
    folder = marked(place)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    sweep(place)
    assert folder.exists()


@pytest.mark.parametrize("name", ["harness-abc", f"harness-{GONE}-0123abcd.d", "harness-1", "h"])
def test_a_folder_of_another_name_stays(place, name):
    folder = marked(place, name)
    sweep(place)
    assert folder.exists()


def test_a_folder_without_a_marker_stays_if_it_holds_anything(place):
    folder = place / f"harness-{GONE}-0123abcd"
    (folder / "thing").mkdir(parents=True)
    sweep(place)
    assert folder.exists()


def test_an_empty_folder_goes_once_its_process_has(place):
    (place / f"harness-{GONE}-0123abcd").mkdir()
    kept = place / f"harness-{os.getpid()}-0123abcd"
    kept.mkdir()
    sweep(place)
    assert left(place) == [kept.name, "precious"]


def test_links_are_not_followed(place):
    marked(place / "precious", "target")
    (place / f"harness-{GONE}-0123abcd").symlink_to(place / "precious" / "target")
    folder = place / f"harness-{GONE}-0123abce"
    folder.mkdir()
    (folder / MARKER).symlink_to(place / "precious" / "target" / MARKER)
    sweep(place)
    assert (place / "precious" / "target" / MARKER).exists()
    assert folder.exists()


@pytest.mark.timeout(60)
def test_a_marker_that_is_no_file_is_none(place):
    folder = place / f"harness-{GONE}-0123abcd"
    folder.mkdir()
    os.mkfifo(folder / MARKER)
    sweep(place)
    assert folder.exists()


def test_a_sweep_that_was_broken_off_is_gone_on_with(place, monkeypatch):
    folder = marked(place)
    (folder / "storage").mkdir()

    def killed(_folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(temporary, "_remove_inside", killed)
        with pytest.raises(KeyboardInterrupt):
            sweep(place)
    assert (folder / MARKER).exists()
    sweep(place)
    assert not folder.exists()


def test_what_cannot_be_removed_costs_nothing(place, monkeypatch):
    folder = marked(place)
    (folder / "storage").mkdir()

    def refused(_folder):
        raise PermissionError("no")

    monkeypatch.setattr(temporary, "_remove_inside", refused)
    sweep(place)
    assert (folder / MARKER).exists()


def test_a_place_that_is_not_there_is_swept_in_silence(place):
    sweep(place / "nowhere")


def test_many_that_sweep_and_make_at_once_lose_nothing(place):
    code = (
        "import sys; from pathlib import Path\n"
        "from harness.processes import temporary as t\n"
        "disk = Path(sys.argv[1])\n"
        "for turn in range(60):\n"
        "    t.sweep(disk)\n"
        "    with t.temporary_folder('storage', disk=disk) as folder:\n"
        "        (folder / 'file').write_text('x')\n"
        "        t.sweep(disk)\n"
        "        assert (folder / 'file').read_text() == 'x'\n"
        "    t.remove_all()\n"
    )
    for number in range(40):
        marked(place, f"harness-{GONE + number}-0123abcd")

    def run(_number):
        return subprocess.run(
            [sys.executable, "-c", code, str(place)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(run, range(4)))
    assert [(one.returncode, one.stderr) for one in ends] == [(0, "")] * 4
    assert left(place) == ["precious"]


def test_two_folders_of_one_name_are_two_and_the_next_has_the_first_ones_path(place):
    with temporary_folder("storage", disk=place) as one:
        with temporary_folder("storage", disk=place) as two:
            assert one != two
        assert not two.exists()
    with temporary_folder("storage", disk=place) as three:
        assert three == one
    assert list(one.parent.iterdir()) == [one.parent / MARKER]


def test_a_folder_that_somebody_cleaned_away_is_made_anew(place):
    with temporary_folder("storage", disk=place) as one:
        pass
    (one.parent / MARKER).unlink()
    one.parent.rmdir()
    with temporary_folder("storage", disk=place) as two:
        assert two.is_dir()
        assert two.parent != one.parent


def test_a_child_has_a_folder_of_its_own_and_leaves_its_parents_alone(place):
    with temporary_folder("storage", disk=place) as mine:
        child = os.fork()
        if child == 0:
            with temporary_folder("storage", disk=place) as its:
                apart = its.parent != mine.parent
            temporary.remove_all()
            os._exit(0 if apart and mine.exists() and not its.parent.exists() else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert mine.exists()


def test_temporary_files_go_where_they_are_told_and_back(place, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(place / "precious"))
    before = tempfile.gettempdir()
    told = place / "told"
    told.mkdir()
    with temporary_here(told):
        with tempfile.NamedTemporaryFile() as file:
            assert Path(file.name).parent == told
        ask = "import tempfile; print(tempfile.gettempdir())"
        done = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(told)
    assert tempfile.gettempdir() == before
    assert os.environ["TMPDIR"] == str(place / "precious")
