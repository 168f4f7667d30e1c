"""The line that a failure prints repeats that run, whatever system was asked for."""

from __future__ import annotations

import shlex
import sys

import pytest
from typer.testing import CliRunner

from harness import run_scenario
from harness.cli.app import app
from harness.runs.batch import Batch, read_scenarios, run_batch
from harness.systems.port import DEFAULT_SYSTEM

SYSTEMS = """
import asyncio

class Alike:
    async def list_accounts(self, user: str) -> int:
        await asyncio.sleep(1)
        return 1

class Other(Alike):
    async def list_accounts(self, user: str) -> int:
        return 2
"""
SCENARIO = """
claim = "Nobody ever finds nine accounts."
{system}
users = ["alice"]
[[phase]]
name = "list"
[[phase.do]]
call = "list_accounts"
user = "alice"
[check]
result = {{ of = "list_accounts", path = "", equals = 9 }}
"""
ALIKE, OTHER = "replayed_systems:Alike", "replayed_systems:Other"


class Quiet:
    def start(self, total: int) -> None:
        pass

    def finished(self, result: object) -> None:
        pass


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    """Write a scenario of a system into the current folder; return its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "replayed_systems", raising=False)
    (tmp_path / "replayed_systems.py").write_text(SYSTEMS, encoding="utf-8")

    def scenario(named):
        text = SCENARIO.format(system="" if named is None else f'system = "{named}"')
        (tmp_path / "accounts.toml").write_text(text, encoding="utf-8")
        return tmp_path / "accounts.toml"

    return scenario


def test_a_replay_line_quotes_a_path_with_a_space(scenario):
    path = scenario(ALIKE)
    spaced = path.rename(path.with_name("all accounts.toml"))
    assert shlex.split(run_scenario(spaced).replay)[2] == str(spaced)


@pytest.mark.parametrize("asked", [None, DEFAULT_SYSTEM, ALIKE, OTHER])
@pytest.mark.parametrize("named", [None, DEFAULT_SYSTEM, ALIKE])
def test_a_replay_line_repeats_the_run(scenario, named, asked):
    path = scenario(named)
    batch = Batch(scenarios=read_scenarios([path]), system=asked, seed=3)
    (of_batch,) = run_batch(batch, Quiet()).runs
    found = run_scenario(path, system=asked, seed=3)
    assert found.replay == of_batch.replay
    command, *words = shlex.split(found.replay)
    assert command == "harness"
    assert f"digest {found.digest}" in CliRunner().invoke(app, words).stdout
    # What the file says by itself need not be said again.
    assert ("--system" in words) == (asked not in (None, named or DEFAULT_SYSTEM))
