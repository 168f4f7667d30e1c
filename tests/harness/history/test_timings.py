from random import Random

import pytest

from harness.errors import HarnessBug
from harness.history.records import Measurement, Pacing
from harness.history.timings import (
    bootstrap_interval,
    fresh_random,
    median,
    percentile,
    percentile_samples_min,
    phases,
    speedup,
)


def timing(duration_s, pacing=Pacing.SEQUENTIAL, *, failed=0, warm_up=False, phase="create"):
    return Measurement(
        phase=phase,
        round=0,
        pacing=pacing,
        duration_s=duration_s,
        succeeded=2 - failed,
        failed=failed,
        warm_up=warm_up,
    )


def timings(sequential, together):
    slow = [timing(one) for one in sequential]
    return slow + [timing(one, Pacing.TOGETHER) for one in together]


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


def test_the_speed_up_is_the_ratio_of_the_medians():
    found = speedup(timings([4.0, 4.2, 9.0, 4.1, 4.4], [2.0, 2.1, 2.2, 2.0, 1.9]), random=Random(1))
    assert found is not None
    assert (found.sequential_s, found.together_s, found.rounds) == (4.2, 2.0, 5)
    assert found.ratio == pytest.approx(2.1)
    assert found.low < 2.1 < found.high
    assert found.has_interval


def test_warm_ups_and_failed_timings_do_not_count():
    good = timings([4.0] * 5, [2.0] * 5)
    bad = [timing(400.0, warm_up=True), timing(0.001, Pacing.TOGETHER, failed=1)]
    assert speedup([*bad, *good], random=Random(1)) == speedup(good, random=Random(1))


def test_the_same_random_gives_the_same_interval():
    measurements = timings([4.0, 4.2, 4.9, 4.1, 4.4], [2.0, 2.1, 2.6, 2.0, 1.9])
    assert speedup(measurements, random=Random(7)) == speedup(measurements, random=Random(7))
    assert fresh_random().random() == fresh_random().random()


def test_equal_timings_have_an_interval_without_width():
    found = speedup(timings([4.4] * 5, [2.2] * 5), random=Random(1))
    assert found is not None
    assert (found.low, found.ratio, found.high) == (2.0, 2.0, 2.0)


def test_few_rounds_give_a_ratio_without_an_interval():
    found = speedup(timings([4.0] * 4, [2.0] * 9), random=Random(1))
    assert found is not None
    assert (found.rounds, found.has_interval) == (4, False)


@pytest.mark.parametrize(
    ("sequential", "together"), [([], []), ([4.0], []), ([], [2.0]), ([4.0], [0.0])]
)
def test_a_pacing_without_timings_has_no_speed_up(sequential, together):
    assert speedup(timings(sequential, together), random=Random(1)) is None


def test_fewer_rounds_than_asked_for_give_no_speed_up():
    measurements = timings([4.0] * 4, [2.0] * 4)
    assert speedup(measurements, random=Random(1), rounds_min=5) is None
    assert speedup(measurements, random=Random(1), rounds_min=4) is not None


def test_two_phases_are_not_mixed():
    mixed = [timing(1.0), timing(1.0, phase="list")]
    assert phases(mixed) == ("create", "list")
    with pytest.raises(HarnessBug, match="one phase, got create, list"):
        speedup(mixed, random=Random(1))


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    # The percentile bootstrap of a median is known to be a little bold with 15 samples.
    random = Random(3)
    held = 0
    for _ in range(60):
        sequential = [4 * random.lognormvariate(0, 0.1) for _ in range(15)]
        together = [2 * random.lognormvariate(0, 0.1) for _ in range(15)]
        low, high = bootstrap_interval(sequential, together, random=random)
        held += low <= 2 <= high
    assert held >= 51
