"""The check that a client carries out its commands one at a time, in the order of their arrival."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.registry import CHECKS
from harness.history.records import TimesSpent
from harness.results.verdict import Verdict
from tests.harness.checks.conftest import Maker

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def turn(make, begin_s, queued_s, service_s, *, late_s=0.0, **others):
    """Make a command that came at ``begin_s``; its answer was ``late_s`` on its way."""
    times = TimesSpent(queued_s=queued_s, service_s=service_s)
    end_s = begin_s + queued_s + service_s + late_s
    return make.command(begin_s=begin_s, end_s=end_s, times=times, **others)


@pytest.mark.parametrize(
    ("turns", "verdict"),
    [
        ([(0, 0, 1), (0.2, 0.8, 1), (0.4, 1.6, 1)], PASSED),
        # The third went before the second.
        ([(0, 0, 1), (0.2, 1.8, 1), (0.4, 0.6, 1)], FAILED),
        # The second did not wait for the first; the third did.
        ([(0, 0, 1), (0.2, 0, 1), (0.4, 1.6, 1)], FAILED),
        # Nobody waited, so nobody could have gone out of turn.
        ([(0, 0, 1), (2, 0, 1)], UNKNOWN),
        ([], UNKNOWN),
        # An overlap and a lead under the tolerance.
        ([(0, 0, 1), (0.2, 0.7995, 1)], PASSED),
        ([(0, 0, 1), (0.2, 1.8, 1), (0.2005, 0.7995, 1)], PASSED),
    ],
)
def test_turns(judge, make, turns, verdict):
    assert judge("commands_in_turn", [turn(make, *one) for one in turns]).verdict is verdict


@pytest.mark.parametrize(("late_s", "verdict"), [(0.0, FAILED), (0.5, FAILED), (2.0, PASSED)])
def test_only_what_is_certain_counts(judge, make, late_s, verdict):
    """What waited on its way may have worked earlier or later than it seems."""
    entries = [
        turn(make, 0, 0, 1, late_s=late_s),
        turn(make, 0.2, 0, 1),
        turn(make, 0.4, 1.6, 1),
    ]
    assert judge("commands_in_turn", entries).verdict is verdict


@pytest.mark.parametrize(
    ("parameters", "verdict"),
    [
        ({}, PASSED),
        ({"per": ["network"]}, FAILED),
        ({"only": {"user": "alice"}, "waited_at_least": 2}, UNKNOWN),
        ({"only": {"user": "carol"}}, UNKNOWN),
        ({"waited_at_least": 1}, PASSED),
    ],
)
def test_each_key_has_turns_of_its_own(judge, make, parameters, verdict):
    entries = [
        turn(make, begin_s, queued_s, 1, user=user)
        for user in ("alice", "bob")
        for begin_s, queued_s in ((0, 0), (0.5, 0.5))
    ]
    assert judge("commands_in_turn", entries, **parameters).verdict is verdict


def test_two_clients_of_one_key_take_turns_too(judge, make):
    entries = [turn(make, 0, 0, 1, client=0), turn(make, 0.5, 0.1, 1, client=1)]
    found = judge("commands_in_turn", entries)
    assert found.verdict is FAILED
    assert found.seen.startswith("(alice, Localnet): sync of 0.000 s (client 0, t0) was not done")


def test_commands_without_times_are_passed_over(judge, make):
    entries = [make.command(begin_s=0.0, end_s=9.0), turn(make, 0, 0, 1), turn(make, 0.5, 0.5, 1)]
    assert judge("commands_in_turn", entries).verdict is PASSED


def test_faults_may_keep_commands_away_but_not_out_of_turn(make):
    kind = CHECKS["commands_in_turn"]
    asked = kind.under_faults(kind.parameters.model_validate({}), 30.0)
    assert kind.check(make.history(turn(make, 0, 0, 1)), asked).verdict is PASSED
    broken = [turn(make, 0, 0, 1), turn(make, 0.5, 0, 1)]
    assert kind.check(make.history(*broken), asked).verdict is FAILED


@settings(max_examples=200, deadline=None)
@given(
    jobs=st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(0, 5)), min_size=2, max_size=12
    )
)
def test_a_queue_is_never_accused(jobs):
    """Whatever comes when, and however late answers are: who takes turns takes turns."""
    make, free_at, entries = Maker(), 0, []
    for begin, service, late in sorted(jobs):
        start = max(free_at, begin)
        entries.append(turn(make, begin, start - begin, service, late_s=late))
        free_at = start + service
    kind = CHECKS["commands_in_turn"]
    found = kind.check(make.history(*entries), kind.parameters.model_validate({}))
    assert found.verdict in (PASSED, UNKNOWN), found
