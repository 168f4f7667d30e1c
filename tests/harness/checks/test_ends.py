"""The checks that every run is asked: all ends, as expected, and leaves a sound state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.checks.registry import ALWAYS_ON, CHECKS
from harness.history.ends import as_expected
from harness.history.records import Blocked, Diagnosis, ErrorRecord, LockHold, Outcome
from harness.results.verdict import Verdict

RING = Diagnosis(
    at_s=2.0,
    blocked=(Blocked(task="a", waits_for="Lock", where="x.py:1", holders=("b",)),) * 2,
    cycle=("a", "b"),
)


@pytest.mark.parametrize("name", CHECKS)
def test_no_check_passes_where_nothing_happened(judge, make, name):
    required: dict[str, dict[str, Any]] = {
        "same_result": {"of": "make"},
        "sees_exactly_own": {"creations": ["make"], "listing": "list"},
        "ends_before": {"first": "list", "then": "make"},
        "overlap": {"commands": ["sync"]},
        "peak_in_flight": {"command": "sync", "at_least": 2},
        "speedup": {"phase": "one", "above": 1.3},
        "elapsed": {"phase": "one", "at_most": 1, "times": "two"},
        "latency": {"of": "make", "max_ms": 1},
        "result": {"of": "make", "count": 0},
        "always": {"of": ["sound"]},
        "eventually": {"of": ["sound"]},
        "sometimes": {"of": ["sound"]},
        "linearizable": {"model": "register", "read": {"call": "make"}},
    }
    found = judge(name, **required.get(name, {}))
    assert found.verdict is Verdict.UNKNOWN
    assert found.name == name
    assert found.seen


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in ALWAYS_ON])
def test_no_check_passes_where_everything_failed(judge, make, name):
    required: dict[str, dict[str, Any]] = {
        "single_spawn": {},
        "same_result": {"of": "make"},
        "distinct_results": {},
        "sees_exactly_own": {"creations": ["make"], "listing": "list"},
        "ends_before": {"first": "list", "then": "make"},
        "overlap": {"commands": ["sync"]},
        "peak_in_flight": {"command": "sync", "at_least": 2},
        "commands_in_turn": {},
        "success_share": {"at_least": 0.01},
        "speedup": {"phase": "one", "above": 1.3},
        "elapsed": {"phase": "one", "at_most": 9, "times": "two"},
        "always": {"of": ["sound"]},
        "eventually": {"of": ["sound"]},
        "sometimes": {"of": ["sound"]},
        "linearizable": {"model": "register", "read": {"call": "make"}},
        "latency": {"of": "make", "max_ms": 10_000},
        "result": {"of": "make", "count": 0},
        "no_lock_across_await": {},
        "no_blocking_calls": {},
    }
    entries = [
        *(make.op(user=user, raised="SpawnFailed") for user in ("alice", "bob") for _ in range(2)),
        make.op("make", phase="two", raised="SpawnFailed"),
        make.op("list", 0.1, 0.2, raised="SpawnFailed"),
        *(make.spawn(user, ready_s=None, exit_s=1.0) for user in ("alice", "bob")),
        *(make.command(user, outcome=Outcome.RAISED) for user in ("alice", "bob")),
        make.timing("sequential", 2.0, succeeded=0, failed=2),
        make.timing("together", 1.0, succeeded=0, failed=2),
    ]
    assert judge(name, entries, **required[name]).verdict is not Verdict.PASSED


def test_operations_that_all_end_in_time_are_no_deadlock(judge, make):
    assert judge("no_deadlock", [make.op()], within_s=1).verdict is Verdict.PASSED


@pytest.mark.parametrize("end_s", [None, 1.5])
def test_an_operation_that_does_not_end_in_time_fails(judge, make, end_s):
    found = judge("no_deadlock", [make.op(), make.op(end_s=end_s)], within_s=1)
    assert found.verdict is Verdict.FAILED
    assert found.expected == "every operation to end within 1 s"
    assert found.seen == "1 of 2 unfinished or late"
    assert found.involved == ("make of alice (t1)",)


def test_a_deadlock_fails_though_all_operations_ended(judge, make):
    history = make.history(make.op(), deadlock=RING)
    found = judge("no_deadlock", history=history)
    assert found.verdict is Verdict.FAILED
    assert found.seen == "0 of 1 unfinished or late, a deadlock at 2.000 s"
    assert found.why == "in a cycle: a -> b -> a"


def test_a_deadline_without_a_cycle_is_called_no_deadlock(judge, make):
    history = make.history(make.op(), deadlock=replace(RING, cycle=(), exact=False))
    found = judge("no_deadlock", history=history)
    assert found.seen == "0 of 1 unfinished or late, given up at 2.000 s"


@pytest.mark.parametrize(
    ("expected", "outcome", "error", "right"),
    [
        ("success", Outcome.RETURNED, None, True),
        ("success", Outcome.RAISED, "SpawnFailed", False),
        ("success", Outcome.CANCELLED, None, False),
        ("success", Outcome.UNFINISHED, None, False),
        ("any", Outcome.RETURNED, None, True),
        ("any", Outcome.RAISED, "SpawnFailed", True),
        ("any", Outcome.CANCELLED, None, False),
        ("any", Outcome.UNFINISHED, None, False),
        ("cancelled", Outcome.CANCELLED, None, True),
        ("cancelled", Outcome.RETURNED, None, False),
        ("SpawnFailed", Outcome.RAISED, "SpawnFailed", True),
        ("ClientFailed", Outcome.RAISED, "SpawnFailed", True),
        ("NodeUnreachable", Outcome.RAISED, "SpawnFailed", False),
        ("SpawnFailed", Outcome.RETURNED, None, False),
        ("SpawnFailed", Outcome.UNFINISHED, None, False),
    ],
)
def test_an_end_is_compared_with_what_the_step_expects(make, expected, outcome, error, right):
    record = ErrorRecord(type=error, message="no", bases=("ClientFailed",)) if error else None
    one = make.op(outcome=outcome, error=record, expected_error=expected)
    assert as_expected(one) is right


def test_an_unexpected_end_is_told_with_its_causes(judge, make):
    error = ErrorRecord(type="SpawnFailed", message="no", chain=("OSError: disk full",))
    wrong = make.op(outcome=Outcome.RAISED, error=error)
    found = judge("outcomes", [wrong, make.op()])
    assert found.verdict is Verdict.FAILED
    assert found.seen == "1 of 2 did"
    told = "raised SpawnFailed: no <- OSError: disk full"
    assert found.involved == (f"make of alice (t0): expected success, {told}",)
    assert found.why == told


def test_expected_ends_pass(judge, make):
    entries = [make.op(), make.op(raised="SpawnFailed", expected_error="SpawnFailed")]
    assert judge("outcomes", entries).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("audit", "verdict"),
    [(None, Verdict.UNKNOWN), ((), Verdict.PASSED), (("a row too many",), Verdict.FAILED)],
)
def test_the_systems_own_audit_decides_the_end_state(judge, make, audit, verdict):
    found = judge("end_state", history=make.history(make.op(), audit=audit))
    assert found.verdict is verdict
    assert found.involved == (audit or ())


def test_many_are_named_in_few_words(judge, make):
    found = judge("no_deadlock", [make.op(end_s=None) for _ in range(20)])
    assert len(found.involved) == 9
    assert found.involved[-1] == "and 12 more"


def test_the_longest_hold_of_a_lock_is_the_reason(judge, make):
    holds = (
        LockHold(lock="Serve._short", task="t", begin_s=0, end_s=20, where="s.py:1"),
        LockHold(lock="Serve._lock", task="t9", begin_s=10, end_s=None, where="s.py:88"),
    )
    slow = make.history(make.op(end_s=9.0), lock_holds=holds)
    found = judge("latency", history=slow, of="make", max_ms=1)
    assert found.why == "Serve._lock was held for 90.000 s of 100.000 s by t9, taken at s.py:88"


def test_a_hold_of_no_length_is_no_reason(judge, make):
    holds = (LockHold(lock="x", task="t", begin_s=0, end_s=1, where="s.py:1", across="s.py:2"),)
    found = judge("latency", history=make.history(make.op(), lock_holds=holds), of="make", max_ms=1)
    assert found.why is None
