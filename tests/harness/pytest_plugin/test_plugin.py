"""The plugin: scenario files as tests, each failure with its replay; virtual time for all."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import ROOT
from tests.harness.pytest_plugin.running import TERMINAL, run

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
claim = "Ten callers share one spawn."
users = ["alice"]
[[phase]]
name = "ask"
[[phase.do]]
call = "get_client"
user = "alice"
times = 10
with.network = "Localnet"
[check]
single_spawn = {}
same_result = { of = "get_client" }
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "good.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    return tmp_path


def test_a_scenario_in_its_folder_is_a_test_and_other_toml_is_not(project):
    done = run(project, "-v", "--harness-seed", "5")
    assert done.returncode == 0, done.stdout
    assert "harness: node simulated, seed 5" in done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(("hashing", "told"), [("random", True), ("77", False)])
def test_the_header_says_if_texts_are_hashed_at_random(project, hashing, told, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", hashing)
    done = run(project, "--collect-only")
    line = next(one for one in done.stdout.splitlines() if one.startswith("harness: "))
    assert ("sets of texts in random order (PYTHONHASHSEED=0 fixes it)" in line) is told


def test_the_processes_of_xdist_hash_texts_one_way(project, monkeypatch):
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    (project / "test_one.py").write_text(
        "import sys\ndef test_one():\n    assert not sys.flags.hash_randomization\n",
        encoding="utf-8",
    )
    done = run(project, "test_one.py", "-n", "1")
    assert done.returncode == 0, done.stdout
    assert "random order" not in done.stdout


def test_a_file_named_by_hand_is_a_test(project):
    (project / "other.toml").write_text(GOOD, encoding="utf-8")
    assert "1 passed" in run(project, "other.toml").stdout


def test_a_failure_says_expected_seen_and_how_to_replay(project):
    bad = GOOD.replace("single_spawn = {}", "single_spawn = { exactly = 2 }")
    (project / "scenarios" / "good.toml").write_text(bad, encoding="utf-8")
    done = run(project)
    assert done.returncode == 1
    for word in ("expected 2 spawns for each", "saw 1 spawn", "replay: harness replay"):
        assert word in done.stdout


def test_what_cannot_be_judged_fails_and_is_never_skipped(project):
    bad = GOOD.replace(
        "single_spawn = {}", 'latency = { of = "get_client", max_ms = 1000 }'
    ).replace("times = 10", 'times = 10\nexpect = "any"')
    fault = '\n[[fault]]\nat = "spawn.before"\nkind = "fail"\ntimes = 9\n'
    (project / "scenarios" / "good.toml").write_text(bad + fault, encoding="utf-8")
    done = run(project)
    assert done.returncode == 1
    assert "UNKNOWN good" in done.stdout
    assert "skipped" not in done.stdout


def test_mistakes_are_errors_of_collection_all_at_once(project):
    bad = GOOD.replace("times = 10", 'times = "10"').replace('user = "alice"', 'user = "alcie"')
    (project / "scenarios" / "good.toml").write_text(bad, encoding="utf-8")
    done = run(project)
    assert done.returncode == 2
    assert "phase[0].do[0].times" in done.stdout
    assert "alcie" in done.stdout


def test_another_system_can_be_named(project):
    (project / "mine.py").write_text(
        "class Mine:\n    async def get_client(self, user, network):\n        return 1\n",
        encoding="utf-8",
    )
    done = run(project, "--harness-system", "mine:Mine")
    # No client is spawned, so the single spawn cannot be judged: the system was really another.
    assert "no spawn" in done.stdout


def test_workers_share_the_scenarios_and_tell_how_to_replay_a_failure(project):
    for number in range(4):
        (project / "scenarios" / f"more_{number}.toml").write_text(GOOD, encoding="utf-8")
    bad = GOOD.replace("single_spawn = {}", "single_spawn = { exactly = 2 }")
    (project / "scenarios" / "bad.toml").write_text(bad, encoding="utf-8")
    done = run(project, "-n", "2", "--harness-seed", "12")
    assert "1 failed, 5 passed" in done.stdout
    assert "bad.toml --seed 12" in done.stdout


def test_the_seed_and_the_digest_are_in_junit(project):
    run(project, "--junitxml", "out.xml", "--harness-seed", "9")
    text = (project / "out.xml").read_text(encoding="utf-8")
    assert 'name="seed" value="9"' in text
    assert 'name="digest"' in text


def test_simulate_runs_a_day_in_no_time_and_names_a_deadlock(project):
    (project / "test_mine.py").write_text(
        "import asyncio\n"
        "def test_day(simulate):\n"
        "    async def main():\n"
        "        await asyncio.sleep(86_400)\n"
        "        return asyncio.get_running_loop().time()\n"
        "    assert simulate(main) == 86_400\n"
        "def test_stuck(simulate):\n"
        "    async def main():\n"
        "        await asyncio.Event().wait()\n"
        "    simulate(main)\n",
        encoding="utf-8",
    )
    done = run(project, "test_mine.py")
    assert "1 failed, 1 passed" in done.stdout
    assert "Deadlock" in done.stdout
    assert "test_mine.py:9" in done.stdout


@pytest.mark.parametrize("seed", ["-1", "x", str(2**64)])
def test_a_seed_out_of_bounds_is_told_once_before_any_test(project, seed):
    done = run(project, f"--harness-seed={seed}")
    assert done.returncode == 4
    assert "--harness-seed: must be a whole number from 0 to 18446744073709551615" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_that_there_is_not_is_told_before_any_test(project):
    done = run(project, "--harness-node", "moon")
    assert done.returncode == 4
    assert "--harness-node: invalid choice: 'moon'" in done.stderr


def test_a_system_that_there_is_not_fails_in_one_line(project):
    done = run(project, "--harness-system", "nowhere:Service")
    assert done.returncode == 1
    assert "there is no module nowhere; looked in " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_service_that_ends_the_interpreter_fails_its_test_and_no_other(project):
    (project / "leaver.py").write_text(
        "import sys\nclass Leaver:\n    async def get_client(self, user, network):\n"
        "        return sys.exit(0) if user == 'alice' else 1\n",
        encoding="utf-8",
    )
    bob = GOOD.replace("alice", "bob").replace("single_spawn = {}\n", "")
    (project / "scenarios" / "other.toml").write_text(bob, encoding="utf-8")
    assert "1 failed, 1 passed" in run(project, "--harness-system", "leaver:Leaver").stdout


def test_a_live_node_that_is_missing_is_a_failure_and_never_a_skip(project):
    done = run(project, "--harness-node", "live", DOCKER_HOST="unix:///nonexistent")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "Docker does not answer" in done.stdout or "client is not installed" in done.stdout


@pytest.fixture
def hidden(project):
    """A project with a package ``harness`` of its own; the plugin is installed beside it."""
    (project / "harness").mkdir()
    (project / "harness" / "__init__.py").write_text("RIG = 1\n", encoding="utf-8")
    plugin = ROOT / "harness" / "pytest_plugin" / "plugin.py"
    (project / "mosaic_harness_plugin.py").write_text(
        plugin.read_text(encoding="utf-8"), encoding="utf-8"
    )
    (project / "test_rig.py").write_text(
        "import harness\n\ndef test_rig():\n    assert harness.RIG == 1\n", encoding="utf-8"
    )
    return project


def run_hidden(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:harness",
            "-p", "mosaic_harness_plugin", *arguments,
        ],
        cwd=folder,
        env=os.environ | TERMINAL | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": ""},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_folder_called_harness_keeps_its_tests_though_the_plugin_is_installed(hidden):
    done = run_hidden(hidden, "test_rig.py")
    assert "1 passed" in done.stdout


def test_what_needs_the_hidden_package_says_in_one_line_what_hides_it(hidden):
    (hidden / "test_time.py").write_text(
        "def test_time(simulate, explore):\n    pass\n", encoding="utf-8"
    )
    place = hidden / "harness" / "__init__.py"
    line = f"mosaic-harness: {place} hides the installed package harness"
    assert run_hidden(hidden, "test_time.py").stdout.count(line) == 1
    assert run_hidden(hidden, "scenarios").stdout.count(line) == 1
    assert run_hidden(hidden, "test_rig.py", "--harness-replay", "mh1").stderr.count(line) == 1


def test_what_other_tools_keep_in_a_folder_scenarios_is_left_alone(project):
    (project / "scenarios" / "others.toml").write_text("[tool]\nname = 1\n", encoding="utf-8")
    assert "1 passed" in run(project).stdout
    (project / "scenarios" / "broken.toml").write_text("claim = \n", encoding="utf-8")
    assert "broken.toml" in run(project).stdout


def test_a_service_that_ends_the_interpreter_as_it_is_imported_fails_in_one_line(project):
    (project / "quitter.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    done = run(project, "--harness-system", "quitter:Quitter")
    assert done.returncode == 1
    assert 'system "quitter:Quitter": importing quitter failed at ' in done.stdout
    assert "SystemExit: 0" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


PLAIN = """
claim = "Both are answered."
system = "plain_desk:Desk"
users = ["alice", "bob"]
[[phase]]
name = "ask"
do = [{ call = "ask", user = "each" }]
[check]
latency = { of = "ask", max_ms = 500 }
"""
DESK = """
import asyncio

