from dataclasses import replace

from harness.report.text.wait_for import diagnosis_lines


def test_no_deadlock_has_no_lines(passed_run):
    assert diagnosis_lines(passed_run.history) == []


def test_very_many_blocked_tasks_are_counted(deadlocked_run):
    diagnosis = deadlocked_run.history.deadlock
    one = diagnosis.blocked[0]
    apart = tuple(replace(one, task=f"task-{n}", where=f"a.py:{n}") for n in range(60))
    crowd = replace(diagnosis, blocked=apart)
    lines = diagnosis_lines(replace(deadlocked_run.history, deadlock=crowd))
    assert lines[0].endswith("60 tasks blocked")
    assert lines[51] == "  … and 10 more tasks"


def test_tasks_that_wait_alike_are_told_in_one_line(deadlocked_run):
    diagnosis = deadlocked_run.history.deadlock
    _, cashier, swap, _ = diagnosis.blocked
    one = replace(swap, reason="so")
    alike = tuple(replace(one, task=f"task-{n}") for n in range(14))
    crowd = replace(diagnosis, blocked=(*alike, cashier), cycle=())
    lines = diagnosis_lines(replace(deadlocked_run.history, deadlock=crowd))
    names = ", ".join(f"task-{n}" for n in range(12))
    assert lines[1:] == [
        f"  {names} and 2 more wait for Lock CrossedRows._locks[2] at {swap.where},"
        f" held by {swap.holders[0]}; so",
        f"  cashier waits for Queue.get CrossedRows._till at {cashier.where}; {cashier.reason}",
    ]


def test_the_wait_that_tells_most_comes_first_and_of_holders_some_are_named(deadlocked_run):
    diagnosis = deadlocked_run.history.deadlock
    _, *waits = diagnosis.blocked
    first, second, third = (replace(one, holders=(), reason=None) for one in waits)
    blocked = (
        replace(first, holders=tuple("abcdef")),
        replace(second, reason="nobody left can set it"),
        replace(third, reason="lost wake-up: so"),
    )
    told = replace(deadlocked_run.history, deadlock=replace(diagnosis, blocked=blocked, cycle=()))
    lines = diagnosis_lines(told)
    assert [line.split()[0] for line in lines[1:]] == [
        "swap_back[guest-1]",
        "cashier",
        "swap[guest-0]",
    ]
    assert lines[2].endswith(", held by a, b, c, d and 2 more")


def test_a_live_stall_is_told_in_measured_time(deadlocked_run):
    history = replace(deadlocked_run.history, node="live")
    assert diagnosis_lines(history)[0] == "deadlock at 5.00 s measured: 4 tasks blocked"


def test_without_a_cycle_what_time_ended_is_called_no_deadlock(deadlocked_run):
    diagnosis = replace(deadlocked_run.history.deadlock, cycle=(), exact=False)
    history = replace(deadlocked_run.history, deadlock=diagnosis)
    assert diagnosis_lines(history)[0] == "given up at 5.00 s simulated: 4 tasks blocked"
