"""Each invariant that applies has a service that breaks it, and a scenario whose check finds it."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.systems.port import DEFAULT_SYSTEM
from tests.sensitivity.test_broken_services import ROOT, ran

DOCUMENT = ROOT / "docs" / "invariants.md"
ROW = re.compile(r"^\| (I-\d\d) \|(.*)\|$", re.MULTILINE)
NOT_YET = ("I-06", "I-11", "I-13", "I-15", "I-16", "I-29", "I-33")
MODULES = "broken_services", "broken_registries", "broken_invariants", "broken_clients"


class Broken(NamedTuple):
    """An invariant, a service that breaks it, and the scenario and the check that find it."""

    invariant: str
    service: str
    scenario: str
    check: str


BROKEN = (
    Broken("I-01", "check_then_spawn", "mixed_callers_share_one_start", "single_spawn"),
    Broken("I-02", "one_spawn_a_user", "two_keys_spawn_two_clients", "no_deadlock"),
    Broken("I-03", "coarse_lock", "slow_work_leaves_the_rest_fast", "no_deadlock"),
    Broken("I-04", "status_cuts_in", "one_client_takes_turns_in_order", "commands_in_turn"),
    Broken("I-05", "status_in_turn", "slow_create_leaves_list_fast", "no_deadlock"),
    Broken("I-07", "first_report", "desk_that_cannot_be_restored_heals", "result"),
    Broken("I-08", "desks_open_clients", "desks_share_their_owners_client", "single_spawn"),
    Broken("I-09", "restores_anew", "desks_share_their_owners_client", "same_result"),
    Broken("I-10", "id_twice", "twenty_users_create_at_once", "distinct_results"),
    Broken("I-12", "rewrites_assets", "faucets_keep_their_assets", "result"),
    Broken("I-14", "doubles_when_busy", "busy_store_is_tried_again", "result"),
    Broken("I-17", "flush_forgets", "flush_lets_work_under_way_end", "single_spawn"),
    Broken("I-18", "flush_forgets", "flush_meets_a_starting_client", "single_spawn"),
    Broken("I-19", "no_time_to_end", "close_lets_work_under_way_end", "outcomes"),
    Broken("I-20", "dead_client_kept", "dead_client_is_replaced", "outcomes"),
    Broken("I-21", "check_then_spawn", "failed_spawn_is_retried", "single_spawn"),
    Broken("I-22", "failed_spawn_kept", "callers_meet_a_failing_start", "success_share"),
    Broken("I-23", "leader_spawns", "cancelled_leader_at_each_gate", "outcomes"),
    Broken("I-24", "tail_dies", "lost_caller_keeps_its_account", "result"),
    Broken("I-25", "no_command_deadline", "hanging_client_is_replaced", "no_deadlock"),
    Broken("I-26", "never_resumes", "node_unreachable_then_back", "result"),
    Broken("I-27", "ranks_orders", "twenty_users_do_anything", "end_state"),
    Broken("I-28", "stale_listing", "mixed_orders_stay_apart", "sees_exactly_own"),
    Broken("I-30", "blocks_loop", "twenty_users_create_at_once", "no_blocking_calls"),
    Broken("I-31", "waits_for_room", "full_client_says_so", "no_deadlock"),
    Broken("I-31", "unbounded_clients", "few_clients_serve_many", "always"),
    Broken("I-32", "few_slots", "one_busy_user_delays_nobody", "ends_before"),
    Broken("I-34", "notes_readings", "many_tasks_on_one_file", "outcomes"),
    Broken("I-35", "shares_storage", "second_serve_is_refused", "result"),
)


def module_of(service: str) -> str:
    for name in MODULES:
        module = f"tests.sensitivity.{name}"
        if f"\n{service} = " in (ROOT / f"{module.replace('.', '/')}.py").read_text():
            return module
    raise LookupError(service)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("broken", BROKEN, ids=[f"{one[0]}-{one[1]}" for one in BROKEN])
def test_an_invariant_that_is_broken_is_found_broken(broken: Broken) -> None:
    result = ran(f"{module_of(broken.service)}:{broken.service}", broken.scenario)
    failed = {check.name for check in result.checks if check.verdict is Verdict.FAILED}
    assert broken.check in failed, render_result(result)


@pytest.mark.parametrize("scenario", sorted({broken.scenario for broken in BROKEN}))
def test_the_sound_service_keeps_it(scenario: str) -> None:
    result = ran(DEFAULT_SYSTEM, scenario)
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_the_document_has_a_row_for_each_invariant() -> None:
    assert sorted(number for number, _ in ROW.findall(DOCUMENT.read_text())) == [
        f"I-{number:02}" for number in range(1, 36)
    ]


def test_what_applies_is_held_by_what_the_document_names() -> None:
    rows = dict(ROW.findall(DOCUMENT.read_text()))
    assert {broken.invariant for broken in BROKEN} == rows.keys() - set(NOT_YET)
    assert len(rows) - len(NOT_YET) == 28
    for broken in BROKEN:
        for name in (broken.service, broken.scenario, broken.check):
            assert f"`{name}`" in rows[broken.invariant], broken


def test_the_document_names_no_scenario_that_is_not_there() -> None:
    names = set(re.findall(r"`([a-z0-9_]+)`", DOCUMENT.read_text()))
    scenarios = {path.stem for path in (ROOT / "scenarios").glob("*.toml")}
    services = {broken.service for broken in BROKEN}
    checks = {broken.check for broken in BROKEN}
    unknown = {name for name in names - scenarios - services - checks if name.count("_") > 1}
    assert not unknown
