"""Each classic break of the service fails those of the six tests that are there to find it."""

from __future__ import annotations

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from tests.sensitivity.test_broken_services import REGISTRIES, ROOT, SERVICES, ran

COARSE = f"{SERVICES}:coarse_lock"
RECHECK = f"{REGISTRIES}:spawn_then_recheck"

# The service, which of the six, its scenario, and the check that must find it.
BREAKS = (
    (COARSE, "T-1", "two_users_create_accounts", "overlap"),
    (COARSE, "T-2", "slow_create_leaves_list_fast", "no_deadlock"),
    (COARSE, "T-4", "twenty_users_create_at_once", "peak_in_flight"),
    (COARSE, "T-4", "twenty_users_create_at_once", "elapsed"),
    (COARSE, "T-5", "concurrent_beats_sequential", "speedup"),
    (COARSE, "T-5", "eight_users_beat_sequential", "speedup"),
    (COARSE, "T-6", "desks_are_read_while_restored", "no_deadlock"),
    (RECHECK, "T-3", "same_user_spawns_one_client", "single_spawn"),
    (RECHECK, "T-3", "two_keys_spawn_two_clients", "single_spawn"),
    (RECHECK, "T-3", "callers_arrive_at_each_gate", "single_spawn"),
    (f"{REGISTRIES}:lost_wake_up", "T-3", "same_user_spawns_one_client", "no_deadlock"),
    (f"{REGISTRIES}:handle_for_each", "T-3", "callers_arrive_at_each_gate", "same_result"),
    (f"{REGISTRIES}:flush_forgets", "T-3", "same_user_spawns_one_client", "single_spawn"),
    (f"{REGISTRIES}:one_spawn_at_a_time", "T-3", "two_keys_spawn_two_clients", "no_deadlock"),
    (f"{SERVICES}:crossed_locks", "T-2", "slow_create_leaves_list_fast", "no_deadlock"),
    (f"{SERVICES}:listing_asks_client", "T-2", "slow_create_leaves_list_fast", "no_deadlock"),
    (f"{SERVICES}:id_twice", "T-4", "twenty_users_create_at_once", "distinct_results"),
    (f"{SERVICES}:leaky_listing", "T-1", "two_users_create_accounts", "sees_exactly_own"),
    (f"{SERVICES}:names_lost", "T-4", "twenty_users_create_at_once", "result"),
    (f"{REGISTRIES}:second_client", "T-5", "one_user_takes_turns", "speedup"),
)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("system", "which", "scenario", "check"),
    BREAKS,
    ids=[f"{system.partition(':')[2]}-{scenario}-{check}" for system, _, scenario, check in BREAKS],
)
def test_a_break_is_found(system: str, which: str, scenario: str, check: str) -> None:
    result = ran(system, scenario)
    failed = {one.name for one in result.checks if one.verdict is Verdict.FAILED}
    assert check in failed, f"{which}: {render_result(result)}"


@pytest.mark.parametrize("scenario", sorted({scenario for _, _, scenario, _ in BREAKS}))
def test_the_sound_service_passes(scenario: str) -> None:
    result = ran("harness.systems.serve_core:serve_core", scenario)
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_each_of_the_six_finds_a_break() -> None:
    assert {which for _, which, _, _ in BREAKS} == {f"T-{number}" for number in range(1, 7)}
