from dataclasses import replace

import pytest

from harness.report.figures.schedule_diff import (
    diff_lines,
    first_difference,
    side_by_side,
)
from harness.report.html_page import environment
from harness.results.schedule import Schedule


def diff_html(side):
    template = environment().get_template("figures/schedule_diff.html")
    return str(vars(template.module)["schedule_diff_figure"](side))


def changed(schedule, index, **others):
    steps = list(schedule.steps)
    steps[index] = replace(steps[index], **others)
    return replace(schedule, steps=tuple(steps))


@pytest.mark.parametrize(
    "others",
    [{"lane": "x"}, {"does": "x"}, {"place": "x:1"}, {"at_s": 9.0}, {"deviation": "ran ahead"}],
)
def test_they_part_where_lane_deed_place_time_or_deviation_differ(passing_schedule, others):
    assert first_difference(passing_schedule, changed(passing_schedule, 7, **others)) == 7


def test_a_source_text_alone_parts_nothing(passing_schedule):
    assert first_difference(passing_schedule, changed(passing_schedule, 7, source="x")) is None


def test_a_shorter_run_parts_at_its_end(passing_schedule):
    short = Schedule(steps=passing_schedule.steps[:4])
    side = side_by_side(short, passing_schedule)
    assert side.parted_at == 4
    assert side.headline == "the same up to the end of the passing run, at step 4"


def test_equal_runs_have_no_rows(passing_schedule):
    side = side_by_side(passing_schedule, passing_schedule)
    assert (side.rows, side.headline) == ((), "the two runs are the same for all their 18 steps")
    assert side_by_side(Schedule(steps=()), Schedule(steps=())).rows == ()


def test_steps_after_the_parting_are_matched_with_each_other(passing_schedule, failing_schedule):
    side = side_by_side(passing_schedule, failing_schedule)
    assert side.parted_at == 10
    matched = {
        (row.passing.index, row.failing.index)
        for row in side.rows
        if row.same and row.passing and row.failing
    }
    assert matched == {(8, 8), (9, 9), (10, 14), (11, 15), *((at, at + 2) for at in range(14, 18))}
    alone = [row.failing.index for row in side.rows if row.passing is None and row.failing]
    assert alone == [10, 11, 12, 13]


def test_every_step_from_the_parting_on_is_told_once(passing_schedule, failing_schedule):
    side = side_by_side(passing_schedule, failing_schedule)
    assert [row.failing.index for row in side.rows if row.failing] == list(range(8, 20))
    assert [row.passing.index for row in side.rows if row.passing] == list(range(8, 18))


def test_a_long_stretch_after_the_parting_that_is_the_same_is_folded(large_schedule):
    other = changed(large_schedule, 10, does="returned")
    side = side_by_side(large_schedule, other)
    folded = len(large_schedule.steps) - 10 - 1 - 2
    assert [row.folded for row in side.rows if row.folded] == [folded]
    assert f"… {folded:,} steps the same …" in diff_lines(side)
    assert len(side.rows) == 2 + 1 + 3


def test_steps_too_far_from_the_parting_to_be_matched_are_counted(large_schedule):
    other = changed(changed(large_schedule, 10, does="returned"), 2_990, does="returned")
    side = side_by_side(large_schedule, other)
    left_out = len(large_schedule.steps) - 10 - 400
    assert side.steps_left_out == left_out
    assert diff_lines(side)[-1] == f"… {left_out:,} steps of the failing run not compared"
    assert f"{left_out:,} steps of the failing run" in diff_html(side)


def test_a_step_that_only_came_later_is_marked(passing_schedule):
    side = side_by_side(passing_schedule, changed(passing_schedule, 17, at_s=0.5))
    assert [row.moved for row in side.rows] == [False, False, True]
    assert diff_lines(side)[-1][59] == "~"
    assert diff_html(side).count('<tr class="same moved">') == 1


def test_a_stack_trace_that_is_missing_is_told_so(passing_schedule, failing_schedule):
    lines = diff_lines(side_by_side(passing_schedule, failing_schedule, stacks=((), ("here",))))
    assert lines[-4:] == [
        *("the passing run stood at:", "  not recorded"),
        *("the failing run stood at:", "  here"),
    ]


def test_a_cap_on_rows_is_stated(passing_schedule, failing_schedule):
    side = side_by_side(passing_schedule, failing_schedule, rows_max=5)
    assert len(side.rows) == 5
    assert diff_lines(side)[-1] == "… 9 more rows left out"
    assert "9 more are left out" in diff_html(side)


def test_columns_keep_to_the_width_and_mark_who_is_alone(passing_schedule, failing_schedule):
    lines = diff_lines(side_by_side(passing_schedule, failing_schedule), width=100)
    assert max(map(len, lines)) <= 100
    assert [line[49] for line in lines if len(line) > 50 and line[49] in "<>|"].count(">") == 4
    assert sum(line.rstrip().endswith("<") for line in lines) == 2


def test_both_stack_traces_are_told_the_innermost_frames_last(sold_twice):
    long = tuple(f"frame {number}" for number in range(100))
    side = side_by_side(sold_twice.passing, sold_twice.schedule, stacks=(("here",), long))
    lines = diff_lines(side)
    at = lines.index("the passing run stood at:")
    assert lines[at + 1] == "  here"
    assert lines[-1] == "  frame 99"
    assert "  … 40 lines left out" in lines
    html = diff_html(side)
    assert "The failing run stood at" in html
    assert "frame 99" in html


def test_hostile_names_are_escaped(hostile_schedule, nasty):
    other = replace(hostile_schedule, steps=hostile_schedule.steps[1:])
    side = side_by_side(other, hostile_schedule, stacks=((nasty,), (nasty,)))
    assert all(line.isprintable() for line in diff_lines(side))
    html = diff_html(side)
    assert "<img" not in html
    assert "</script>" not in html
    assert "\x1b" not in html
