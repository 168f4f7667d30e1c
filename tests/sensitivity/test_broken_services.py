"""Every check has a service broken on purpose that it catches, and says what is wrong with it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from harness.checks.registry import CHECKS
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from harness.results.runs import RunResult

ROOT = Path(__file__).parents[2]
REGISTRIES = "tests.sensitivity.broken_registries"
SERVICES = "tests.sensitivity.broken_services"
PLAIN = "tests.sensitivity.plain_services"
# Scenarios of other services than serve stand here, each with its sound service.
CLAIMS = Path(__file__).parent / "claims"


class Case(NamedTuple):
    """A service, the scenario that shows what is wrong with it, the check, and the words."""

    system: str
    scenario: str
    check: str
    words: tuple[str, ...] = ()


CASES = (
    # One coarse lock across awaits: seen from every side.
    Case(
        f"{SERVICES}:coarse_lock",
        "slow_create_leaves_list_fast",
        "no_deadlock",
        ("CoarseLock._coarse", "create[alice]", "broken_services.py:"),
    ),
    Case(
        f"{SERVICES}:coarse_lock",
        "concurrent_beats_sequential",
        "speedup",
        (
            "CoarseLock._coarse was held",
            "across `await getattr(Serve, name)(self, *arguments, **key)` at tests/sensitivity/",
            "% of the loss",
            "saw 1.0",
        ),
    ),
    Case(
        f"{SERVICES}:coarse_lock",
        "two_users_create_accounts",
        "no_lock_across_await",
        ("CoarseLock._coarse held for", "`await getattr(Serve, name)(self, *arguments, **key)` at"),
    ),
    Case(f"{SERVICES}:coarse_lock", "eight_users_beat_sequential", "speedup", ("saw 1.0",)),
    Case(f"{SERVICES}:coarse_lock", "two_users_create_accounts", "overlap", ("1 of 2 users",)),
    Case(f"{SERVICES}:coarse_lock", "two_users_create_accounts", "elapsed", ("times",)),
    Case(
        f"{SERVICES}:coarse_lock",
        "twenty_users_create_at_once",
        "peak_in_flight",
        ("a peak of 1 ",),
    ),
    Case(
        f"{SERVICES}:coarse_lock",
        "hanging_spawn_meets_its_deadline",
        "ends_before",
        ("other of bob",),
    ),
    Case(
        f"{REGISTRIES}:one_spawn_at_a_time",
        "hanging_spawn_meets_its_deadline",
        "ends_before",
        ("other of bob",),
    ),
    Case(
        f"{SERVICES}:locks_slow_call",
        "concurrent_beats_sequential",
        "speedup",
        ("_SlowSync._lock was held", ".sync()` at", "explains 100 % of the loss"),
    ),
    # Spawns.
    Case(
        f"{REGISTRIES}:check_then_spawn",
        "same_user_spawns_one_client",
        "single_spawn",
        ("10 spawns for (alice, Localnet)",),
    ),
    Case(
        f"{REGISTRIES}:spawn_then_recheck",
        "same_user_spawns_one_client",
        "single_spawn",
        ("10 spawns for (alice, Localnet)",),
    ),
    Case(
        f"{REGISTRIES}:leader_spawns", "cancelled_leader_harms_nobody", "outcomes", ("cancelled",)
    ),
    Case(f"{REGISTRIES}:leader_spawns", "cancelled_leader_harms_nobody", "success_share"),
    Case(
        f"{REGISTRIES}:failed_spawn_kept", "failed_spawn_is_retried", "outcomes", ("SpawnFailed",)
    ),
    Case(f"{REGISTRIES}:flush_forgets", "flush_during_creation", "outcomes", ("ClientStoreInUse",)),
    Case(
        f"{REGISTRIES}:flush_forgets",
        "flush_during_creation",
        "single_spawn",
        ("two clients at once for (alice, Localnet)",),
    ),
    Case(
        f"{REGISTRIES}:dead_client_kept", "dead_client_is_replaced", "outcomes", ("ClientClosed",)
    ),
    Case(f"{REGISTRIES}:handle_for_each", "same_user_spawns_one_client", "same_result"),
    Case(f"{SERVICES}:no_spawn_deadline", "hanging_spawn_meets_its_deadline", "no_deadlock"),
    # Deadlocks.
    Case(
        f"{SERVICES}:crossed_locks",
        "mixed_orders_stay_apart",
        "no_deadlock",
        ("CrossedLocks._client_lock", "CrossedLocks._row_lock", "held by", "in a cycle"),
    ),
    Case(
        f"{REGISTRIES}:lost_wake_up",
        "same_user_spawns_one_client",
        "no_deadlock",
        ("Condition", "lost wake-up: `", "woke 1 of ", "broken_registries.py:"),
    ),
    Case(
        f"{SERVICES}:crossed_locks_ticking",
        "mixed_orders_stay_apart",
        "no_deadlock",
        ("CrossedLocks", "in a cycle"),
    ),
    # What is left, and what blocks.
    Case(
        f"{SERVICES}:leaves_ticker",
        "two_users_create_accounts",
        "no_leaks",
        ("task ticker, made at tests/sensitivity/broken_services.py:", "create_account_order"),
    ),
    Case(
        f"{SERVICES}:forgets_await",
        "two_users_create_accounts",
        "no_leaks",
        ("ForgetsAwait._tell", "was never awaited at tests/sensitivity/broken_services.py:"),
    ),
    Case(
        f"{SERVICES}:keeps_permit",
        "two_users_create_accounts",
        "no_leaks",
        ("never given back: permit of KeepsPermit._slots was taken at tests/", "by list["),
    ),
    Case(
        f"{SERVICES}:blocks_loop",
        "two_users_create_accounts",
        "no_blocking_calls",
        ("sqlite3.connect(", "sqlite3.execute('create table", "open(", "broken_services.py:"),
    ),
    # Data.
    Case(f"{SERVICES}:id_twice", "two_users_create_accounts", "distinct_results", ("create of",)),
    Case(
        f"{SERVICES}:leaky_listing",
        "twenty_users_create_at_once",
        "sees_exactly_own",
        ("of User0",),
    ),
    Case(
        f"{SERVICES}:loses_rows", "mixed_orders_stay_apart", "sees_exactly_own", ("does not show",)
    ),
    Case(f"{SERVICES}:names_lost", "slow_create_leaves_list_fast", "result", ("InitialUser",)),
    Case(f"{SERVICES}:forgets_desks", "restart_keeps_everything", "result", ("restore",)),
    Case(f"{SERVICES}:doubles_when_busy", "busy_store_is_tried_again", "result", ("alice",)),
    Case(f"{SERVICES}:tail_dies", "lost_caller_keeps_its_account", "result"),
    Case(f"{SERVICES}:never_resumes", "node_unreachable_then_back", "result", ("held",)),
    Case(f"{SERVICES}:leaves_orphans", "two_users_create_accounts", "end_state"),
    Case(
        f"{SERVICES}:busy_beyond_ten", "twenty_users_create_at_once", "success_share", ("10 of 20",)
    ),
    Case(
        f"{SERVICES}:listing_asks_client",
        "slow_create_leaves_list_fast",
        "latency",
        ("list_meanwhile",),
    ),
    # Order.
    Case(
        "tests.sensitivity.broken_clients:status_cuts_in",
        "one_client_takes_turns_in_order",
        "commands_in_turn",
        ("(alice, Localnet): ", "was not done when get_account_status of"),
    ),
    Case(
        f"{PLAIN}:CachedShelf",
        "what_was_put_is_read",
        "linearizable",
        ("read(", "which fits nowhere"),
    ),
    # Conditions.
    Case(
        f"{PLAIN}:HalfTransfers",
        "transfers_keep_the_books",
        "always",
        ("books_balance did not at 0.010 s", "of 200 are there"),
    ),
    Case(
        f"{REGISTRIES}:flush_forgets",
        "flush_during_creation",
        "always",
        ("one_client_per_directory did not at", "two clients at once for alice on Localnet"),
    ),
    Case(
        f"{REGISTRIES}:flush_forgets",
        "flush_meets_a_starting_client",
        "single_spawn",
        ("two clients at once for (alice, Localnet)",),
    ),
    Case(
        f"{PLAIN}:TotalsRaise",
        "transfers_keep_the_books",
        "always",
        ("books_balance raised LookupError: no books",),
    ),
    Case(
        f"{PLAIN}:PendsForEver",
        "transfers_keep_the_books",
        "eventually",
        ("nothing_pending does not at",),
    ),
    Case(
        f"{PLAIN}:OneAtATime",
        "transfers_keep_the_books",
        "sometimes",
        ("two_at_once never held in",),
    ),
)


def path_of(scenario: str) -> Path:
    own = CLAIMS / f"{scenario}.toml"
    return own if own.exists() else ROOT / "scenarios" / f"{scenario}.toml"


@lru_cache(maxsize=100)
def ran(system: str, scenario: str) -> RunResult:
    return run_scenario(
        read_scenario(path_of(scenario)),
        open_backend("simulated", needs_node=False),
        system=load_system(system),
        system_path=system,
        seed=0,
    )


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{one.system.partition(':')[2]}-{one.check}" for one in CASES]
)
def test_broken_service_is_caught(case: Case) -> None:
    result = ran(case.system, case.scenario)
    told = render_result(result)
    failed = {check.name for check in result.checks if check.verdict is Verdict.FAILED}
    assert result.verdict is Verdict.FAILED
    assert case.check in failed, told
    for word in case.words:
        assert word in told


def test_a_cycle_is_found_long_before_the_deadline_though_a_task_ticks() -> None:
    result = ran(f"{SERVICES}:crossed_locks_ticking", "mixed_orders_stay_apart")
    assert result.history is not None
    assert result.history.deadlock is not None
    assert len(result.history.deadlock.cycle) > 1
    last_call_s = max(one.begin_s for one in result.history.operations)
    assert result.history.deadlock.at_s < last_call_s + 5


@pytest.mark.parametrize("scenario", sorted({case.scenario for case in CASES}))
def test_the_sound_service_is_not_accused(scenario: str) -> None:
    result = ran(read_scenario(path_of(scenario)).system or DEFAULT_SYSTEM, scenario)
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_every_check_has_a_service_that_it_catches() -> None:
    assert {case.check for case in CASES} == set(CHECKS)
