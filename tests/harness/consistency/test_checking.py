"""What the checker says of histories of each kind: in time, in words, and within its budget."""

from __future__ import annotations

import itertools
import random

import pytest

from harness.consistency import Call, Counter, Map, Model, Register, Set, check
from harness.errors import BadInput
from harness.results.verdict import Verdict
from tests.there import there

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN


def call(operation, *arguments, at, result=None, by=0):
    """Make a call at the moments ``at`` (begin, end); the end may be None."""
    begin, end = at
    return Call(
        process=by, operation=operation, arguments=arguments, begin=begin, end=end, result=result
    )


def verdict(model, *calls, **options):
    return check(calls, model, **options).verdict


def test_no_calls_at_all_fit():
    assert verdict(Register()) is PASSED


def test_a_read_that_began_after_a_write_ended_sees_it():
    write = call("write", 1, at=(0, 1))
    assert verdict(Register(), write, call("read", at=(2, 3), result=1)) is PASSED
    assert verdict(Register(), write, call("read", at=(2, 3))) is FAILED


def test_calls_that_touch_at_one_moment_overlap():
    write = call("write", 1, at=(0, 2))
    assert verdict(Register(), write, call("read", at=(2, 3))) is PASSED


def test_two_reads_one_after_another_do_not_go_back():
    write = call("write", 1, at=(0, 10))
    new, old = call("read", at=(1, 2), result=1), call("read", at=(3, 4))
    assert verdict(Register(), write, new, old) is FAILED


def test_a_call_without_an_end_may_take_effect_late_or_never():
    lost = call("write", 1, at=(0, None))
    reads = [call("read", at=(n, n + 0.5), result=1 if n > 3 else None) for n in range(6)]
    assert verdict(Register(), lost, *reads) is PASSED
    assert verdict(Register(), lost, *reads[:3]) is PASSED


def test_a_call_without_an_end_takes_no_effect_before_it_began():
    early = call("read", at=(0, 1), result=1)
    assert verdict(Register(), early, call("write", 1, at=(2, None))) is FAILED


def test_a_call_without_an_end_takes_effect_once():
    lost = call("add", 1, at=(0, None))
    assert verdict(Counter(), lost, call("read", at=(1, 2), result=1)) is PASSED
    assert verdict(Counter(), lost, call("read", at=(1, 2), result=2)) is FAILED


def test_a_lost_update_of_a_counter_fails():
    adds = [call("add", 1, at=(0, 1), by=n, result=1) for n in range(2)]
    assert verdict(Counter(), *adds) is FAILED


def test_a_member_is_added_for_the_first_time_once():
    adds = [call("add", "a", at=(0, 1), by=n, result=True) for n in range(2)]
    assert verdict(Set(), *adds) is FAILED
    assert verdict(Set(), adds[0], call("add", "a", at=(0, 1), result=False)) is PASSED


def test_keys_of_a_map_are_judged_one_by_one():
    calls = [
        call("write", "x", 1, at=(0, 1)),
        call("write", "y", 2, at=(0, 1)),
        call("read", "y", at=(2, 3), result=1),
        call("read", "x", at=(2, 3), result=1),
    ]
    found = check(calls, Map())
    assert (found.verdict, found.partition, found.call) == (FAILED, "y", calls[2])


def test_a_failure_says_what_fits_nowhere_and_what_was_there_instead():
    calls = [
        call("write", "x", 3, at=(0, 1)),
        call("cas", "x", 3, 4, at=(2, 3), result=True, by=1),
        call("read", "x", at=(4, 5), result=3, by=2),
        call("read", "x", at=(6, 7), result=9, by=2),
    ]
    found = check(calls, Map())
    assert found.message == (
        "'x': read('x') -> 3 by 2, from 4 to 5 fits nowhere: after the 2 calls before fit, the last"
        " of them write('x', 3) by 0, from 0 to 1; cas('x', 3, 4) -> True by 1, from 2 to 3, the"
        " value is 4"
    )
    assert found.order == tuple(calls[:2])


def test_a_failure_by_the_shortcut_names_the_same_call_as_a_search():
    rng = random.Random(3)
    compared = 0
    for _ in range(300):
        written = [call("write", n, at=(n, n + rng.randrange(6)), by=n) for n in range(6)]
        reads = []
        for n in range(6):
            begin = rng.randrange(8)
            at = (begin, begin + rng.randrange(4))
            reads.append(call("read", at=at, result=rng.randrange(6), by=10 + n))
        quick, slow = check(written + reads, Register()), check(written + reads, _Searched())
        assert quick.verdict is slow.verdict
        if quick.verdict is FAILED:
            assert there(quick.call).end == there(slow.call).end
            compared += 1
    assert compared > 50


class _Searched(Register):
    """A register that does not say which calls are plain, so that they are searched."""

    def access(self, call):
        return None


def test_sums_that_are_equal_only_when_rounded_do_not_mislead_the_shortcut():
    # The first cluster must come first: its read ended before the last read of the other began.
    big = 2.0**53
    calls = [
        call("write", 1, at=(0, big)),
        call("read", at=(1, big - 1), result=1),
        call("write", 2, at=(0, big + 2)),
        call("read", at=(big, big + 2), result=2),
        call("read", at=(big - 1, big), result=1),
    ]
    for some in itertools.permutations(calls):
        assert verdict(Register(), *some) is verdict(_Searched(), *some)


