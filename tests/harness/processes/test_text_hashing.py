"""The command line hashes texts one way, unless the environment says how; so do its processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.processes.text_hashing import text_hashing

# A system that tells how texts are hashed in its process, for whichever command imports it.
SAYS = """
import os, sys
from harness.processes.text_hashing import text_hashing
with open("said", "a") as said:
    print(text_hashing(), os.environ.get("PYTHONHASHSEED"), os.getpid(), file=said)
class Says:
    async def ask(self):
        return 1
"""
SCENARIO = """
claim = "It answers."
system = "says:Says"
[[phase]]
name = "ask"
do = [{ call = "ask" }]
[check]
no_deadlock = { within_s = 5 }
"""


@pytest.fixture
def said(tmp_path):
    (tmp_path / "says.py").write_text(SAYS, encoding="utf-8")
    (tmp_path / "says.toml").write_text(SCENARIO, encoding="utf-8")

    def run(*arguments, **environment):
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, output + errors
        lines = (tmp_path / "said").read_text("utf-8").splitlines()
        return process.pid, [line.split() for line in lines], output + errors

    return run


def test_a_command_hashes_one_way_in_the_process_that_was_started(said):
    _, lines, _ = said("-m", "harness", "run", "says.toml", "--one-process")
    assert [line[:2] for line in lines] == [["0", "0"]]


def test_its_workers_do_too(said):
    _, lines, _ = said("-m", "harness", "run", "says.toml", "--seeds", "4", "--jobs", "2")
    assert {hashing for hashing, _, _ in lines} == {"0"}
    assert len({pid for _, _, pid in lines}) >= 2


@pytest.mark.parametrize("asked", ["random", "77"])
def test_what_the_environment_asks_for_stays(said, asked):
    _, lines, _ = said("-m", "harness", "run", "says.toml", PYTHONHASHSEED=asked)
    assert [line[:2] for line in lines] == [[asked, asked]]


def test_a_program_that_calls_the_command_line_does_not_begin_again(said):
    code = "import sys; sys.argv[1:] = ['run', 'says.toml']; print('begun', flush=True)"
    code += "\nfrom harness.__main__ import main; main()"
    _, lines, output = said("-c", code)
    assert [line[:2] for line in lines] == [["random", "None"]]
    assert output.count("begun") == 1


def test_a_run_of_one_seed_is_made_again_where_texts_are_hashed_otherwise(said):
    _, lines, output = said("-m", "harness", "run", "says.toml", HARNESS_ONCE="")
    assert [line[0] for line in lines] == ["0", "4242"]
    assert lines[0][2] != lines[1][2]
    assert "1 run made again in another process, 1 the same" in output


def test_how_this_process_hashes_is_known():
    fixed = not sys.flags.hash_randomization
    assert (text_hashing() == "0") is fixed
