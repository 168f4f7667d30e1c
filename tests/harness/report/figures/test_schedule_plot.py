import re
from dataclasses import replace
from itertools import pairwise

import pytest

from harness.report.figures.schedule_plot import LANES_MAX, STEPS_MAX, schedule_plot
from harness.report.text.schedule_text import step_kind
from harness.results.schedule import Schedule, ScheduleStep
from tests.there import there


def numbers(path):
    return [float(one) for one in re.findall(r"-?\d+\.?\d*", path)]


def test_each_lane_is_a_row_and_each_step_a_column(failing_schedule):
    plot = there(schedule_plot(failing_schedule))
    assert [lane.label for lane in plot.lanes] == list(failing_schedule.lanes)
    assert len({lane.y for lane in plot.lanes}) == 6
    xs = [mark.x for mark in plot.marks]
    assert xs == sorted(set(xs))
    rows = {lane.label: lane.y for lane in plot.lanes}
    assert [mark.y for mark in plot.marks] == [rows[step.lane] for step in failing_schedule.steps]


def test_deviations_are_numbered_stars_with_their_words(cycle_schedule):
    plot = there(schedule_plot(cycle_schedule))
    assert [(mark.star, mark.words) for mark in plot.deviations] == [
        (1, "step 19, dine[guest-3]: ran ahead of dine[guest-2]"),
        (2, "step 22, dine[guest-1]: ran ahead of dine[guest-0]"),
        (3, "step 27, dine[guest-0]: ran ahead of dine[guest-1]"),
    ]
    assert "not as by default: ran ahead of dine[guest-0]" in plot.deviations[1].title


def test_the_kind_of_a_mark_is_how_its_step_ended(failing_schedule):
    *steps, last = failing_schedule.steps
    # What an operation raises is caught and recorded: only the task of a program ends so.
    raised = replace(failing_schedule, steps=(*steps, replace(last, does="raised SoldTwice")))
    kinds = [mark.kind for mark in there(schedule_plot(raised)).marks]
    assert [at for at, kind in enumerate(kinds) if kind == "ended"] == [6, 14, 16]
    assert [at for at, kind in enumerate(kinds) if kind == "failed"] == [19]


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        ("awaits Lock.acquire", "ran"),
        ("lets others run", "ran"),
        ("returned", "ended"),
        ("raised SoldOut", "failed"),
        ("was cancelled", "failed"),
        ("cancelled here", "failed"),
        ("fault: client.sync fails", "failed"),
    ],
)
def test_the_words_of_a_step_say_its_kind(failing_schedule, does, kind):
    assert step_kind(replace(failing_schedule.steps[0], does=does)) == kind


def test_a_tick_stands_where_virtual_time_moves_and_labels_keep_apart(failing_schedule):
    plot = there(schedule_plot(failing_schedule))
    moments = list(dict.fromkeys(step.at_s for step in failing_schedule.steps))
    assert len(plot.ticks) == len(moments)
    told = [tick.x for tick in plot.ticks if tick.label]
    assert all(later - earlier >= 58 for earlier, later in pairwise(told))


def test_time_that_stands_still_still_spreads_the_steps(failing_schedule):
    still = tuple(replace(step, at_s=0.0) for step in failing_schedule.steps)
    plot = there(schedule_plot(replace(failing_schedule, steps=still)))
    assert [tick.label for tick in plot.ticks] == ["0 s"]
    assert len({mark.x for mark in plot.marks}) == 20


def test_a_wake_up_is_drawn_between_lanes_that_are_known(failing_schedule):
    plot = there(schedule_plot(failing_schedule))
    lanes = [step.lane for step in failing_schedule.steps]
    known = [one for one in failing_schedule.steps if one.woken_by is not None]
    known = [one for one in known if lanes[one.woken_by] != one.lane]
    assert len(plot.wakes) == len(known)
    told = ["woken by step" in mark.title for mark in plot.marks]
    assert told == [one.woken_by is not None for one in failing_schedule.steps]
    begin = numbers(plot.wakes[0])[:2]
    assert begin == [plot.marks[0].x, plot.marks[0].y]


def test_the_cycle_is_drawn_as_arrows_from_each_lane_to_the_next(cycle_schedule):
    plot = there(schedule_plot(cycle_schedule))
    rows = {lane.label: lane.y for lane in plot.lanes}
    names = [f"dine[guest-{n}]" for n in range(5)]
    ends = [(numbers(path)[1] - 5, numbers(path)[-1] + 5) for path in plot.cycle]
    assert ends == [(rows[names[n]], rows[names[(n + 1) % 5]]) for n in range(5)]
    assert {lane.label for lane in plot.lanes if lane.in_cycle} == set(names)
    assert all(number <= plot.width for path in plot.cycle for number in numbers(path)[::2])


@pytest.mark.parametrize("which", ["failing_schedule", "cycle_schedule"])
def test_a_short_schedule_with_its_cycle_fits_the_page(which, request):
    assert 500 < there(schedule_plot(request.getfixturevalue(which))).width <= 870


def test_many_steps_are_capped_near_the_deviations_and_it_says_so(large_schedule):
    plot = there(schedule_plot(large_schedule))
    assert len(plot.marks) <= STEPS_MAX
    assert len(plot.deviations) == len(large_schedule.deviations)
    assert f"{len(plot.marks)} of {len(large_schedule.steps):,} steps" in plot.left_out
    assert "none of 12 steps at the end that were not recorded" in plot.left_out
    counts = [there(re.search(r"\d[\d,]*", one.title))[0] for one in plot.breaks]
    told = sum(int(count.replace(",", "")) for count in counts)
    assert told + len(plot.marks) == len(large_schedule.steps)


def test_over_the_cap_lanes_of_the_cycle_and_deviations_come_first(large_schedule):
    steps = tuple(
        replace(large_schedule.steps[0], index=n, lane=f"lane-{n}", deviation=None)
        for n in range(100)
    )
    steps = (*steps[:98], replace(steps[98], deviation="cancelled here"), steps[99])
    plot = there(schedule_plot(Schedule(steps=steps, cycle=("lane-99", "lane-97"))))
    labels = [lane.label for lane in plot.lanes]
    assert len(labels) == LANES_MAX
    assert labels[-3:] == ["lane-97", "lane-98", "lane-99"]
    assert f"{LANES_MAX} of 100 lanes" in plot.left_out


@pytest.mark.parametrize("count", [1, 2, 3_000])
def test_one_lane_alone_has_neither_cycle_nor_wake_ups(count):
    steps = tuple(
        ScheduleStep(index=n, at_s=0.0, lane="alone", does="awaits sleep") for n in range(count)
    )
    plot = there(schedule_plot(Schedule(steps=steps, cycle=("alone",))))
    assert (len(plot.lanes), plot.cycle, plot.wakes) == (1, (), ())
    assert plot.width > 0


def test_an_empty_schedule_is_not_drawn():
    assert schedule_plot(Schedule(steps=())) is None


def test_a_cycle_of_lanes_that_never_ran_is_not_drawn(failing_schedule):
    assert there(schedule_plot(replace(failing_schedule, cycle=("ghost", "other")))).cycle == ()
