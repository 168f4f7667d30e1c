"""Services that are broken on purpose are found on a real node too, each by its check.

Only quick ones: where a break is a deadlock, a live run ends with its deadline of a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from tests.sensitivity.test_broken_services import REGISTRIES, ROOT, SERVICES
from tests.sensitivity.test_invariants import BROKEN, module_of

if TYPE_CHECKING:
    from harness.miden.node.shared_node import SharedNode

# Each system, the scenario, and the check that must find it.
BREAKS = [
    (f"{SERVICES}:coarse_lock", "two_users_create_accounts", "overlap"),
    (f"{REGISTRIES}:spawn_then_recheck", "same_user_spawns_one_client", "single_spawn"),
    *(
        (f"{module_of(one.service)}:{one.service}", one.scenario, one.check)
        for one in BROKEN
        if one.check != "no_deadlock"
    ),
]


@pytest.mark.live
@pytest.mark.parametrize(
    ("system", "scenario", "check"),
    BREAKS,
    ids=[f"{system.partition(':')[2]}-{scenario}" for system, scenario, _ in BREAKS],
)
def test_a_broken_service_is_found_live(
    node: SharedNode, monkeypatch: pytest.MonkeyPatch, system: str, scenario: str, check: str
) -> None:
    del node  # It runs, so that the backend finds it.
    monkeypatch.chdir(ROOT)
    backend = open_backend("live", needs_node=True)
    try:
        result = run_scenario(
            read_scenario(ROOT / "scenarios" / f"{scenario}.toml"),
            backend,
            system=load_system(system),
            system_path=system,
            seed=0,
        )
    finally:
        backend.close()
    failed = {one.name for one in result.checks if one.verdict is Verdict.FAILED}
    assert check in failed, render_result(result)
