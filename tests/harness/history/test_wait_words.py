"""A deadlock's one sentence tells of the wait that it comes from, or follows one task's chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history.records import Blocked, Diagnosis
from harness.history.wait_words import around, describe, waiting

OWN = Blocked(task="main", waits_for="Event e", where="harness/runs/workload.py:9 in f", reason="r")
HELD = Blocked(task="a", waits_for="Lock x", where="a.py:1 in f", holders=("b at b.py:2 in g",))
UNSET = Blocked(task="b", waits_for="Event y", where="b.py:1", reason="nobody left can set it")
CLOSED = Blocked(task="c", waits_for="Event z", where="c.py:1", reason="it was cleared at d.py:1")
LEFT = Blocked(task="d", waits_for="Lock w", where="d.py:1", reason="it was taken at e.py:1 by e")
LOST = Blocked(task="e", waits_for="Condition v", where="e.py:1", reason="lost wake-up: so")


@pytest.mark.parametrize(
    ("cycle", "names"),
    [
        ((), ()),
        (("a",), ("a", "a")),
        (("a", "b"), ("a", "b", "a")),
        (("worker", "worker"), ("worker", "worker", "worker")),
    ],
)
def test_a_cycle_ends_where_it_began(cycle, names):
    assert around(cycle) == names


def stuck(*blocked, cycle=()):
    return Diagnosis(at_s=1.0, blocked=blocked, cycle=cycle)


def test_the_wait_that_misses_something_is_told_before_all_others():
    for missed in (CLOSED, LEFT, LOST, replace(LEFT, reason="2 of its 3 permits were taken, so")):
        told = describe(stuck(OWN, HELD, UNSET, missed))
        assert told == f"{waiting(missed)}; 3 more wait"


def test_else_it_is_one_that_nobody_holds_and_not_the_harness():
    assert describe(stuck(OWN, HELD, UNSET)) == f"{waiting(UNSET)}; 2 more wait"
    assert describe(stuck(OWN, HELD)) == f"{waiting(OWN)}; 1 more wait"
    assert describe(stuck(HELD, OWN)) == f"{waiting(HELD)}, and 1 more wait"
    adapter = replace(UNSET, where="harness/systems/plain_service.py:1 in f")
    assert describe(stuck(HELD, adapter)) == f"{waiting(adapter)}; 1 more wait"


def test_a_cycle_tells_all():
    assert describe(stuck(HELD, LOST, cycle=("a", "b"))) == "in a cycle: a -> b -> a"


def test_of_a_task_the_chain_of_its_holders_is_told():
    assert describe(stuck(OWN, UNSET, HELD), of="a") == f"{waiting(HELD)}; {waiting(UNSET)}"
    back = replace(UNSET, holders=("a at a.py:1 in f",), reason=None)
    assert describe(stuck(HELD, back), of="a") == f"{waiting(HELD)}; {waiting(back)}"
    assert describe(stuck(HELD), of="nobody") == "nobody waits for nothing that is known"


def test_of_many_holders_the_first_are_named():
    many = replace(HELD, holders=tuple("abcdef"))
    assert waiting(many) == "a waits for Lock x at a.py:1 in f, held by a, b, c, d and 2 more"