class Desk:
    async def ask(self, user):
        await asyncio.to_thread(len, user)
"""
SLOW = """
provenance = "What if a row takes a second?"
executor.call_ms = { kind = "constant", value = 1000 }
"""


@pytest.fixture
def desk(project):
    (project / "scenarios" / "good.toml").write_text(PLAIN, encoding="utf-8")
    (project / "plain_desk.py").write_text(DESK, encoding="utf-8")
    (project / "slow.toml").write_text(SLOW, encoding="utf-8")
    return project


def test_both_nodes_are_two_tests_with_ids_of_their_own(desk):
    done = run(desk, "-v", "--harness-node", "both")
    assert done.returncode == 0, done.stdout
    assert "::good[simulated] PASSED" in done.stdout
    assert "::good[live] PASSED" in done.stdout


def test_one_of_both_nodes_can_be_chosen_by_its_mark(desk):
    done = run(desk, "-v", "--harness-node", "both", "-m", "not harness_live")
    assert "::good[simulated] PASSED" in done.stdout
    assert "1 deselected" in done.stdout


def test_a_profile_is_that_of_simulated_scenarios(desk):
    done = run(desk, "-v", "--harness-node", "both", "--harness-profile", "slow.toml")
    assert "harness: node both, seed 0, profile slow.toml" in done.stdout
    assert "::good[simulated] FAILED" in done.stdout
    assert "::good[live] PASSED" in done.stdout
    assert "--profile slow.toml@" in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--harness-profile", "nominel"], "--harness-profile: must be a known name"),
        (["--harness-profile", "gone.toml"], "--harness-profile: gone.toml: no such file"),
        (["--harness-profile", "nominal", "--harness-node", "live"], "is for simulated runs"),
    ],
)
def test_a_bad_profile_is_an_error_of_usage(desk, options, told):
    done = run(desk, *options)
    assert done.returncode == 4
    assert told in done.stderr
    assert "Traceback" not in done.stderr
