"""A process ends whatever threads the code under test began; those that end are waited for."""

from __future__ import annotations

import subprocess
import sys
import threading

from harness.processes.exits import lasting_threads

ENDS = """
import sys, threading
from harness.processes.exits import end_past_threads
threading.Thread(target=threading.Event().wait, name="endless").start()
print("told")
end_past_threads(3, say=lambda line: print(line, file=sys.stderr))
"""


def test_a_process_ends_with_its_code_past_a_thread_that_never_ends():
    ended = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (3, "told\n")
    assert "have not ended (endless)" in ended.stderr


def test_a_verdict_that_is_out_stays_past_a_thread_that_never_ends():
    body = (
        "import sys, threading\n"
        "from harness.processes.apart import go_on_in_a_child\n"
        "from harness.processes.exits import end_past_threads\n"
        "go_on_in_a_child()\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "end_past_threads(0, say=lambda line: None)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_threads_that_end_do_not_count_nor_do_those_that_nobody_waits_for():
    ends = threading.Event()
    daemon = threading.Thread(target=ends.wait, daemon=True)
    short = threading.Thread(target=int)
    for one in (daemon, short):
        one.start()
    assert lasting_threads(within_s=30) == []
    ends.set()
    daemon.join()
