"""Sources of what differs from process to process: each is the same, refused, or told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.history.records import NodeKind
from harness.results.verdict import Verdict
from harness.runs.batch import Batch, read_scenarios
from harness.runs.repeated.verifying import verify_batch
from tests.harness.simulated.guards import sources

# What Linux, or CPython 3.11 on 64 bits, has by these names; elsewhere fewer are reached.
HASHES = ("0", "1", "random")
APART_S = 1.1
REFUSED = {
    "/dev/urandom by descriptor", "fork", "getaddrinfo", "os.popen", "os.system", "second loop",
    "subprocess", "thread", "thread of C", "timer",
}  # fmt: skip

SCENARIO = """
claim = "What it returns follows from the seed."
system = "sources:Told"

[[phase]]
name = "ask"
do = [{{ call = "told_{number}" }}]

[check]
no_deadlock = {{ within_s = 5 }}
"""


@pytest.fixture(scope="module")
def outcomes():
    """Every source in three processes that hash texts otherwise, a second after one another."""
    begin_s = time.time() + 2
    names = json.dumps([*sources.SOURCES, *sources.TOLD])
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", sources.__file__, str(begin_s + APART_S * n), names],
            env={
                **os.environ,
                "PYTHONHASHSEED": hashing,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "TZ": ("", "America/New_York", "Asia/Kolkata")[n],
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for n, hashing in enumerate(HASHES)
    ]
    return [json.loads(one.communicate(timeout=120)[0]) for one in processes]


def test_there_are_at_least_ninety(outcomes):
    assert len(outcomes[0]) >= 90
    assert {name for name, one in outcomes[0].items() if one == "refused"} == REFUSED


@pytest.mark.parametrize("name", sources.SOURCES)
def test_a_source_is_the_same_in_every_process(outcomes, name):
    first, *others = [one[name] for one in outcomes]
    assert others == [first, first]


def test_what_is_not_the_same_is_told(outcomes, tmp_path, monkeypatch):
    shutil.copy(sources.__file__, tmp_path / "sources.py")
    for number in range(len(sources.TOLD)):
        path = tmp_path / f"told_{number:02}.toml"
        path.write_text(SCENARIO.format(number=number), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    scenarios = read_scenarios([Path()])
    batch = Batch(scenarios=scenarios, node=NodeKind.SIMULATED, seeds=3, jobs=1)
    told = {one.scenario for one in verify_batch(batch) if one.verdict is Verdict.FAILED}
    silent = [
        name
        for number, name in enumerate(sources.TOLD)
        if f"told_{number:02}" not in told
        and not outcomes[0][name] == outcomes[1][name] == outcomes[2][name]
    ]
    assert silent == []
