"""Schedules and explorations of real searches: found, proven, not to be run, large, and hostile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.results.explorations import ExplorationReport
from harness.results.machine import facts, versions
from tests.harness.report.real_runs import real_crowd, real_run, real_search, with_each_text


@pytest.fixture(scope="session")
def found():
    """A ticket that is sold twice, and, adversarial only, diners who wait in a cycle."""
    return real_search("fair", runs=200)


@pytest.fixture(scope="session")
def sold_twice(found):
    (failure,) = (one for one in found.failures if one.diagnosis is None)
    return failure


@pytest.fixture(scope="session")
def dined(found):
    (failure,) = (one for one in found.failures if one.diagnosis is not None)
    return failure


@pytest.fixture(scope="session")
def passing_schedule(sold_twice):
    return sold_twice.passing


@pytest.fixture(scope="session")
def failing_schedule(sold_twice):
    """Three buyers and an executor that is ahead of its time."""
    return sold_twice.schedule


@pytest.fixture(scope="session")
def cycle_schedule(dined):
    return dined.schedule


@pytest.fixture(scope="session")
def large_schedule():
    """Forty lanes, about 3,000 steps, 25 deviations."""
    # The recorder drops steps only beyond the first 20,000.
    return replace(real_crowd(25), dropped=12)


@pytest.fixture(scope="session")
def contended_history():
    return real_run("counter").history


@pytest.fixture(scope="session")
def cycle_history(dined):
    return dined.history


@pytest.fixture(scope="session")
def proven():
    return real_search("two_buyers", runs=500, strategy="exhaustive", adversarial=False)


@pytest.fixture(scope="session")
def refused():
    """The service asks for what a simulation has not."""
    return real_search("calls_out", runs=5)


@pytest.fixture(scope="session")
def exploration_report(proven, found, refused):
    return ExplorationReport(
        explorations=(proven, found, refused),
        versions=versions(),
        machine=facts(),
        started_at="2026-11-24T10:00:00+00:00",
    )


@pytest.fixture(scope="session")
def nasty():
    text = (
        "</script><img src=x onerror=alert(1)>&\"'`| \x00\x1b[31m\ud800\u202e ]]> {{ 71*73 }} ```"
    )
    return text + "\n# x 漢字 " + "long" * 200


@pytest.fixture(scope="session")
def hostile_schedule(hostile_exploration):
    return hostile_exploration.failures[0].schedule


@pytest.fixture(scope="session")
def hostile_exploration(nasty, found, dined):
    """The search that found a cycle, every text of which tries to break out of its format."""
    return with_each_text(replace(found, failures=(dined,)), nasty)
