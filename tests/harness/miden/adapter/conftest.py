"""Runs of scenarios for ann and ben, simulated with seed 1."""

from __future__ import annotations

import pytest

from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from harness.systems.plain_service import PlainService


@pytest.fixture
def run(tmp_path):
    def make(text, service=None):
        path = tmp_path / "points.toml"
        path.write_text('claim = "A point is one."\nusers = ["ann", "ben"]\n' + text)
        scenario = read_scenario(path)
        system = (
            PlainService(service)
            if service
            else load_system("harness.systems.serve_core:serve_core")
        )
        backend = open_backend("simulated", needs_node=True)
        return run_scenario(scenario, backend, system=system, system_path="x:y", seed=1)

    return make
