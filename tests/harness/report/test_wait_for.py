from dataclasses import replace

from harness.report.wait_for import diagnosis_lines, ring


def test_no_deadlock_has_no_lines(passed_run):
    assert diagnosis_lines(passed_run.history) == []


def test_a_ring_ends_where_it_began(deadlocked_run):
    diagnosis = deadlocked_run.history.deadlock
    assert ring(diagnosis) == ("task-0", "task-1", "task-0")
    closed = replace(diagnosis, cycle=("task-0", "task-1", "task-0"))
    assert ring(closed) == ("task-0", "task-1", "task-0")
    assert ring(replace(diagnosis, cycle=("task-0",))) == ("task-0", "task-0")
    assert ring(replace(diagnosis, cycle=())) == ()


def test_very_many_blocked_tasks_are_counted(deadlocked_run):
    diagnosis = deadlocked_run.history.deadlock
    crowd = replace(diagnosis, blocked=diagnosis.blocked[:1] * 60)
    lines = diagnosis_lines(replace(deadlocked_run.history, deadlock=crowd))
    assert lines[0].endswith("60 tasks blocked")
    assert lines[51] == "  … and 10 more tasks"


def test_a_live_stall_is_told_in_measured_time(deadlocked_run):
    history = replace(deadlocked_run.history, node="live")
    assert diagnosis_lines(history)[0] == "deadlock at 310 ms measured: 3 tasks blocked"
