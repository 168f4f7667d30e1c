"""Latency profiles on the command line: chosen by name or file, told, and held to their hash."""

from __future__ import annotations

import json
import re
import sys
from types import SimpleNamespace

import pytest

from harness.cli import app
from tests.harness.simulated.world.bad_profiles import BAD

# A cache without a lock, whose loads are in threads: what they take decides who loads twice.
SERVICE = """
import asyncio, time

class Cache:
    def __init__(self):
        self.loads = {}

    async def get(self, user):
        if user not in self.loads:
            self.loads[user] = await asyncio.to_thread(self._load)
        return self.loads[user]

    def _load(self):
        return len(self.loads)
"""
SCENARIO = """
claim = "All get the same."
system = "profiled_cache:Cache"
users = ["alice"]
[[phase]]
name = "get"
do = [{ call = "get", user = "alice", times = 2 }]
[check]
"""
QUICK = 'latency = { of = "get", max_ms = 500 }'
SAME = 'same_result = { of = "get" }'
SLOW = """
provenance = "What if a row takes a second?"
[executor]
call_ms = { kind = "constant", value = 1000 }
"""


@pytest.fixture
def harness(tmp_path, monkeypatch, capsys):
    """Call the command line, here, in a folder with a scenario and a profile."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiled_cache.py").write_text(SERVICE)
    (tmp_path / "cache.toml").write_text(SCENARIO + QUICK)
    (tmp_path / "race.toml").write_text(SCENARIO + SAME)
    (tmp_path / "slow.toml").write_text(SLOW)
    monkeypatch.setattr(app, "end_on_signals", lambda: None)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["harness", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(exit_code=ended.value.code or 0, stdout=out, stderr=err)

    return call


COMMANDS = (["run", "cache.toml"], ["explore", "cache.toml"], ["verify", "cache.toml"],
            ["list", "cache.toml"], ["replay", "cache.toml", "--seed", "0"])  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("profile", ["nominel", "gone.toml", "bad.toml", "."])
def test_a_bad_profile_is_bad_input_to_every_command(harness, tmp_path, command, profile):
    (tmp_path / "bad.toml").write_text("cores = 0\n")
    done = harness(*command, "--profile", profile)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert profile in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("make", "told"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_each_kind_of_bad_profile_ends_with_2_and_the_same_words(harness, tmp_path, make, told):
    make(tmp_path / "zzzzzzzzz.toml")
    done = harness("run", "cache.toml", "--profile", "zzzzzzzzz.toml")
    assert done.exit_code == 2
    assert done.stderr == told.replace("FILE", "zzzzzzzzz.toml") + "\n"


def test_a_run_takes_what_its_profile_says(harness):
    assert harness("run", "cache.toml").exit_code == 0
    slow = harness("run", "cache.toml", "--profile", "slow.toml")
    assert slow.exit_code == 1
    assert "expected get: max up to 500 ms, saw max 1000.000 ms" in slow.stdout
    assert re.search(r"simulated, profile slow.toml@\w{12}, seed 0", slow.stderr)


def test_the_line_that_replays_a_run_has_the_profile_and_its_hash(harness, tmp_path):
    failed = harness("run", "cache.toml", "--profile", "slow.toml").stdout
    (line,) = re.findall(r"replay: harness (replay .*)", failed)
    assert re.search(r"--profile slow.toml@[0-9a-f]{12}$", line)
    assert harness(*line.split()).exit_code == 1
    (tmp_path / "slow.toml").write_text(SLOW.replace("1000", "1001"))
    refused = harness(*line.split())
    assert refused.exit_code == 2
    assert "slow.toml: its hash must be" in refused.stderr


def test_reports_have_the_profile_of_each_run(harness, tmp_path):
    harness("run", "cache.toml", "--profile", "slow.toml", "--node", "both", "--report", "out")
    simulated, live = json.loads((tmp_path / "out/report.json").read_text())["runs"]
    assert simulated["profile"]["name"] == "slow.toml"
    assert live["profile"] is None
    named = f"slow.toml@{simulated['profile']['hash']}"
    for file in ("index.html", "summary.md", "junit.xml"):
        text = (tmp_path / "out" / file).read_text().replace("\\_", "_").replace("\\@", "@")
        assert named in text, file


def test_a_report_of_searches_has_the_profile(harness, tmp_path):
    harness("explore", "cache.toml", "--profile", "slow.toml", "--runs", "5", "--report", "out")
    profile = json.loads((tmp_path / "out/exploration.json").read_text())["profile"]
    assert profile["name"] == "slow.toml"
    assert f"slow.toml@{profile['hash']}" in (tmp_path / "out/index.html").read_text()


def test_a_failure_that_was_found_is_replayed_with_its_profile_alone(harness, tmp_path):
    found = harness("explore", "race.toml", "--profile", "slow.toml", "--runs", "50", "--save")
    assert found.exit_code == 1, found.stdout
    token = re.findall(r"harness replay (mh[23]-\S+)", found.stdout)[0]
    assert harness("replay", token).exit_code == 1
    (tmp_path / "elsewhere.toml").write_text(SLOW)
    assert harness("replay", token, "--profile", "elsewhere.toml").exit_code == 1
    other = harness("replay", token, "--profile", "nominal")
    assert other.exit_code == 2
    assert "token: was found with the profile slow.toml@" in other.stderr
    # What was saved is replayed first by a run, with its own profile, whatever that run has.
    assert "FAILED regressions/race-" in harness("run", "race.toml").stdout
    (tmp_path / "slow.toml").unlink()
    gone = harness("run", "race.toml")
    assert gone.exit_code == 2
    assert "slow.toml: no such file" in gone.stderr


def test_a_search_is_not_gone_on_with_under_another_profile(harness):
    words = ("explore", "race.toml", "--runs", "5", "--resume", "kept")
    assert harness(*words).exit_code in (0, 1)
    other = harness(*words, "--profile", "slow.toml")
    assert other.exit_code == 2
    assert "is of another search: profile was nominal@" in other.stderr


def test_a_search_under_a_profile_is_gone_on_with_under_it_alone(harness):
    words = ("explore", "race.toml", "--runs", "5", "--resume", "kept")
    assert harness(*words, "--profile", "slow.toml").exit_code in (0, 1)
    assert "from the journal" in harness(*words, "--profile", "slow.toml").stderr
    refused = harness(*words)
    assert refused.exit_code == 2
    assert "now nominal@" in refused.stderr


def test_a_profile_is_refused_where_latencies_are_measured(harness):
    done = harness("run", "cache.toml", "--profile", "slow.toml", "--node", "live")
    assert done.exit_code == 2
    assert done.stderr.startswith("--profile: is what simulated latencies are drawn from")


def test_list_tells_the_profile_and_what_rests_on_it(harness):
    told = harness("list", "cache.toml", "--profile", "slow.toml").stdout
    assert re.match(r"profile slow.toml@\w{12}\n  What if a row takes a second\?\n", told)
    assert '\n  executor.call_ms = { kind = "constant", value = 1000 }\n' in told
    assert "latency_ms" not in told, "what is nominal is left out"
    assert told.endswith("of these rest on the profile: latency\n")


def test_list_tells_the_nominal_profile_whole(harness):
    told = harness("list", "cache.toml", "--profile", "nominal").stdout
    assert "\n  cores = 64\n" in told
    assert "\n  latency_ms.store = " in told


def test_list_without_a_profile_is_as_ever(harness):
    assert "profile" not in harness("list", "cache.toml").stdout


def test_both_stand_side_by_side(harness):
    done = harness("run", "cache.toml", "--node", "both")
    assert "harness: 2 runs, simulated and live, seed 0" in done.stderr
    assert re.search(
        r"^ +simulated +live\ncache\n  verdict +passed +passed\n", done.stdout, re.MULTILINE
    )
    assert re.search(r"^  get, longest +[\d.]+ ms +[\d.]+ [mµ]s$", done.stdout, re.MULTILINE)


def test_both_is_as_bad_as_the_worse_of_the_two(harness):
    assert harness("run", "cache.toml", "--node", "both", "--profile", "slow.toml").exit_code == 1


@pytest.mark.parametrize("command", ["explore", "replay"])
def test_both_is_for_runs_alone(harness, command):
    words = ["cache.toml"] + ["--seed", "0"] * (command == "replay")
    done = harness(command, *words, "--node", "both")
    assert done.exit_code == 2
    assert 'got "both"' in done.stderr
