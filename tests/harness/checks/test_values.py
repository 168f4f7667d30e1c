"""The checks of what operations returned: the same, distinct, as wanted, succeeded often enough."""

from __future__ import annotations

import pytest

from harness.history.records import Outcome
from harness.history.value_path import PathMissing, canonical, values_at
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def verdict_of_results(judge, make, values, **parameters):
    name = parameters.pop("check")
    entries = [make.op(value=value) for value in values]
    return judge(name, entries, **({"of": "make"} | parameters)).verdict


# same_result


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], PASSED),
        ([1, 1.0], PASSED),
        ([1, True], FAILED),
        ([{"object": "Client", "number": 0}, {"object": "Client", "number": 1}], FAILED),
        ([[1, 2], [2, 1]], FAILED),
        ([1], UNKNOWN),
        ([None, None], UNKNOWN),
        ([None, 1], FAILED),
    ],
)
def test_same_result_compares_whole_values(judge, make, values, verdict):
    assert verdict_of_results(judge, make, values, check="same_result") is verdict


def test_one_result_for_each_of_many_users_compares_nothing(judge, make):
    entries = [make.op(user=user, value=1) for user in ("alice", "bob", "carol")]
    found = judge("same_result", entries, of="make")
    assert found.verdict is UNKNOWN
    assert found.seen == "no user with two results to compare"


def test_users_may_have_different_results(judge, make):
    entries = [make.op(user=user, value=user) for user in ("alice", "bob") for _ in range(2)]
    found = judge("same_result", entries, of="make")
    assert (found.verdict, found.seen) == (PASSED, "one for each of 2 users in 4 results")


def test_two_results_for_one_user_are_told_with_who_had_them(judge, make):
    entries = [make.op(value=1), make.op(value=1), make.op(value=2)]
    found = judge("same_result", entries, of="make")
    assert found.verdict is FAILED
    assert found.expected == "the same result from every make of a user"
    assert found.seen == "2 different for one user among 3 results"
    assert found.involved == (
        "1: make of alice (t0), make of alice (t1)",
        "2: make of alice (t2)",
    )


def test_callers_who_failed_leave_doubt(judge, make):
    entries = [make.op(value=1), make.op(value=1), make.op(raised="SpawnFailed")]
    found = judge("same_result", entries, of="make")
    assert found.verdict is UNKNOWN
    assert found.seen.endswith("; but 1 did not end as their step expects")
    assert found.involved == ("make of alice (t2): raised SpawnFailed: no",)


def test_callers_who_were_cancelled_on_purpose_leave_none(judge, make):
    gone = make.op(outcome=Outcome.CANCELLED, expected_error="cancelled")
    entries = [gone, make.op(value=1), make.op(value=1)]
    assert judge("same_result", entries, of="make").verdict is PASSED


# distinct_results


def ids(*values):
    return [{"account_id": value} for value in values]


@pytest.mark.parametrize(
    ("values", "parameters", "verdict"),
    [
        (ids("a", "b"), {}, PASSED),
        (ids("a", "b", "a"), {}, FAILED),
        (ids("a"), {}, UNKNOWN),
        ([], {}, UNKNOWN),
        ([{"account_id": "a"}, {}], {}, FAILED),
        ([{}, {}], {}, FAILED),
        ([["a", "b"], ["c"]], {"path": "*"}, PASSED),
        ([["a", "a"]], {"path": "*"}, FAILED),
        ([["a"], []], {"path": "*"}, UNKNOWN),
        (["a", "b"], {"path": ""}, PASSED),
    ],
)
def test_distinct_results_finds_every_id_twice(judge, make, values, parameters, verdict):
    check = {"check": "distinct_results"} | parameters
    assert verdict_of_results(judge, make, values, **check) is verdict


def test_an_id_twice_is_told_with_both_who_got_it(judge, make):
    entries = [make.op(user=user, value={"account_id": "a"}) for user in ("alice", "bob")]
    found = judge("distinct_results", entries)
    assert found.verdict is FAILED
    assert found.expected == "each account_id to be handed out once"
    assert found.seen == "1 different among 2"
    assert found.involved == ("a: make of alice (t0), make of bob (t1)",)


def test_an_id_of_two_steps_is_found_when_both_are_named(judge, make):
    entries = [make.op(value={"account_id": "a"}), make.op("fund", value={"account_id": "a"})]
    assert judge("distinct_results", entries, of=["make", "fund"]).verdict is FAILED


def test_a_step_that_gives_ids_only_now_and_then_is_caught(judge, make):
    entries = [make.op(value=one) for one in (*ids("a", "b"), {})] + [make.op("list", value=[])]
    found = judge("distinct_results", entries)
    assert found.verdict is FAILED
    assert found.involved == ("make of alice (t2): nothing at account_id",)


def test_a_creation_that_failed_leaves_doubt_of_distinctness(judge, make):
    entries = [*(make.op(value=one) for one in ids("a", "b")), make.op(raised="SpawnFailed")]
    assert judge("distinct_results", entries).verdict is UNKNOWN


# result


