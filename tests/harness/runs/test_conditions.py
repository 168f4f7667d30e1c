"""Conditions of a system are looked at while it runs; those that are none are told before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.errors import BadInput
from harness.miden.adapter.serve_conditions import ServeConditions
from harness.miden.adapter.serve_core import ServeCore
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.simulation import simulate
from harness.systems.plain_service import PlainService
from serve import Serve

SCENARIO = """\
claim = "The gauge is sound."

[[phase]]
name = "one"
[[phase.do]]
id = "turn"
call = "turn"
times = 3

[check]
no_leaks = {{ except = ["later"] }}
{check}
"""


class Gauge:
    conditions = ("level", "alone", "odd", "raising", "settled")

    def __init__(self):
        self.turned = 0
        self.done = False

    async def turn(self):
        self.turned += 1
        await asyncio.sleep(0.5)
        self.turned -= 1
        await asyncio.sleep(0)
        self.later = asyncio.create_task(self._settle(), name="later")

    async def _settle(self):
        await asyncio.sleep(3)
        self.done = True

    def level(self):
        return self.turned < 3 or f"{self.turned} turns at once"

    def alone(self):
        return self.turned < 2 or f"{self.turned} turns at once"

    def odd(self):
        return None

    def raising(self):
        raise LookupError("no gauge")

    def settled(self):
        return self.done


@pytest.fixture
def judged(read_text):
    def run(check, node="simulated", system=Gauge):
        return run_scenario(
            read_text(SCENARIO.format(check=check)),
            open_backend(node, needs_node=False),
            system=system if isinstance(system, PlainService) else PlainService(system),
            system_path="gauge:Gauge",
            seed=0,
        )

    return run


def check_of(result, name):
    return next(one for one in result.checks if one.name == name)


@pytest.mark.parametrize("node", ["simulated", "live"])
def test_a_moment_at_which_an_operation_begins_is_seen(judged, node):
    found = check_of(judged('always = { of = ["alone"] }', node), "always")
    assert found.verdict is Verdict.FAILED
    assert found.seen.endswith("2 turns at once")


def test_a_moment_between_the_begins_and_ends_of_operations_is_seen_when_simulated(judged):
    found = check_of(judged('always = { of = ["level"] }'), "always")
    assert found.verdict is Verdict.FAILED
    assert found.seen == "level did not at 0.000 s: 3 turns at once"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("raising", "raising raised LookupError: no gauge"),
        ("odd", "True, False or a text that says why it does not hold, got None"),
    ],
)
def test_a_condition_that_cannot_tell_fails(judged, name, told):
    found = check_of(judged(f'always = {{ of = ["{name}"] }}'), "always")
    assert found.verdict is Verdict.FAILED
    assert told in found.seen


def test_what_must_hold_at_the_end_has_as_long_as_the_scenario_says(judged):
    early = judged('eventually = { of = ["settled"], within_s = 1 }')
    late = judged('eventually = { of = ["settled"], within_s = 5 }')
    assert check_of(early, "eventually").verdict is Verdict.FAILED
    assert check_of(late, "eventually").verdict is Verdict.PASSED


def test_conditions_change_nothing_of_what_is_run(judged):
    plain = judged("outcomes = {}")
    looked_at = judged('sometimes = { of = ["level"] }')
    assert looked_at.digest == plain.digest


def test_a_condition_that_does_not_exist_is_told_before_the_run(judged):
    with pytest.raises(
        BadInput, match=r'check\.always\.of: the system has no condition "levl"; did'
    ):
        judged('always = { of = ["levl"] }')


class Bare:
    async def turn(self):
        pass


def test_a_system_without_conditions_is_told_where_they_go(judged):
    with pytest.raises(BadInput, match="the system offers no conditions; list their names"):
        judged('sometimes = { of = ["level"] }', system=Bare)


class Awaits(Gauge):
    async def level(self):
        return True


class Asks(Gauge):
    def level(self, how):  # type: ignore[override]
        return True


class Misses(Gauge):
    conditions = ("levl",)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (Awaits, "conditions: level must be a method that is not async"),
        (Asks, "conditions: level must take no arguments"),
        (Misses, "conditions: levl must be a method"),
    ],
)
def test_a_method_that_is_no_condition_is_told(service, told):
    with pytest.raises(BadInput, match=told):
        PlainService(service)


def test_an_attribute_of_that_name_that_lists_nothing_is_left_alone():
    class Weather(Bare):
        conditions = {"sky": "blue"}  # noqa: RUF012 - an attribute as any service may have it

    assert PlainService(Weather).conditions == ()


def test_the_serve_core_lists_its_conditions():
    assert set(ServeCore().conditions) == {
        "one_client_per_directory",
        "no_orphan_slots",
        "clients_within_max",
    }


def test_an_observer_is_called_after_every_pass_until_the_end():
    seen = []

    async def main():
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append("pass")

    def make_loop(**options):
        loop = VirtualLoop(**options)
        loop.observer = lambda: seen.append("look")
        return loop

    simulate(main, seed=0, make_loop=make_loop)
    assert [one for one in seen if one == "pass"] == ["pass"] * 3
    assert "look,pass,look,pass,look,pass,look" in ",".join(seen)


class Orphaned(Serve):
    """Has slots that nothing will empty."""

    slots: tuple[str, ...] = ("localnet_abc#1",)

    def orphan_slots(self):
        return self.slots


def test_a_slot_that_nothing_will_empty_is_told(tmp_path):
    unused: Any = None
    service = Orphaned(tmp_path, unused)
    conditions = ServeConditions(service, unused, clients_max=None)
    ask = conditions.by_name()["no_orphan_slots"]
    assert ask() == "nothing will empty the slot of localnet_abc#1"
    service.slots = ()
    assert ask() is True


class TwoOpen:
    """Tells of two open clients."""

    def open_clients(self):
        return ("one", "two")


@pytest.mark.parametrize(
    ("most", "told"),
    [(None, True), (2, True), (1, "2 clients at once, where 1 may be")],
)
def test_more_clients_than_may_be_are_told(most, told):
    unused: Any = None
    recorder: Any = TwoOpen()
    conditions = ServeConditions(unused, recorder, clients_max=most)
    assert conditions.by_name()["clients_within_max"]() == told
