"""Reports to compare: of real runs, as they are stored, and what a test changes in them."""

from __future__ import annotations

import copy
import json

import pytest

from harness.report.comparing.reports import compared_reports
from harness.report.comparing.stored import report_in
from harness.report.formats.run_json import run_json
from harness.results.runs import RunReport
from tests.harness.report.real_runs import real_run

SPAWNS = "scenarios/same_user_spawns_one_client.toml"
FASTER = "scenarios/concurrent_beats_sequential.toml"
MACHINE = {"cores": "2", "processor": "one of some kind", "memory_gib": "8.0"}


@pytest.fixture(scope="session")
def document():
    """A report of two scenarios, one of them with two seeds, as it is stored."""
    runs = (real_run(SPAWNS, seed=0), real_run(SPAWNS, seed=1), real_run(FASTER, seed=0))
    report = RunReport(runs=runs, versions={"python": "CPython 3.11.0"}, machine=MACHINE)
    return json.loads(run_json(report))


@pytest.fixture
def changed(document):
    """Return a copy of the report, changed by a function."""

    def change(by):
        other = copy.deepcopy(document)
        by(other)
        return other

    return change


@pytest.fixture
def against(document):
    """Compare the report with another one, or one report with another."""

    def compare(new, old=document):
        before = report_in(old, where="before", file="before")
        return compared_reports(before, report_in(new, where="after", file="after"))

    return compare


def live(document, *, ratio=2.0, width=0.1, runs=1, slower=1.0, cores="2"):
    """Make live runs of the report's last one, with a speed-up and its interval in each."""
    (one,) = [run for run in document["runs"] if run["figures"]["speedups"]]
    found = []
    for number in range(runs):
        other = copy.deepcopy(one)
        other.update(node="live", seed=number, digest=None, virtual_s=None)
        # Runs scatter by a percent.
        factor = slower * (1 + 0.01 * (number % 3 - 1))
        (speedup,) = other["figures"]["speedups"]
        speedup.update(ratio=ratio / factor, low=ratio - width, high=ratio + width)
        for latency in other["figures"]["latencies"]:
            latency.update(p50_s=0.1 * factor, p95_s=None, p99_s=None, max_s=0.2 * factor)
        found.append(other)
    machine = {**document["machine"], "cores": cores}
    return {**copy.deepcopy(document), "runs": found, "machine": machine}
