import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from harness.errors import BadInput
from harness.report.folder import RUN_FILES, write_run_folder
from harness.results.whole_file import write_whole


@contextmanager
def as_nobody():
    """Give up root's right to write everywhere, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_all_four_formats_are_written(tmp_path, rich_report):
    paths = write_run_folder(rich_report, tmp_path / "deep" / "report")
    assert [path.name for path in paths] == list(RUN_FILES)
    assert sorted(path.name for path in (tmp_path / "deep" / "report").iterdir()) == sorted(
        RUN_FILES
    )
    assert all(path.stat().st_size > 1_000 for path in paths)


def test_a_second_report_replaces_the_first_and_leaves_other_files(tmp_path, rich_report):
    (tmp_path / "index.html").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    write_run_folder(rich_report, str(tmp_path))
    assert (tmp_path / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_hostile_text_can_be_written(tmp_path, hostile_report):
    for path in write_run_folder(hostile_report, tmp_path):
        assert "onerror" in path.read_text(encoding="utf-8")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, rich_report):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(BadInput, match="report: must be a directory that can be made, got: File"):
        write_run_folder(rich_report, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "a file"


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, rich_report):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    with as_nobody(), pytest.raises(BadInput, match="got: Permission denied; name another place"):
        write_run_folder(rich_report, closed)


def test_a_folder_in_place_of_a_file_is_refused_and_nothing_is_left_behind(tmp_path, rich_report):
    (tmp_path / "summary.md").mkdir()
    with pytest.raises(BadInput, match=r"summary\.md: must be a file that can be replaced"):
        write_run_folder(rich_report, tmp_path)
    assert not list(tmp_path.glob(".*.part"))


FULL_DISK = """
import resource, sys
from pathlib import Path
from harness.errors import BadInput
from harness.results.whole_file import write_whole

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_whole({folder / "small.txt": "new", folder / "large.txt": "x" * 20_000})
except BadInput as error:
    print(error)
"""


def test_a_disk_that_fills_up_leaves_the_old_report_whole(tmp_path):
    (tmp_path / "small.txt").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "large.txt: must be a file that can be written, got: File too large" in done.stdout
    assert "free some space, or name another place" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["small.txt"]
    assert (tmp_path / "small.txt").read_text() == "old"


def test_a_full_device_is_told(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(BadInput, match="got: No space left on device; free some space"):
        write_whole({tmp_path / "full": "x"})


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        write_whole({pipe: "through\n"})
        assert reader.communicate(timeout=60)[0] == "through\n"
    assert pipe.is_fifo()
