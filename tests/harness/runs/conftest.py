"""A run of a plain class by a scenario's text, simulated, with seed 0."""

from __future__ import annotations

import pytest

from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.plain_service import PlainService


@pytest.fixture
def ran(tmp_path):
    def run(service: type, text: str):
        path = tmp_path / "scenario.toml"
        path.write_text(text, encoding="utf-8")
        return run_scenario(
            read_scenario(path),
            open_backend("simulated", needs_node=False),
            system=PlainService(service),
            system_path="tests:x",
            seed=0,
        )

    return run
