"""Runs of every kind that a report must show: simulated and live, good, bad and unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.results.machine import facts, versions
from harness.results.runs import RunReport
from tests.harness.report.explorations import (  # noqa: F401 - fixtures
    contended_history,
    cycle_history,
    cycle_schedule,
    dined,
    exploration_report,
    failing_schedule,
    found,
    hostile_exploration,
    hostile_schedule,
    large_schedule,
    nasty,
    passing_schedule,
    proven,
    refused,
    sold_twice,
)
from tests.harness.report.real_runs import HERE, real_regression, real_run, with_each_text

SPAWNS = "scenarios/same_user_spawns_one_client.toml"
OFFICE = "tests/scenarios/ticket_office/seats_are_sold_once.toml"


@pytest.fixture(scope="session")
def passed_run():
    """Ten callers and three more share a spawn."""
    return real_run(SPAWNS)


@pytest.fixture(scope="session")
def failed_run():
    """The same with a service that spawns for each: two checks fail, and two cannot tell."""
    return real_run(SPAWNS, seed=7, system="tests.sensitivity.broken_registries:check_then_spawn")


@pytest.fixture(scope="session")
def locked_run():
    """A lock across an await: one check fails, with a reason."""
    return real_run("stall", seed=7, system=f"{HERE}:OneStall")


@pytest.fixture(scope="session")
def parked_run():
    """Operations that were parked, raised and cancelled, with and without a user; two faults."""
    return real_run("overlap")


@pytest.fixture(scope="session")
def unreachable(parked_run):
    """The operation that raised, as its step expects."""
    (operation,) = (one for one in parked_run.history.operations if one.step == "sync")
    return operation


@pytest.fixture(scope="session")
def deadlocked_run():
    """Two tasks that wait for each other, and a third that waits for them."""
    return real_run(OFFICE, system="tests.scenarios.ticket_office.office:CrossedRows")


@pytest.fixture(scope="session")
def timed_run():
    return real_run("stall")


@pytest.fixture(scope="session")
def live_run():
    """Seven timings of each pacing, one of which does not count, since an order of it failed."""
    return real_run("stall", node="live", system=f"{HERE}:LosingStall")


@pytest.fixture(scope="session")
def unreached_run():
    """The service ended the interpreter."""
    return real_run("left", node="live")


@pytest.fixture(scope="session")
def untold_run():
    """Its only check finds nothing to compare."""
    return real_run("untold")


@pytest.fixture(scope="session")
def regression_run():
    return real_regression(SPAWNS)


@pytest.fixture(scope="session")
def rich_report(request):
    names = ("passed", "timed", "parked", "failed", "deadlocked", "live", "unreached", "untold")
    return RunReport(
        runs=tuple(request.getfixturevalue(f"{name}_run") for name in names),
        versions=versions(),
        machine=facts(),
        started_at="2026-11-22T23:40:00+00:00",
    )


@pytest.fixture(scope="session")
def hostile_report(parked_run, deadlocked_run, locked_run, nasty):  # noqa: F811 - a fixture
    """A run of all kinds of records, every text of which tries to break out of its format."""
    deadlock = deadlocked_run.history.deadlock
    history = replace(
        parked_run.history,
        lock_waits=deadlocked_run.history.lock_waits,
        lock_holds=deadlocked_run.history.lock_holds,
        measurements=locked_run.history.measurements,
        # Only a live stall has attachments, and takes minutes to be one.
        deadlock=replace(deadlock, attachments=(("tasks.txt", "a stack"),)),
    )
    check = next(one for one in deadlocked_run.checks if one.why and one.involved)
    run = replace(deadlocked_run, checks=(check,), history=history)
    report = RunReport(runs=(run,), versions=versions(), machine=facts(), started_at="now")
    return with_each_text(report, nasty)


@pytest.fixture(scope="session")
def hostile_run(hostile_report):
    return hostile_report.runs[0]
