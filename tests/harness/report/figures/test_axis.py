import pytest

from harness.report.figures.axis import linear_axis, seconds_axis


def labels(axis):
    return [tick.label for tick in axis.ticks]


def test_ticks_are_round_numbers_in_one_unit():
    assert labels(seconds_axis((0.0042,))) == ["0 ms", "1 ms", "2 ms", "3 ms", "4 ms"]
    assert labels(seconds_axis((6.5,))) == ["0 s", "2 s", "4 s", "6 s"]
    assert labels(linear_axis(2.4, suffix=" x"))[:3] == ["0 x", "0.5 x", "1 x"]


def test_a_value_stands_at_its_share_of_the_width():
    axis = seconds_axis((8.0,))
    assert [axis.at(value) for value in (0.0, 2.0, 8.0)] == [0.0, 25.0, 100.0]


def test_values_outside_stand_at_the_edge():
    axis = seconds_axis((8.0,))
    assert (axis.at(-1.0), axis.at(9.0)) == (0.0, 100.0)


def test_widely_spread_times_get_a_logarithmic_axis_where_that_is_allowed():
    times = (0.004, 0.04, 4.0)
    axis = seconds_axis(times, may_be_logarithmic=True)
    assert axis.logarithmic
    assert labels(axis) == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    assert axis.at(0.1) == 50.0
    assert axis.at(0.0) == 0.0
    assert not seconds_axis(times).logarithmic


@pytest.mark.parametrize("times", [(), (0.0,), (0.0, 0.0)])
def test_no_time_at_all_still_makes_an_axis(times):
    axis = seconds_axis(times, may_be_logarithmic=True)
    assert axis.at(0.0) == 0.0
    assert len(axis.ticks) >= 2
