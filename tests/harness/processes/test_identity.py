"""The claims about telling a running process from one that has ended."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from harness.processes.identity import ProcessIdentity


def test_this_process_is_not_gone() -> None:
    assert not ProcessIdentity.current().is_gone


def test_identity_survives_being_written() -> None:
    identity = ProcessIdentity.current()
    assert ProcessIdentity.parse(str(identity)) == identity


def test_ended_process_is_gone() -> None:
    program = "from harness.processes.identity import ProcessIdentity as P; print(P.current())"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    identity = ProcessIdentity.parse(ended.stdout.decode().strip())
    assert identity is not None
    assert identity.is_gone


def test_zombie_is_gone() -> None:
    program = (
        "from harness.processes.identity import ProcessIdentity as P\n"
        "print(P.current(), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        identity = ProcessIdentity.parse(child.stdout.read().decode().strip())
        # Its output ended, so it is over or about to be; nobody has waited for it yet.
        while identity is not None and not identity.is_gone:
            assert child.returncode is None
        assert identity is not None


def test_pid_that_came_round_again_is_another_process() -> None:
    assert dataclasses.replace(ProcessIdentity.current(), started="1@00000000").is_gone


def test_process_of_another_machine_is_never_taken_for_gone() -> None:
    assert not ProcessIdentity(host="elsewhere:pid:[1]:0", pid=1, started="1@0").is_gone


@pytest.mark.parametrize("text", ["", "x", "a|b|c", "host|12", "host|-1|x"])
def test_other_text_is_no_identity(text: str) -> None:
    assert ProcessIdentity.parse(text) is None
