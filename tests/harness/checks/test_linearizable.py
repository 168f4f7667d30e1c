"""The check that calls happened one after another: what counts as a call, and what is told."""

from __future__ import annotations

import pytest

from harness.history.records import Outcome
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN

MAP = {
    "model": "map",
    "write": {"call": "put", "key": "key", "value": "value"},
    "read": {"call": "get", "key": "key", "nothing": ["KeyError"]},
    "delete": {"call": "drop", "key": "key", "result": "", "no_effect": ["Refused"]},
}


@pytest.fixture
def put(make):
    return lambda begin_s, end_s, value, key="x", **others: make.op(
        "put", begin_s, end_s, arguments={"key": key, "value": value}, **others
    )


@pytest.fixture
def get(make):
    return lambda begin_s, end_s, value=None, key="x", **others: make.op(
        "get", begin_s, end_s, arguments={"key": key}, value=value, **others
    )


@pytest.fixture
def drop(make):
    return lambda begin_s, end_s, value=None, **others: make.op(
        "drop", begin_s, end_s, arguments={"key": "x"}, value=value, **others
    )


def test_a_read_may_see_a_write_that_is_under_way_but_not_miss_one_that_ended(judge, put, get):
    write = put(0, 5, {"a": 1})
    assert judge("linearizable", [write, get(1, 2)], **MAP).verdict is PASSED
    assert judge("linearizable", [write, get(1, 2, {"a": 1.0})], **MAP).verdict is PASSED
    assert judge("linearizable", [write, get(6, 7)], **MAP).verdict is FAILED


def test_keys_stand_by_themselves(judge, put, get):
    entries = [put(0, 1, 1), put(0, 1, 2, key="y"), get(2, 3, 1), get(2, 3, 2, key="y")]
    assert judge("linearizable", entries, **MAP).verdict is PASSED


def test_what_fits_nowhere_is_told_with_what_was_there_and_what_came_before(judge, put, get):
    entries = [put(0, 1, 1), get(2, 3, 1), put(2, 4, 2), get(5, 6, 1)]
    found = judge("linearizable", entries, **MAP)
    assert found.verdict is FAILED
    assert found.expected == "an order of the calls that a map can have had"
    assert found.seen == (
        '"x": read("x") -> 1 by get of alice (t3), 5.000 to 6.000 s, which fits nowhere;'
        " after 3 calls that fit, the map has 2"
    )
    assert found.involved[0] == 'write("x", 2) by put of alice (t2), 2.000 to 4.000 s'


def test_moments_that_touch_overlap_within_a_phase_and_follow_between_phases(judge, put, get):
    later = get(1, 2, phase="two")
    assert judge("linearizable", [put(0, 1, 1), get(1, 2)], **MAP).verdict is PASSED
    assert judge("linearizable", [put(0, 1, 1), later], **MAP).verdict is FAILED


@pytest.mark.parametrize(
    "ending",
    [
        {"raised": "ClientDied", "expected_error": "any"},
        {"outcome": Outcome.CANCELLED, "expected_error": "cancelled"},
    ],
)
def test_a_call_that_failed_or_was_cancelled_may_have_its_effect_later_or_never(
    judge, put, get, ending
):
    lost = put(0, 1, 1, **ending)
    assert judge("linearizable", [lost, get(2, 3)], **MAP).verdict is PASSED
    assert judge("linearizable", [lost, get(2, 3), get(4, 5, 1)], **MAP).verdict is PASSED
    found = judge("linearizable", [lost, get(2, 3, 1), get(4, 5)], **MAP)
    assert found.verdict is FAILED


def test_a_call_whose_error_says_so_has_no_effect(judge, put, get, drop):
    refused = drop(2, 3, raised="Refused", expected_error="any")
    broken = drop(2, 3, raised="Broken", expected_error="any")
    assert judge("linearizable", [put(0, 1, 1), refused, get(4, 5)], **MAP).verdict is FAILED
    assert judge("linearizable", [put(0, 1, 1), broken, get(4, 5)], **MAP).verdict is PASSED


def test_an_error_may_be_the_answer_that_nothing_is_there(judge, put, get):
    missing = get(2, 3, raised="KeyError", expected_error="any")
    assert judge("linearizable", [get(0, 1), missing], **MAP).verdict is PASSED
    assert judge("linearizable", [put(0, 1, 1), missing], **MAP).verdict is FAILED


