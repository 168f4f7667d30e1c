"""What code under test does to alarms ends with its run; what ends a worker rings on."""

from __future__ import annotations

import subprocess
import sys

from tests.command import ROOT

BODY = """
import signal
from harness.processes.signals import keep_ringing, put_back
signal.signal(signal.SIGALRM, lambda *_: None)
with put_back():
    signal.setitimer(signal.ITIMER_REAL, 60)
    {}
print(signal.getitimer(signal.ITIMER_REAL)[0] > 0)
"""


def rings_on(line):
    done = subprocess.run(
        [sys.executable, "-c", BODY.format(line)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_an_alarm_of_the_code_under_test_ends_with_its_run():
    assert rings_on("pass") == "False"


def test_the_alarm_that_ends_a_worker_rings_on():
    """Code that takes every error takes what ended the worker, too: it must come once more."""
    assert rings_on("keep_ringing()") == "True"