@pytest.mark.parametrize(
    ("value", "parameters", "verdict"),
    [
        ({"a": [1, 2]}, {"path": "a", "equals": [2, 1]}, PASSED),
        ({"a": [1, 2]}, {"path": "a", "equals": [2, 1], "ordered": True}, FAILED),
        ({"a": [1, 1]}, {"path": "a", "equals": [1]}, FAILED),
        ([{"n": "x"}, {"n": "y"}], {"path": "*.n", "equals": ["y", "x"]}, PASSED),
        ([{"a": 1, "b": 2}], {"path": "", "equals": [{"b": 2, "a": 1}]}, PASSED),
        ([{"n": "x"}], {"path": "*.m", "equals": ["x"]}, FAILED),
        ([{"n": "x"}], {"path": "0.n", "equals": "x"}, PASSED),
        (1, {"equals": True}, FAILED),
        (1, {"equals": 1.0}, PASSED),
        ("", {"equals": False}, FAILED),
        ([], {"count": 0}, PASSED),
        ([1, 2], {"count": 1}, FAILED),
        ({"a": 1}, {"count": 1}, PASSED),
        ("ab", {"count": 2}, FAILED),
        (None, {"count": 0}, FAILED),
        ([[1], [2, 3]], {"path": "*.0", "count": 2}, PASSED),
        ([[3, 4]], {"equals": [[4, 3]]}, FAILED),
    ],
)
def test_a_result_is_compared_as_it_says(judge, make, value, parameters, verdict):
    assert verdict_of_results(judge, make, [value], check="result", **parameters) is verdict


def test_a_wrong_result_is_told_with_who_had_it(judge, make):
    entries = [make.op(value=[1]), make.op(value=[1, 2])]
    found = judge("result", entries, of="make", equals=[1])
    assert found.verdict is FAILED
    assert found.expected == "make to be [1]"
    assert found.seen == "make of alice (t1): [1, 2]"


def test_a_right_result_beside_a_failure_leaves_doubt(judge, make):
    entries = [make.op(value=[1]), make.op(raised="SpawnFailed")]
    assert judge("result", entries, of="make", equals=[1]).verdict is UNKNOWN


# success_share


@pytest.mark.parametrize(
    ("succeeded", "of_all", "at_least", "verdict"),
    [
        (20, 20, 1.0, PASSED),
        (19, 20, 1.0, FAILED),
        (15, 20, 0.75, PASSED),
        (14, 20, 0.75, FAILED),
        (55, 100, 0.55, PASSED),
        (7, 10, 0.7, PASSED),
        (0, 5, 0.0001, FAILED),
    ],
)
def test_a_share_is_reached_exactly(judge, make, *, succeeded, of_all, at_least, verdict):
    entries = [make.op() for _ in range(succeeded)]
    entries += [make.op(raised="SpawnFailed") for _ in range(of_all - succeeded)]
    found = judge("success_share", entries, of="make", at_least=at_least)
    assert found.verdict is verdict
    assert found.seen == f"{succeeded} of {of_all}"


def test_unfinished_and_cancelled_operations_are_no_successes(judge, make):
    entries = [make.op(), make.op(end_s=None), make.op(outcome=Outcome.CANCELLED)]
    found = judge("success_share", entries, at_least=0.995)
    assert found.verdict is FAILED
    assert found.expected == "at least 99.5 % of all operations to succeed"
    assert found.involved == ("make of alice (t1): unfinished", "make of alice (t2): cancelled")


# paths


@pytest.mark.parametrize("path", ["b", "a.b", "a.2", "a.-1", "a.²", "a..x", "x.*", "a." + "9" * 99])
def test_a_path_to_nothing_is_missing(path):
    with pytest.raises(PathMissing, match="nothing at"):
        values_at({"a": [1, 2], "x": 3}, path)


def test_a_star_stands_for_all_items_of_lists_and_tables():
    assert values_at({"a": [{"n": 1}, {"n": 2}]}, "a.*.n") == [1, 2]
    assert values_at({"x": {"n": 1}, "y": {"n": 2}}, "*.n") == [1, 2]
    assert values_at([], "*.n") == []


def test_equal_values_share_a_text_and_others_do_not():
    assert canonical({"a": 1.0, "b": [True]}) == canonical({"b": [True], "a": 1})
    assert canonical(1) != canonical(True)
    assert canonical("1") != canonical(1)


@pytest.mark.parametrize(("value", "verdict"), [(["alice"], PASSED), (["bob"], FAILED)])
def test_what_is_expected_may_hold_the_name_of_the_user(judge, make, value, verdict):
    entries = [make.op(value={"names": value})]
    assert judge("result", entries, of="make", equals={"names": ["{user}"]}).verdict is verdict


@pytest.mark.parametrize(("second", "verdict"), [(1, PASSED), (2, FAILED)])
def test_the_results_of_several_steps_are_compared(judge, make, second, verdict):
    entries = [make.op(value=1), make.op("late", value=second)]
    found = judge("same_result", entries, of=["make", "late"])
    assert found.verdict is verdict
    assert found.expected == "the same result from every make and late of a user"