def test_a_deletion_says_whether_there_was_something(judge, put, drop):
    assert judge("linearizable", [put(0, 1, 1), drop(2, 3, True)], **MAP).verdict is PASSED
    assert judge("linearizable", [put(0, 1, 1), drop(2, 3, False)], **MAP).verdict is FAILED


def test_a_lost_update_of_a_counter_fails(judge, make):
    counter = {
        "model": "counter",
        "initial": 5,
        "add": {"call": "add", "value": "by"},
        "read": {"call": "total", "result": "sum"},
    }
    adds = [make.op("add", 0, 2, arguments={"by": 1}) for _ in range(2)]
    good, bad = (make.op("total", 3, 4, value={"sum": total}) for total in (7, 6))
    assert judge("linearizable", [*adds, good], **counter).verdict is PASSED
    assert judge("linearizable", [*adds, bad], **counter).verdict is FAILED


def test_the_caller_may_be_the_key(judge, make):
    own = {
        "model": "map",
        "write": {"call": "put", "key": "user", "value": "value"},
        "read": {"call": "get", "key": "user"},
    }
    entries = [
        *(make.op("put", 0, 1, user=user, arguments={"value": user}) for user in "ab"),
        *(make.op("get", 2, 3, user=user, value=user) for user in "ab"),
    ]
    assert judge("linearizable", entries, **own).verdict is PASSED
    assert (
        judge(
            "linearizable", [*entries[:3], make.op("get", 2, 3, user="b", value="a")], **own
        ).verdict
        is FAILED
    )


def test_members_of_a_set_are_added_once(judge, make):
    seats = {"model": "set", "add": {"call": "take", "value": "seat", "result": ""}}
    taken = [make.op("take", 0, 1, arguments={"seat": 7}, value=True) for _ in range(2)]
    assert judge("linearizable", taken, **seats).verdict is FAILED
    assert judge("linearizable", taken[:1], **seats).verdict is PASSED


def test_a_compare_and_set_that_wins_twice_fails(judge, make):
    leader = {
        "model": "register",
        "cas": {"call": "lead", "old": "was", "value": "is", "result": ""},
    }
    asked = [
        make.op("lead", 0, 1, arguments={"was": None, "is": name}, value=True) for name in "ab"
    ]
    assert judge("linearizable", asked, **leader).verdict is FAILED


def test_steps_that_are_not_named_do_not_count(judge, put, get, make):
    stale = make.op("get", 5, 6, arguments={"key": "x"}, value=9)
    other = make.op("stray", 5, 6, call="get", arguments={"key": "x"}, value=9)
    assert judge("linearizable", [get(0, 1), stale], of=["put", "get"], **MAP).verdict is FAILED
    assert judge("linearizable", [get(0, 1), other], of=["put", "get"], **MAP).verdict is PASSED


def test_calls_that_show_nothing_prove_nothing(judge, put, get):
    entries = [put(0, 1, 1), get(2, 3, raised="Broken", expected_error="any")]
    found = judge("linearizable", entries, **MAP)
    assert (found.verdict, found.seen) == (UNKNOWN, "2 operations, none of which shows anything")


def test_calls_that_fail_against_their_steps_word_leave_doubt(judge, put, get):
    assert (
        judge("linearizable", [put(0, 1, 1, raised="Broken"), get(2, 3)], **MAP).verdict is UNKNOWN
    )


def test_what_the_budget_does_not_decide_is_unknown(judge, make):
    counter = {
        "model": "counter",
        "add": {"call": "add", "value": "by"},
        "read": {"call": "total"},
        "budget": 50,
    }
    adds = [make.op("add", 0, 2, arguments={"by": 2**n}) for n in range(20)]
    found = judge("linearizable", [*adds, make.op("total", 3, 4, value=-1)], **counter)
    assert found.verdict is UNKNOWN
    assert "none in 50 steps" in found.seen


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, 'its result: nothing at "sum" of the path "sum" in a dict'),
        ({"sum": "3"}, "returned '3', which is no number"),
    ],
)
def test_a_result_that_is_none_is_a_failure(judge, make, value, told):
    counter = {"model": "counter", "read": {"call": "total", "result": "sum"}}
    found = judge("linearizable", [make.op("total", 3, 4, value=value)], **counter)
    assert (found.verdict, found.seen) == (FAILED, f"total of alice (t0): {told}")
