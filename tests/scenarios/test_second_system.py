"""Another asyncio service, which knows nothing of the harness, is put under it untouched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "tests/scenarios/ticket_office/seats_are_sold_once.toml"
OFFICE = "tests.scenarios.ticket_office.office"


def run(system: str, *, node: str = "simulated", seed: int = 0):
    return run_scenario(
        read_scenario(SCENARIO),
        open_backend(node, needs_node=False),
        system=load_system(f"{OFFICE}:{system}"),
        system_path=f"{OFFICE}:{system}",
        seed=seed,
    )


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("seed", range(20))
def test_the_sound_office_passes(seed):
    result = run("TicketOffice", seed=seed)
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_the_same_office_passes_on_the_real_clock():
    result = run("TicketOffice", node="live")
    assert result.verdict is Verdict.PASSED, render_result(result)
    assert result.digest is None


def test_a_live_run_without_a_node_needs_no_docker():
    code = (
        "import sys; sys.modules['docker'] = sys.modules['testcontainers'] = None;"
        "from harness.cli.app import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--node", "live", str(SCENARIO)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("node", ["simulated", "live"])
def test_a_double_booking_is_caught(node):
    result = run("DoubleBooking", node=node)
    failed = {check.name for check in result.checks if check.verdict is Verdict.FAILED}
    assert {"distinct_results", "end_state"} <= failed, render_result(result)


@pytest.mark.parametrize("node", ["simulated", "live"])
def test_rows_locked_crosswise_are_caught_with_both_names(node):
    told = render_result(run("CrossedRows", node=node))
    assert "no_deadlock" in told
    assert "CrossedRows._locks[1]" in told
    assert "CrossedRows._locks[2]" in told
    assert "swap[guest-0]" in told
    assert "office.py:" in told
