"""The checks of what a service does to its loop: what it leaves, what it holds, what blocks it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.history.records import BlockingCall, Leak, LockHold, LoopLag, NodeKind
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN

TASK = Leak(kind="task", name="ticker", made_at="s.py:3 in go", where="s.py:9 in tick")
COROUTINE = Leak(kind="coroutine", name="S.save", made_at="s.py:4 in go", where="s.py:20 in save")

PERMIT = Leak(
    kind="permit", name="S.free", made_at="s.py:5 in go", where="a at 1 s, which returned"
)
LOCK = Leak(kind="lock", name="S.lock", made_at="s.py:6 in go", where="b at 2 s, which raised E")


def hold(lock="Store._lock", **others):
    fields: dict[str, Any] = {"task": "t", "begin_s": 1.0, "end_s": 3.0, "where": "s.py:1 in f"}
    return LockHold(lock=lock, **(fields | {"held_await": "`await x()` at s.py:2"} | others))


# no_leaks


def test_nothing_left_passes_and_a_system_that_never_closed_is_unknown(judge, make):
    assert judge("no_leaks", history=make.history(make.op(), leaks=())).verdict is PASSED
    assert judge("no_leaks", history=make.history(make.op())).verdict is UNKNOWN


def test_leaks_are_told_with_the_lines_that_made_them(judge, make):
    found = judge("no_leaks", history=make.history(make.op(), leaks=(TASK, COROUTINE)))
    assert found.verdict is FAILED
    assert found.involved == (
        "task ticker, made at s.py:3 in go, stands at s.py:9 in tick",
        "coroutine S.save (s.py:20 in save) was never awaited at s.py:4 in go",
    )
    assert found.seen.startswith("1 left and 1 never awaited: task ticker")


def test_locks_and_permits_never_given_back_are_told_with_the_line_that_took_them(judge, make):
    found = judge("no_leaks", history=make.history(make.op(), leaks=(PERMIT, LOCK)))
    assert found.involved == (
        "permit of S.free was taken at s.py:5 in go by a at 1 s, which returned and never gave it"
        " back",
        "lock S.lock was taken at s.py:6 in go by b at 2 s, which raised E and never gave it back",
    )
    assert found.seen == f"2 never given back: {found.involved[0]}"
    history = make.history(make.op(), leaks=(TASK, LOCK))
    assert judge("no_leaks", history=history).seen.startswith("1 left and 0 never awaited, 1 never")


@pytest.mark.parametrize(
    ("excepted", "verdict"), [(["ticker", "S.save"], PASSED), (["ticker"], FAILED)]
)
def test_what_is_named_may_stay(judge, make, excepted, verdict):
    history = make.history(make.op(), leaks=(TASK, COROUTINE))
    assert judge("no_leaks", history=history, **{"except": excepted}).verdict is verdict


# no_lock_across_await


def test_a_lock_that_was_held_over_time_is_told_with_its_await(judge, make):
    history = make.history(make.op(), lock_holds=(hold(end_s=1.5), hold(), hold("Other._lock")))
    found = judge("no_lock_across_await", history=history)
    assert found.verdict is FAILED
    assert found.seen == (
        "3 holds of Store._lock, Other._lock:"
        " Store._lock held for 2.000 s by t, across `await x()` at s.py:2"
    )


@pytest.mark.parametrize(
    ("lock", "excepted", "verdict"),
    [
        ("Store._lock", ["Store._lock"], PASSED),
        ("Store._locks['a']", ["Store._locks"], PASSED),
        ("Store._locks['a']", ["Store._locks['a']"], PASSED),
        ("Store._locks['b']", ["Store._locks['a']"], FAILED),
        ("Store._locked", ["Store._lock"], FAILED),
        ("lock (of f)", ["lock"], PASSED),
    ],
)
def test_locks_that_are_named_may(judge, make, lock, excepted, verdict):
    history = make.history(make.op(), lock_holds=(hold(lock),))
    found = judge("no_lock_across_await", history=history, **{"except": excepted})
    assert found.verdict is verdict


def test_a_semaphore_of_many_is_no_lock(judge, make):
    history = make.history(make.op(), lock_holds=(hold(kind="Semaphore", permits=2),))
    assert judge("no_lock_across_await", history=history).verdict is PASSED


@pytest.mark.parametrize(("held_await", "verdict"), [(None, PASSED), ("`await x()`", FAILED)])
def test_live_only_a_holder_that_was_seen_at_an_await_counts(judge, make, held_await, verdict):
    holds = (hold(held_await=held_await),)
    history = make.history(make.op(), lock_holds=holds, node=NodeKind.LIVE)
    assert judge("no_lock_across_await", history=history).verdict is verdict


# no_blocking_calls

OPEN = BlockingCall(what="open", subject="/x/a.json", where="s/t.py:7 in T.load", at_s=0.5, count=3)


def test_a_call_that_blocks_is_told_with_its_line(judge, make):
    found = judge("no_blocking_calls", history=make.history(make.op(), blocking_calls=(OPEN,)))
    assert found.verdict is FAILED
    assert found.involved == ("open('/x/a.json') at s/t.py:7 in T.load, 0.500 s, 3 times",)


@pytest.mark.parametrize("allowed", ["open", "/x/*.json", "s/t.py", "T.load", "s/*"])
def test_calls_files_and_places_may_be_allowed(judge, make, allowed):
    history = make.history(make.op(), blocking_calls=(OPEN,))
    assert judge("no_blocking_calls", history=history, allow=[allowed]).verdict is PASSED
    assert judge("no_blocking_calls", history=history, allow=["t.py"]).verdict is FAILED


def test_where_nobody_looked_nothing_is_known(judge, make):
    assert judge("no_blocking_calls", history=make.history(make.op())).verdict is UNKNOWN


@pytest.mark.parametrize(("lag_ms", "verdict"), [(300, PASSED), (299, FAILED)])
def test_a_turn_of_the_loop_over_the_bound_fails(judge, make, lag_ms, verdict):
    lags = (LoopLag(at_s=1.0, lag_s=0.3, where="s.py:8 in f"),)
    history = make.history(make.op(), blocking_calls=(), loop_lags=lags, node=NodeKind.LIVE)
    found = judge("no_blocking_calls", history=history, lag_ms=lag_ms)
    assert found.verdict is verdict
    if verdict is FAILED:
        assert found.involved == ("no turn of the loop for 300 ms at 1.000 s, at s.py:8 in f",)
