"""The checks of when things happened: one inside another, at once, in time, faster together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.spans import peak
from harness.checks.speedup import SpeedUp, needs_round
from harness.history.records import NodeKind, Outcome
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
FAST_AND_SLOW = {"first": "list", "then": "make"}


# ends_before


@pytest.mark.parametrize(
    ("fast", "slow", "verdict"),
    [
        ((1, 2), (0, 9), PASSED),
        ((0, 0), (0, 9), PASSED),
        ((1, 9), (0, 9), FAILED),
        ((1, 10), (0, 9), FAILED),
        ((9.5, 9.6), (0, 9), FAILED),
        ((0, 5), (1, 9), FAILED),
        ((1, None), (0, 9), FAILED),
        ((1, 2), (0, None), UNKNOWN),
    ],
)
def test_the_fast_one_must_live_inside_the_slow_one(judge, make, fast, slow, verdict):
    entries = [make.op("make", *slow), make.op("list", *fast)]
    assert judge("ends_before", entries, **FAST_AND_SLOW).verdict is verdict


def test_a_fast_one_that_waited_is_told_with_both_moments(judge, make):
    entries = [make.op("make", 0, 9), make.op("list", 1, 9.25)]
    found = judge("ends_before", entries, **FAST_AND_SLOW)
    assert found.expected == "list to end while make is still under way"
    told = "list of alice (t1) ended at 9.250 s, make of alice (t0) at 9.000 s"
    assert (found.seen, found.involved) == (told, (told,))


def test_two_that_end_at_one_moment_are_told_apart_by_the_park(judge, make):
    parked = make.op("make", 0, 9, parked=((1, 9),))
    assert judge("ends_before", [parked, make.op("list", 2, 9)], **FAST_AND_SLOW).verdict is PASSED
    let_go_before = make.op("make", 0, 9, parked=((1, 3),))
    entries = [let_go_before, make.op("list", 2, 9)]
    assert judge("ends_before", entries, **FAST_AND_SLOW).verdict is FAILED


def test_one_of_many_that_waited_fails(judge, make):
    entries = [make.op("make", 0, 9), make.op("list", 1, 2), make.op("list", 1, 9)]
    assert judge("ends_before", entries, **FAST_AND_SLOW).verdict is FAILED


@pytest.mark.parametrize(
    ("fast", "slow"), [({"raised": "NodeUnreachable"}, {}), ({}, {"raised": "SpawnFailed"})]
)
def test_a_failure_says_nothing_of_who_waits_for_whom(judge, make, fast, slow):
    entries = [make.op("make", 0, 9, **slow), make.op("list", 1, 2, **fast)]
    assert judge("ends_before", entries, **FAST_AND_SLOW).verdict is UNKNOWN


def test_an_expected_failure_of_the_slow_one_will_do(judge, make):
    slow = make.op("make", 0, 9, raised="SpawnTimedOut", expected_error="SpawnTimedOut")
    assert judge("ends_before", [slow, make.op("list", 1, 2)], **FAST_AND_SLOW).verdict is PASSED


# overlap and peak_in_flight

SPANS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 12)).map(
        lambda span: (span[0], min(span[1:]), max(span[1:]))
    ),
    max_size=12,
)


@given(spans=SPANS)
def test_the_peak_is_what_counting_at_every_moment_finds(spans):
    moments = [moment / 2 for moment in range(26)]
    present = [[span for span in spans if span[1] <= at < span[2]] for at in moments]
    assert peak(spans) == max(map(len, present))
    users = max(len({user for user, _, _ in some}) for some in present)
    assert peak(spans, distinct=True) == users


@pytest.mark.parametrize(
    ("spans", "verdict"),
    [
        ([("alice", 0, 2), ("bob", 1, 3)], PASSED),
        ([("alice", 0, 1), ("bob", 1, 2)], FAILED),
        ([("alice", 0, 1), ("alice", 0, 1), ("bob", 1, 2)], FAILED),
        ([("alice", 0, 2), ("bob", 1, 1)], UNKNOWN),
        ([("alice", 0, 2), ("bob", 1, None)], UNKNOWN),
        ([("alice", 0, 2)], UNKNOWN),
        ([("alice", 0, 2), ("bob", 1, 3), ("carol", 2, 4)], FAILED),
        ([("alice", 0, 3), ("bob", 1, 3), ("carol", 2, 4)], PASSED),
    ],
)
def test_commands_overlap_when_all_users_share_a_moment(judge, make, spans, verdict):
    commands = [make.command(*span) for span in spans]
    assert judge("overlap", commands, commands=["sync"]).verdict is verdict
    spawns = [make.spawn(*span) for span in spans]
    assert judge("overlap", spawns, commands=["spawn"]).verdict is verdict


def test_a_user_who_is_named_must_have_the_command(judge, make):
    entries = [make.command("alice"), make.command("bob")]
    found = judge("overlap", entries, commands=["sync"], users=["alice", "bob", "carol"])
    assert found.verdict is UNKNOWN
    assert found.seen == "no sync of carol that succeeded and took time"


def test_users_who_are_not_named_do_not_count(judge, make):
    entries = [make.command("alice"), make.command("bob"), make.command("carol", 7, 8)]
    assert judge("overlap", entries, commands=["sync"]).verdict is FAILED
    named = {"commands": ["sync"], "users": ["alice", "bob"]}
    assert judge("overlap", entries, **named).verdict is PASSED


def test_one_of_two_commands_apart_fails(judge, make):
    entries = [
        *(make.command(user) for user in ("alice", "bob")),
        *(make.command(user, at, at + 1, "add") for user, at in (("alice", 1), ("bob", 2))),
    ]
    found = judge("overlap", entries, commands=["sync", "add"])
    assert found.verdict is FAILED
    assert found.expected == "sync, add of all users under way at once"
    assert found.involved == ("add: 1 of 2 users at once",)


def test_commands_that_failed_do_not_lie_over_each_other(judge, make):
    entries = [make.command(user, outcome=Outcome.RAISED) for user in ("alice", "bob")]
    assert judge("overlap", entries, commands=["sync"]).verdict is UNKNOWN
    found = judge("peak_in_flight", entries, command="sync", at_least=2)
    assert (found.verdict, found.seen) == (UNKNOWN, "none of 2 sync succeeded")


def test_a_spawn_that_failed_is_not_under_way_to_the_end(judge, make):
    entries = [make.spawn("alice", 0, None, exit_s=1.0), make.spawn("bob", 5, 6)]
    found = judge("peak_in_flight", entries, command="spawn", at_least=2)
    assert (found.verdict, found.seen) == (FAILED, "a peak of 1 of 1")


def test_a_peak_under_the_bound_fails(judge, make):
    entries = [make.command(begin_s=at, end_s=at + 1.5) for at in range(5)]
    found = judge("peak_in_flight", entries, command="sync", at_least=3)
    assert (found.verdict, found.seen) == (FAILED, "a peak of 2 of 5")
    assert found.expected == "a peak of at least 3 sync in flight"
    assert judge("peak_in_flight", entries, command="sync", at_least=2).verdict is PASSED


# latency


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"max_ms": 100}, PASSED),
        ({"max_ms": 99.9}, FAILED),
        ({"p50_ms": 50}, PASSED),
        ({"p50_ms": 49}, FAILED),
        ({"p95_ms": 95}, PASSED),
        ({"p95_ms": 94, "max_ms": 100}, FAILED),
    ],
)
def test_latency_is_compared_at_its_percentiles(judge, make, limits, verdict):
    entries = [make.op(end_s=number / 1e3) for number in range(1, 101)]
    assert judge("latency", entries, of="make", **limits).verdict is verdict


def test_latency_over_a_limit_is_told_in_milliseconds(judge, make):
    found = judge("latency", [make.op(end_s=2.0)], of="make", p50_ms=3_000, max_ms=1_500)
    assert found.expected == "make: p50 up to 3000 ms, max up to 1500 ms"
    assert found.seen == "p50 2000.000 ms, max 2000.000 ms of 1"
    assert found.involved == ("max",)


def test_an_operation_that_never_ended_took_at_least_until_the_end(judge, make):
    history = make.history(make.op(end_s=None), end_s=10)
    assert judge("latency", history=history, of="make", max_ms=9_999).verdict is FAILED
    assert judge("latency", history=history, of="make", max_ms=10_001).verdict is UNKNOWN


def test_quick_failures_are_no_good_latency(judge, make):
    entries = [make.op(end_s=0.001, raised="SpawnFailed")]
    assert judge("latency", entries, of="make", max_ms=5).verdict is UNKNOWN


def test_the_time_of_an_expected_failure_counts(judge, make):
    late = make.op(end_s=2.0, raised="SpawnTimedOut", expected_error="SpawnTimedOut")
    assert judge("latency", [late], of="make", max_ms=2_100).verdict is PASSED
    assert judge("latency", [late], of="make", max_ms=1_900).verdict is FAILED


def test_a_failure_that_any_end_allows_was_not_fast(judge, make):
    failed = make.op(end_s=0.001, raised="ValueError", expected_error="any")
    assert judge("latency", [failed], of="make", max_ms=5).verdict is UNKNOWN
    slow = make.op(end_s=2.0, expected_error="any")
    assert judge("latency", [failed, slow], of="make", p50_ms=5).verdict is FAILED


def test_a_cancelled_operation_has_no_latency_of_its_own(judge, make):
    gone = make.op(end_s=0.001, outcome=Outcome.CANCELLED, expected_error="cancelled")
    assert judge("latency", [gone], of="make", max_ms=5).verdict is UNKNOWN


# elapsed

TWICE = {"phase": "one", "at_most": 2, "times": "two"}


@pytest.mark.parametrize(("end_s", "verdict"), [(2.0, PASSED), (2.1, FAILED), (None, UNKNOWN)])
def test_a_phase_is_compared_with_another(judge, make, end_s, verdict):
    entries = [make.op(), make.op(begin_s=0.5, end_s=end_s), make.op("x", 5, 6, phase="two")]
    assert judge("elapsed", entries, **TWICE).verdict is verdict


def test_a_phase_that_took_too_long_is_told_in_seconds(judge, make):
    found = judge("elapsed", [make.op(end_s=3.0), make.op("x", 5, 6, phase="two")], **TWICE)
    assert found.expected == "one to take at most 2 times as long as two"
    assert found.seen == "3.00 times (3.000 s against 1.000 s)"


@pytest.mark.parametrize(
    ("end_s", "verdict"), [(1.4, FAILED), (1.5, PASSED), (2.0, PASSED), (2.1, FAILED)]
)
def test_a_phase_may_have_to_take_long_enough(judge, make, end_s, verdict):
    entries = [make.op(end_s=end_s), make.op("x", 5, 6, phase="two")]
    found = judge("elapsed", entries, **TWICE, at_least=1.5)
    assert found.verdict is verdict
    assert found.expected == "one to take at least 1.5 and at most 2 times as long as two"


def test_a_phase_of_no_time_compares_nothing(judge, make):
    entries = [make.op(), make.op("x", 5, 5, phase="two")]
    found = judge("elapsed", entries, **TWICE)
    assert (found.verdict, found.seen) == (UNKNOWN, "two took no time")


@pytest.mark.parametrize("phase", ["one", "two"])
def test_a_phase_with_a_failure_compares_nothing(judge, make, phase):
    failed = make.op("z", 5, 5.5, phase=phase, raised="SpawnFailed")
    entries = [make.op(end_s=1.0), make.op("x", 5, 6, phase="two"), failed]
    found = judge("elapsed", entries, **(TWICE | {"at_most": 9}))
    assert found.verdict is UNKNOWN


# speedup

ASKED = {"phase": "one", "above": 1.5}


def rounds(make, sequential_s, together_s, number, **others):
    return [
        make.timing(pacing, duration_s, round=turn, **others)
        for turn in range(number)
        for pacing, duration_s in (("sequential", sequential_s), ("together", together_s))
    ]


@pytest.mark.parametrize(("together_s", "verdict"), [(1.0, PASSED), (1.4, FAILED), (2.0, FAILED)])
def test_one_simulated_round_says_all(judge, make, together_s, verdict):
    timings = rounds(make, 2.0, together_s, 1)
    assert judge("speedup", timings, phase="one", above=1.5).verdict is verdict


@pytest.mark.parametrize(
    ("together_s", "verdict"), [(2.0, PASSED), (1.91, PASSED), (1.9, FAILED), (1.0, FAILED)]
)
def test_calls_that_must_take_turns_may_not_be_faster_together(judge, make, together_s, verdict):
    found = judge("speedup", rounds(make, 2.0, together_s, 1), phase="one", at_most=1.05)
    assert found.verdict is verdict
    assert found.expected == "a speed-up of at most 1.05 of the phase one"


@pytest.mark.parametrize(("ratio", "verdict"), [(1.2, FAILED), (1.5, PASSED), (1.9, FAILED)])
def test_a_speed_up_may_have_two_bounds(judge, make, ratio, verdict):
    timings = rounds(make, ratio, 1.0, 1)
    found = judge("speedup", timings, phase="one", above=1.3, at_most=1.7)
    assert found.verdict is verdict
    assert found.expected == "a speed-up over 1.3 and of at most 1.7 of the phase one"


def test_a_phase_that_is_serialised_is_told_with_both_times(judge, make):
    found = judge("speedup", rounds(make, 4.41, 4.41, 1), phase="one", above=1.9)
    assert found.expected == "a speed-up over 1.9 of the phase one"
    assert found.seen == "1.00, sequential 4.410 s, together 4.410 s, 1 round"


@pytest.mark.parametrize(("number", "verdict"), [(5, UNKNOWN), (6, PASSED)])
def test_live_rounds_must_be_six(judge, make, number, verdict):
    history = make.history(*rounds(make, 2.0, 1.0, number), node=NodeKind.LIVE)
    assert judge("speedup", history=history, phase="one", above=1.5).verdict is verdict


def live(make, ratios, *, foreign=0.05, **others):
    """Make a live history of rounds with these ratios; ``foreign`` are cores, one or for each."""
    cores = foreign if isinstance(foreign, list) else [foreign] * len(ratios)
    entries = [
        entry
        for number, (ratio, used) in enumerate(zip(ratios, cores, strict=True))
        for entry in (
            make.timing("sequential", ratio, round=number),
            make.timing("together", 1.0, round=number),
            make.machine(number, foreign_cores=used, **others),
        )
    ]
    return make.history(*entries, node=NodeKind.LIVE)


def asked(above=1.3, **others):
    return SpeedUp(phase="one", above=above, **others)


SCATTERED = [1.2, 1.4, 1.6, 1.5, 1.45, 1.55, 1.25, 1.8]


def test_a_live_interval_that_holds_the_bound_tells_nothing(judge, make):
    history = live(make, SCATTERED)
    found = judge("speedup", history=history, phase="one", above=1.3)
    assert found.verdict is UNKNOWN
    assert "between 1.20 and 1.80" in found.seen
    assert found.seen.endswith(": too noisy to tell, run it on a quieter machine")
    assert needs_round(history, asked())


@pytest.mark.parametrize(("ratio", "verdict"), [(2.0, PASSED), (1.0, FAILED)])
def test_a_live_interval_beside_the_bound_decides_after_six_rounds(judge, make, ratio, verdict):
    assert needs_round(live(make, [ratio] * 5), asked())
    history = live(make, [ratio] * 6)
    assert not needs_round(history, asked())
    assert needs_round(history, asked(rounds=7))
    assert judge("speedup", history=history, phase="one", above=1.3).verdict is verdict


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.0, PASSED), (1.19, PASSED), (1.25, FAILED), (2.0, FAILED)]
)
def test_a_live_ratio_may_have_to_stay_small(judge, make, ratio, verdict):
    history = live(make, [ratio] * 6)
    assert not needs_round(history, SpeedUp(phase="one", at_most=1.2))
    assert judge("speedup", history=history, phase="one", at_most=1.2).verdict is verdict


@pytest.mark.parametrize(("at_most", "verdict"), [(1.7, UNKNOWN), (1.9, PASSED)])
def test_a_live_interval_that_holds_one_of_two_bounds_tells_nothing(judge, make, at_most, verdict):
    history = live(make, SCATTERED)
    assert needs_round(history, asked(1.1, at_most=at_most)) is (verdict is UNKNOWN)
    found = judge("speedup", history=history, phase="one", above=1.1, at_most=at_most)
    assert found.verdict is verdict


def test_rounds_end_undecided_at_their_limit(make):
    assert not needs_round(live(make, SCATTERED), asked(rounds_max=8))
    assert needs_round(live(make, SCATTERED), asked(rounds=9, rounds_max=8))


def test_a_simulated_round_is_enough(make):
    assert needs_round(make.history(), asked())
    assert not needs_round(make.history(*rounds(make, 1.31, 1.0, 1)), asked())


# A machine that is busy with other programs accuses nobody.


def rounds_until_the_end(make, ratio, foreign):
    """Count the rounds of a run in which each has this load, and return their history."""
    number = 0
    while needs_round(live(make, [ratio] * number, foreign=foreign[:number]), asked()):
        number += 1
    return number, live(make, [ratio] * number, foreign=foreign[:number])


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.35, 2.0])
def test_a_busy_machine_is_given_up_early_and_accuses_nobody(judge, make, ratio):
    number, history = rounds_until_the_end(make, ratio, [0.9, 1.9, 1.0, 1.1, 1.2] + [1.0] * 30)
    found = judge("speedup", history=history, phase="one", above=1.3)
    assert (number, found.verdict) == (5, UNKNOWN)
    assert found.seen == (
        "0 of 5 rounds count; at least 6, and half of all, must; 5 of 5 rounds dropped: others used"
        " 0.90 to 1.90 cores in rounds 0, 1, 2, 3, 4"
    )


@pytest.mark.parametrize("quiet", [{0}, {1, 4}, {0, 1, 2}, {0, 2, 4, 6}, {1, 2, 3, 4, 5}])
def test_a_machine_that_is_busy_most_of_the_time_is_given_up_within_ten_rounds(make, quiet):
    foreign = [0.0 if number in quiet else 1.0 for number in range(40)]
    number, _ = rounds_until_the_end(make, 1.0, foreign)
    assert number <= 10


def test_a_single_busy_round_is_dropped_and_told_and_the_rest_decides(judge, make):
    number, history = rounds_until_the_end(make, 2.0, [0.0, 0.4] + [0.0] * 30)
    found = judge("speedup", history=history, phase="one", above=1.3)
    assert (number, found.verdict) == (7, PASSED)
    assert found.seen.endswith("1 of 7 rounds dropped: others used 0.40 cores in round 1")


def test_what_a_system_does_not_tell_of_others_is_said(judge, make):
    history = live(make, [2.0] * 6, foreign=None)
    found = judge("speedup", history=history, phase="one", above=1.3)
    assert found.verdict is PASSED
    assert found.seen.endswith("6 rounds, what others used is not known on this system")


# The control says how much room the machine had.


@pytest.mark.parametrize(
    ("own_cores", "room", "verdict"),
    [
        (0.8, 2.0, FAILED),  # a lock on a quiet machine of two cores
        (0.8, 1.0, UNKNOWN),  # one core for all threads of the service
        (0.8, 1.1, FAILED),  # just enough room
        (0.01, 1.0, FAILED),  # calls that wait need no room
        (0.0, 1.0, FAILED),
        (1.9, 2.0, UNKNOWN),  # each call alone uses the whole machine
    ],
)
def test_a_ratio_is_too_low_only_where_the_machine_had_room_for_more(
    judge, make, own_cores, room, verdict
):
    history = live(make, [1.0] * 6, own_cores=own_cores, room=room)
    found = judge("speedup", history=history, phase="one", above=1.3)
    assert found.verdict is verdict
    assert ("the machine had no room for more than" in found.seen) is (verdict is UNKNOWN)


def test_a_machine_without_room_spoils_no_speed_up(judge, make):
    history = live(make, [2.0] * 6, own_cores=1.0, room=1.0)
    assert judge("speedup", history=history, phase="one", above=1.3).verdict is PASSED


def test_calls_that_must_take_turns_show_nothing_on_a_machine_without_room(judge, make):
    asked = {"phase": "one", "at_most": 1.2}
    crowded = live(make, [1.0] * 6, own_cores=1.0, room=1.1)
    assert judge("speedup", history=crowded, **asked).verdict is UNKNOWN
    assert judge("speedup", history=live(make, [1.0] * 6), **asked).verdict is PASSED


@pytest.mark.parametrize("spoilt", [{"failed": 1}, {"succeeded": 0}, {"phase": "two"}])
def test_spoilt_and_foreign_timings_do_not_count(judge, make, spoilt):
    timings = rounds(make, 2.0, 1.0, 5, **spoilt)
    assert judge("speedup", timings, phase="one", above=1.5).verdict is UNKNOWN


def test_a_few_sound_rounds_among_many_spoilt_tell_nothing(judge, make):
    timings = rounds(make, 2.0, 1.0, 13)
    spoilt = [replace(one, failed=1) if one.round > 5 else one for one in timings]
    found = judge("speedup", history=make.history(*spoilt, node=NodeKind.LIVE), **ASKED)
    assert found.verdict is UNKNOWN
    assert found.seen == (
        "6 of 13 rounds count; at least 6, and half of all, must; 7 of 13 rounds dropped: 1 of 3"
        " operations failed in rounds 6, 7, 8, 9, 10, 11, 12"
    )


def test_timings_of_different_work_tell_nothing(judge, make):
    timings = [make.timing("sequential", 2.0, succeeded=4), make.timing("together", 1.0)]
    found = judge("speedup", timings, **ASKED)
    assert found.verdict is UNKNOWN
    assert found.seen == "timings of 2 and 4 operations, not of the same work"


def test_a_timing_of_no_time_tells_nothing(judge, make):
    assert judge("speedup", rounds(make, 2, 0, 5), **ASKED).verdict is UNKNOWN