class Queue(Model):
    """First in, first out: a model as a user writes it, with a generator for its steps."""

    def init(self):
        return ()

    def step(self, state, call):
        if call.operation == "put":
            yield (*state, *call.arguments)
        elif call.end is None or state[:1] == (call.result,):
            yield state[1:]


def test_a_model_of_ones_own_needs_two_methods():
    puts = [call("put", n, at=(0, 1), by=n) for n in range(2)]
    takes = [call("get", at=(2 + n, 2.5 + n), result=1 - n) for n in range(2)]
    assert verdict(Queue(), *puts, *takes) is PASSED
    assert verdict(Queue(), *puts, takes[0], call("get", at=(4, 5), result=1)) is FAILED


class Coin(Model):
    """A call may have either of two effects."""

    def init(self):
        return "up"

    def step(self, state, call):
        if call.operation == "toss":
            return ("heads", "tails")
        return (state,) if call.result == state else ()

    def observes(self, call):
        return call.operation == "look"


def test_a_call_may_leave_several_states():
    toss = call("toss", at=(0, 1))
    for seen in ("heads", "tails"):
        assert verdict(Coin(), toss, call("look", at=(2, 3), result=seen)) is PASSED
    looks = [call("look", at=(n, n + 0.5), result=seen) for n, seen in ((2, "heads"), (3, "tails"))]
    assert verdict(Coin(), toss, *looks) is FAILED


# Within the budget.


def test_many_writes_of_equal_values_at_once_are_told_in_few_steps():
    writes = [call("write", n % 3, at=(0, 100), by=n) for n in range(60)]
    reads = [call("read", at=(n + 1, n + 1.5), result=n % 3) for n in range(50)]
    found = check([*writes, *reads], Register())
    assert found.verdict is PASSED
    assert found.steps < 1_000


def test_one_value_written_forty_times_at_once_is_no_other_value():
    writes = [call("write", 1, at=(0, 100), by=n) for n in range(40)]
    reads = [call("read", at=(n + 1, n + 1.5), result=1) for n in range(40)]
    found = check([*writes, *reads, call("read", at=(90, 91), result=7)], Register())
    assert (found.verdict, there(found.call).result) == (FAILED, 7)


def hopeless(writers):
    """Make a history in which every subset of the adds leads to a state of its own."""
    adds = [call("add", 2**n, at=(0, 100), by=n) for n in range(writers)]
    return [*adds, call("read", at=(101, 102), result=-1)]


def test_what_cannot_be_told_within_the_budget_is_unknown():
    found = check(hopeless(40), Counter())
    assert found.verdict is UNKNOWN
    assert found.steps <= 200_000
    assert "not decided in 200000 steps" in found.message


def test_the_same_is_failed_where_the_budget_is_enough():
    assert verdict(Counter(), *hopeless(8)) is FAILED
    assert verdict(Counter(), *hopeless(8), budget=100) is UNKNOWN


class _Sums(Counter):
    """Sums by name, the last argument."""

    arities = {"read": 1, "add": 2}  # noqa: RUF012 - as the class that it extends has it

    def partition(self, call):
        return call.arguments[-1]


def test_a_part_that_takes_the_budget_does_not_hide_another_that_fails():
    hard = [
        call(one.operation, *one.arguments, "hard", at=(one.begin, one.end), result=one.result)
        for one in hopeless(30)
    ]
    easy = [call("read", "easy", at=(200, 201), result=1)]
    found = check([*hard, *easy], _Sums(), budget=2_000)
    assert (found.verdict, found.partition) == (FAILED, "easy")
    assert found.steps <= 2_000


def test_a_part_may_take_what_the_others_leave_of_the_budget():
    hard = [
        call(one.operation, *one.arguments, "hard", at=(one.begin, one.end), result=one.result)
        for one in hopeless(8)
    ]
    easy = [call("add", 1, f"easy {n}", at=(0, 1)) for n in range(20)]
    assert verdict(_Sums(), *hard, *easy, budget=2_000) is FAILED


def test_ten_thousand_calls_one_after_another_take_a_step_each_at_most():
    calls = [
        call(*(("write", n % 7) if n % 2 == 0 else ("read",)), at=(n, n), result=(n - 1) % 7)
        for n in range(10_000)
    ]
    found = check(calls, Register())
    assert found.verdict is PASSED
    assert found.steps <= 10_000


# Mistakes.


@pytest.mark.parametrize(
    ("model", "wrong", "told"),
    [
        (Register(), call("pop", at=(0, 1)), "no operation 'pop'; known: read, write, cas"),
        (Map(), call("read", at=(0, 1)), "read takes 1 arguments, got 0"),
        (Register(), call("cas", 1, 2, at=(0, 1), result=1), "must return True, False or None"),
        (Register(), call("write", [1], at=(0, 1)), "must have a hash .*unhashable type: 'list'"),
    ],
)
def test_a_call_that_the_object_does_not_have_is_told(model, wrong, told):
    with pytest.raises(BadInput, match=told):
        check([wrong], model)


def test_a_budget_of_nothing_is_told():
    with pytest.raises(BadInput, match="budget: must be at least 1 step, got 0"):
        check([], Register(), budget=0)


@pytest.mark.parametrize("at", [(2, 1), (float("nan"), 1), (0, float("inf")), (0, float("nan"))])
def test_moments_that_cannot_be_are_told(at):
    with pytest.raises(BadInput, match="begin and end must be finite, and end not before begin"):
        call("read", at=at)
