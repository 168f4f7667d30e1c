"""Claims about what a command loads: what it does not need costs each run its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.checks.registry import CHECKS

SERVICE = """
import asyncio


class Tickets:
    def __init__(self):
        self._left, self._lock = 3, asyncio.Lock()

    async def buy(self, user):
        async with self._lock:
            self._left -= 1
            return self._left
"""
SCENARIO = """
claim = "No ticket is sold twice."
system = "tickets:Tickets"
users = { count = 3 }

[[phase]]
name = "sale"
[[phase.do]]
id = "buy"
call = "buy"
user = "each"

[check]
distinct_results = { of = "buy", path = "" }
"""
# The scenario names none of these, and no rule of scenario files looks at their parameters.
UNUSED_CHECKS = (
    "elapsed", "ends_before", "latency", "linearizable", "no_lock_across_await", "overlap",
    "peak_in_flight", "result", "same_result", "sees_exactly_own", "single_spawn", "success_share",
)  # fmt: skip
UNUSED = (
    "concurrent.futures.process", "distributed", "docker", "google.protobuf", "grpc",
    "harness.consistency", "harness.live", "harness.miden", "harness.processes.pool",
    "harness.report.figures", "harness.report.folder", "harness.report.formats.run_html",
    "harness.report.formats.run_json", "harness.search", "hypothesis", "jinja2", "multiprocessing",
    "perfetto", "pytest", "rich", "serve", "testcontainers",
)  # fmt: skip
COMMAND = """
import sys
sys.argv = ["harness", {arguments}]
from harness.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sys.modules)
"""


def loaded_by(folder, *arguments):
    """Return the names of the modules that a command has loaded when it ends."""
    code = COMMAND.format(arguments=", ".join(map(repr, arguments)))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded: ")[2].split())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tickets.py").write_text(SERVICE)
    (tmp_path / "tickets.toml").write_text(SCENARIO)
    return tmp_path


def test_one_run_loads_nothing_that_it_does_not_need(folder):
    loaded = loaded_by(folder, "run", "tickets.toml")
    assert "harness.simulated.simulation" in loaded
    assert [name for name in UNUSED if name in loaded] == []
    commands = {name for name in loaded if name.startswith("harness.cli.")}
    assert commands == {f"harness.cli.{one}" for one in ("app", "arguments", "commands", "run")}


def test_one_run_loads_the_checks_of_its_scenario(folder):
    loaded = loaded_by(folder, "run", "tickets.toml")
    assert {"harness.checks.distinct_results", "harness.checks.no_deadlock"} <= loaded
    assert [name for name in UNUSED_CHECKS if f"harness.checks.{name}" in loaded] == []


def test_garbage_is_collected_while_a_command_runs(folder):
    (folder / "tickets.py").write_text(f"import gc\nassert gc.isenabled()\n{SERVICE}")
    loaded_by(folder, "run", "tickets.toml")


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_of_the_name_that_it_is_registered_by(name):
    assert CHECKS[name].name == name
    assert CHECKS[name].check.__module__ == f"harness.checks.{name}"


def test_a_check_that_is_none_is_not_looked_for():
    assert "kind" not in CHECKS
    with pytest.raises(KeyError, match="kind"):
        CHECKS["kind"]


def test_several_processes_are_loaded_when_they_are_asked_for(folder):
    loaded = loaded_by(folder, "run", "tickets.toml", "--seeds", "2", "--jobs", "2")
    assert {"harness.processes.pool", "multiprocessing"} <= loaded


def test_the_help_shows_every_command_in_one_order(folder):
    done = subprocess.run(
        [sys.executable, "-m", "harness", "--help"], cwd=folder, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.partition("Commands:")[2].splitlines()]
    names = [line[0] for line in lines if line]
    assert names == [
        "init",
        "run",
        "list",
        "explore",
        "replay",
        "verify",
        "compare",
        "schema",
        "node",
    ]
