from dataclasses import replace

from harness.report.text.schedule_stretches import Gap, shown_steps, with_gaps
from harness.report.text.schedule_text import schedule_lines
from harness.results.schedule import Schedule


def quiet(schedule):
    """Take every deviation away."""
    return replace(schedule, steps=tuple(replace(step, deviation=None) for step in schedule.steps))


def test_a_step_says_when_who_what_and_where(failing_schedule):
    lines = schedule_lines(failing_schedule)
    step = failing_schedule.steps[9]
    assert step.place.startswith("tests/harness/report/real_runs.py:")
    assert lines[9].split() == [
        *("9", "24.7", "ms", "buy[guest-1]", "awaits", "executor", "call", "len"),
        *(*step.place.split(), "await", "asyncio.to_thread(len,", "self._sold)"),
    ]


def test_a_deviation_is_starred_and_told_under_its_step(failing_schedule):
    lines = schedule_lines(failing_schedule)
    starred = [at for at, line in enumerate(lines) if line.startswith("* ")]
    assert [lines[at].split()[1] for at in starred] == ["10", "12"]
    assert lines[starred[0] + 1].strip() == "* ran ahead of executor 1.2.p2"


def test_a_long_stretch_without_deviations_is_folded(large_schedule):
    lines = schedule_lines(large_schedule)
    first = large_schedule.deviations[0].index
    # All but the first two, and the one before the deviation.
    assert lines[2].strip() == f"… {first - 3} steps as by default …"
    assert sum(line.startswith("* ") for line in lines) == len(large_schedule.deviations)


def test_without_deviations_only_the_ends_are_told(large_schedule):
    lines = schedule_lines(quiet(large_schedule))
    assert f"  … {len(large_schedule.steps) - 6:,} steps as by default …" in lines
    assert len(lines) == 3 + 1 + 3 + 1


def test_two_or_fewer_steps_are_never_folded(failing_schedule):
    short = replace(quiet(failing_schedule), steps=quiet(failing_schedule).steps[:8])
    assert not [line for line in schedule_lines(short) if "…" in line]


def test_a_cap_leaves_out_the_middle_and_counts_its_deviations(large_schedule):
    shown = shown_steps(large_schedule.steps, steps_max=10)
    assert len(shown) == 10
    assert shown[0].index == 0
    assert shown[-1] is large_schedule.steps[-1]
    lines = schedule_lines(large_schedule, steps_max=10)
    (left_out,) = [line for line in lines if "left out" in line]
    told = sum(line.startswith("* ") for line in lines)
    assert f"{len(large_schedule.deviations) - told} deviations in them" in left_out


def test_shown_steps_and_gaps_make_up_the_whole_schedule(large_schedule):
    for steps_max in (3, 40, 400):
        shown = shown_steps(large_schedule.steps, steps_max=steps_max)
        pieces = list(with_gaps(large_schedule.steps, shown))
        steps = [one for one in pieces if not isinstance(one, Gap)]
        assert steps == list(shown)
        total = len(steps) + sum(one.steps for one in pieces if isinstance(one, Gap))
        assert total == len(large_schedule.steps)


def test_the_cycle_and_what_was_dropped_close_the_list(cycle_schedule, large_schedule):
    assert schedule_lines(cycle_schedule)[-1].endswith("dine[guest-4] -> dine[guest-0]")
    assert schedule_lines(large_schedule)[-1].strip() == (
        "… 12 more steps at the end, not recorded"
    )


def test_an_empty_schedule_says_that_nothing_ran():
    assert schedule_lines(Schedule(steps=())) == ["the schedule is empty: nothing ran"]


def test_hostile_words_stay_in_their_line_and_short(hostile_schedule):
    for line in schedule_lines(hostile_schedule):
        assert line.isprintable()
        assert len(line) < 1_600
