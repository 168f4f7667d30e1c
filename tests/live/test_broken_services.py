"""The services that are broken as the original was are found on a real node, each by its check.

Only quick ones: where a break is a deadlock, a live run ends with its deadline of a minute.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system

if TYPE_CHECKING:
    from harness.miden.node.shared_node import SharedNode

ROOT = Path(__file__).parents[2]


@pytest.mark.live
@pytest.mark.parametrize(
    ("system", "scenario", "check"),
    [
        ("broken_services:coarse_lock", "two_users_create_accounts", "overlap"),
        ("broken_registries:spawn_then_recheck", "same_user_spawns_one_client", "single_spawn"),
        ("broken_clients:status_cuts_in", "one_client_takes_turns_in_order", "commands_in_turn"),
        ("broken_invariants:notes_readings", "many_tasks_on_one_file", "outcomes"),
        ("broken_invariants:no_time_to_end", "close_lets_work_under_way_end", "outcomes"),
    ],
)
def test_a_broken_service_is_found_live(
    node: SharedNode, monkeypatch: pytest.MonkeyPatch, system: str, scenario: str, check: str
) -> None:
    del node  # It runs, so that the backend finds it.
    monkeypatch.chdir(ROOT)
    path = f"tests.sensitivity.{system}"
    backend = open_backend("live", needs_node=True)
    try:
        result = run_scenario(
            read_scenario(ROOT / "scenarios" / f"{scenario}.toml"),
            backend,
            system=load_system(path),
            system_path=path,
            seed=0,
        )
    finally:
        backend.close()
    failed = {one.name for one in result.checks if one.verdict is Verdict.FAILED}
    assert check in failed, render_result(result)
