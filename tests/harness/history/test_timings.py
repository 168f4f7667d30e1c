from random import Random

import pytest

from harness.errors import HarnessBug
from harness.history.records import History, MachineRecord, Measurement, NodeKind, Pacing
from harness.history.timings import (
    median,
    pairs_of,
    percentile,
    percentile_samples_min,
    phases,
    speedup,
)

SLOW, FAST = Pacing.SEQUENTIAL, Pacing.TOGETHER


def timing(number, pacing, duration_s, *, failed=0, phase="create"):
    return Measurement(
        phase=phase,
        round=number,
        pacing=pacing,
        duration_s=duration_s,
        succeeded=2 - failed,
        failed=failed,
    )


def machine(number, foreign_cores, *, most=0.15, phase="create"):
    return MachineRecord(
        phase=phase,
        round=number,
        foreign_cores=foreign_cores,
        foreign_cores_max=most,
        own_cores=0.8,
        room=2.0,
    )


def history(sequential, together, *others):
    """Make a history of rounds, in alternating order, as a live run times them."""
    timings = []
    for number, (slow, fast) in enumerate(zip(sequential, together, strict=True)):
        both = [timing(number, SLOW, slow), timing(number, FAST, fast)]
        timings += both if number % 2 == 0 else reversed(both)
    timings += [one for one in others if isinstance(one, Measurement)]
    records = tuple(one for one in others if isinstance(one, MachineRecord))
    return History(node=NodeKind.LIVE, measurements=tuple(timings), machine=records)


def speedup_of(given):
    return speedup(pairs_of(given, "create"))


def test_the_median_of_an_even_number_lies_between_the_middle_two():
    assert (median([5, 1, 3]), median([4, 1, 3, 2])) == (3, 2.5)


def test_a_percentile_is_always_a_value_that_was_seen():
    values = [15, 20, 35, 40, 50]
    assert [percentile(values, percent) for percent in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]


def test_a_95th_percentile_under_20_samples_is_the_maximum():
    assert percentile_samples_min(95) == 20
    assert percentile(range(19), 95) == 18
    assert percentile(range(20), 95) == 18


def test_a_99th_percentile_needs_100_samples():
    assert percentile_samples_min(99) == 100


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_outside_its_range_is_refused(percent):
    with pytest.raises(HarnessBug, match="over 0 and up to 100, got"):
        percentile([1.0], percent)


def test_nothing_has_no_median_and_no_percentile():
    with pytest.raises(HarnessBug, match="median: values must not be empty"):
        median([])
    with pytest.raises(HarnessBug, match="percentile: values must not be empty"):
        percentile([], 50)


def test_the_speed_up_is_the_median_of_the_ratios_of_each_round():
    # The machine is three times as slow in the last round: both timings of it are.
    found = speedup_of(history([4.0, 4.2, 12.3], [2.0, 2.0, 6.0]))
    assert found is not None
    assert found.ratio == pytest.approx(2.05)
    assert (found.sequential_s, found.together_s, found.rounds) == (4.2, 2.0, 3)


def test_a_drift_of_the_machine_moves_no_ratio():
    slowness = [1.2**number for number in range(8)]
    found = speedup_of(history([3.6 * one for one in slowness], [2.0 * one for one in slowness]))
    assert found is not None
    assert found.interval == (pytest.approx(1.8), pytest.approx(1.8))


def test_rounds_with_a_failed_operation_do_not_count():
    late = [timing(6, SLOW, 400.0), timing(6, FAST, 0.001, failed=1)]
    found = speedup_of(history([4.0] * 6, [2.0] * 6, *late))
    assert found is not None
    assert (found.ratio, found.rounds, found.dropped) == (2.0, 6, 1)
    pairs = pairs_of(history([4.0] * 6, [2.0] * 6, *late), "create")
    assert pairs[-1].spoilt_by == "1 of 2 operations failed"


def test_rounds_beside_other_programs_do_not_count():
    busy = [machine(number, 0.1 * number) for number in range(4)]
    given = history([4.0, 4.0, 2.0, 2.0], [2.0] * 4, *busy)
    assert [one.spoilt_by for one in pairs_of(given, "create")] == [
        None,
        None,
        "others used 0.20 cores",
        "others used 0.30 cores",
    ]
    found = speedup_of(given)
    assert found is not None
    assert (found.ratio, found.rounds, found.dropped) == (2.0, 2, 2)


def test_how_much_others_may_use_is_the_rounds_own():
    for most, dropped in ((0.15, 1), (0.5, 0)):
        found = speedup_of(history([4.0, 4.0], [2.0, 2.0], machine(1, 0.4, most=most)))
        assert found is not None
        assert found.dropped == dropped


def test_what_others_use_is_unknown_on_some_systems_and_drops_no_round():
    found = speedup_of(history([4.0], [2.0], machine(0, None)))
    assert found is not None
    assert found.dropped == 0


def test_few_rounds_give_a_ratio_without_an_interval():
    found = speedup_of(history([4.0] * 5, [2.0] * 5))
    assert found is not None
    assert (found.rounds, found.interval) == (5, None)


def test_a_round_without_its_second_timing_is_no_pair():
    assert pairs_of(history([], [], timing(0, SLOW, 4.0)), "create") == ()
    assert speedup_of(history([], [], timing(0, SLOW, 4.0))) is None


def test_timings_of_no_time_give_no_speed_up():
    assert speedup_of(history([4.0], [0.0])) is None


def test_two_phases_are_not_mixed():
    other = [timing(0, SLOW, 9.0, phase="list"), timing(0, FAST, 1.0, phase="list")]
    given = history([4.0], [2.0], *other, machine(0, 9.0, phase="list"))
    assert phases(given) == ("create", "list")
    found = speedup_of(given)
    assert found is not None
    assert found.ratio == 2.0


def test_the_order_within_a_round_is_not_taken_for_a_pacing():
    random = Random(3)
    slow = [random.uniform(3.9, 4.1) for _ in range(7)]
    pairs = pairs_of(history(slow, [2.0] * 7), "create")
    assert [one.ratio for one in pairs] == [one / 2.0 for one in slow]
