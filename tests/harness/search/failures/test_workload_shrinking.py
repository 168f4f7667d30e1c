"""Workload shrinking: what a failure does not need goes, and what is left hangs together."""

from __future__ import annotations

import textwrap

import pytest

from harness.scenario.reading import read_scenario
from harness.search.failures.workload_shrinking import reduced, shrink_workload

TEXT = """
    claim = "Many do much."
    users = ["ann", "bob", "cho", "dan"]
    [[phase]]
    name = "make"
    [[phase.do]]
    id = "create"
    call = "create"
    user = "each"
    times = 8
    park = { at = "spawn.before", until = "list" }
    [[phase.do]]
    id = "list"
    call = "list"
    user = "bob"
    [[phase.do]]
    id = "late"
    call = "list"
    user = "cho"
    start = { after = "list" }
    [[phase]]
    name = "look"
    [[phase.do]]
    id = "look"
    call = "list"
    user = "each"
    [check]
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "many.toml"
    path.write_text(textwrap.dedent(TEXT), encoding="utf-8")
    return read_scenario(path)


def shape(scenario):
    return (
        [user.name for user in scenario.users],
        {step.name: step.times for phase in scenario.phase for step in phase.do},
    )


def test_only_what_the_failure_needs_is_left(scenario):
    def fails(dropped):
        users, steps = shape(reduced(scenario, dropped))
        return "bob" in users and steps.get("create", 0) >= 2

    dropped, runs = shrink_workload(scenario, fails)
    assert shape(reduced(scenario, dropped)) == (["bob"], {"create": 2, "list": 1})
    assert runs <= 20


def test_a_step_that_another_waits_for_stays_with_it(scenario):
    asked = []

    def fails(dropped):
        asked.append(shape(reduced(scenario, dropped))[1])
        return "late" in asked[-1] or "create" in asked[-1]

    shrink_workload(scenario, fails)
    assert asked
    assert all("list" in steps for steps in asked if {"late", "create"} & steps.keys())


def test_a_step_of_a_user_who_is_gone_goes_too(scenario):
    _, steps = shape(reduced(scenario, ("user cho",)))
    assert "late" not in steps
    assert "look" in steps


def test_something_is_always_left(scenario):
    def fails(dropped):
        assert shape(reduced(scenario, dropped))[1]
        return True

    dropped, _ = shrink_workload(scenario, fails)
    users, steps = shape(reduced(scenario, dropped))
    assert len(users) == 1
    assert steps


def test_when_nothing_can_go_nothing_does(scenario):
    dropped, runs = shrink_workload(scenario, lambda _: False, runs_max=7)
    assert dropped == ()
    assert runs == 7
    assert reduced(scenario, dropped) == scenario
