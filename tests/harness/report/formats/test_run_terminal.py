import io
import os
import pty
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.history.wait_words import describe
from harness.report.formats.run_terminal import Progress, render_result, render_summary
from harness.report.text.event_list import event_lines
from harness.results.verdict import CheckResult, Verdict
from harness.results.wording import seconds

LOCKED = "tests.harness.report.real_runs:OneStall"


def test_a_failure_has_the_form_of_the_house(locked_run):
    where = locked_run.history.lock_holds[0].held_await
    claim = "tests/harness/report/claims/stall.toml"
    assert render_result(locked_run).splitlines() == [
        "FAILED stall [simulated, seed 7]",
        "  expected a speed-up over 1.9 of the phase order, saw 1.00, sequential 0.020 s,"
        " together 0.020 s, 1 round",
        f"  replay: harness replay {claim} --seed 7 --system {LOCKED}",
        f"  why: OneStall._lock was held for 0.020 s of 0.020 s, across {where}; it explains"
        " 100 % of the loss (0.010 s over the ideal 0.010 s)",
    ]


def test_a_passed_run_is_one_line_whose_times_say_what_they_are(passed_run, live_run):
    assert render_result(passed_run) == (
        "PASSED same_user_spawns_one_client [simulated, seed 48151] "
        f"466 ms simulated, {seconds(passed_run.wall_s)} measured, 10 checks"
    )
    wall = seconds(live_run.wall_s)
    assert render_result(live_run).endswith(f"[live, seed 48151] {wall} measured, 4 checks")


def test_several_failed_checks_are_named(deadlocked_run):
    lines = render_result(deadlocked_run).splitlines()
    assert lines[1].startswith("  run: expected the system to open, run and close without")
    assert lines[2] == (
        "  no_deadlock: expected every operation to end within 5 s, saw 2 of 12 unfinished or"
        " late, a deadlock at 5.002 s"
    )
    assert "  why (run, no_deadlock): in a cycle: swap[guest-0] -> swap_back[guest-1]" in lines[9]


def test_a_deadlock_tells_who_waits_for_whom_and_the_ring(deadlocked_run):
    _, cashier, one, other = deadlocked_run.history.deadlock.blocked
    lines = render_result(deadlocked_run).splitlines()
    assert lines[10] == "  deadlock at 5.00 s simulated: 4 tasks blocked"
    assert lines[11].startswith("    task-1 waits for all of 12 gathered at harness/runs/workload")
    lock = "waits for Lock CrossedRows._locks"
    assert lines[12:] == [
        f"    cashier waits for Queue.get CrossedRows._till at {cashier.where}; {cashier.reason}",
        f"    swap[guest-0] {lock}[2] at {one.where}, held by {one.holders[0]}",
        f"    swap_back[guest-1] {lock}[1] at {other.where}, held by {other.holders[0]}",
        "    cycle: swap[guest-0] -> swap_back[guest-1] -> swap[guest-0]",
    ]


def test_only_where_nothing_can_happen_any_more_a_deadlock_is_called_certain(deadlocked_run):
    history = deadlocked_run.history
    # A scenario's run has its deadline to come; a program's has not.
    certain = replace(history, deadlock=replace(history.deadlock, exact=True))
    text = render_result(replace(deadlocked_run, history=certain))
    assert "  deadlock at 5.00 s simulated: 4 tasks blocked" in text


def test_a_run_that_never_began_says_why(unreached_run):
    lines = render_result(unreached_run).splitlines()
    assert lines[0] == "UNKNOWN left [live, seed 48151]"
    assert lines[1].startswith("  could not run: the system under test ended the interpreter")
    assert lines[2].startswith("  replay: ")


def test_a_check_that_cannot_tell_says_so(untold_run):
    told = render_result(untold_run)
    assert "cannot tell: expected each result to be handed out once, saw 0 to compare" in told
    assert "outcomes: cannot tell: expected every operation to end as its step expects, saw" in told


def test_a_run_without_checks_knows_nothing(passed_run):
    text = render_result(replace(passed_run, checks=(), verdict=Verdict.UNKNOWN))
    assert "  no check was made, so nothing is known" in text


def test_who_was_involved_is_not_told_twice_nor_without_end(failed_run):
    seen = CheckResult(
        name="single_spawn",
        verdict=Verdict.FAILED,
        expected="1",
        seen="2 by task-3",
        involved=("task-3",),
    )
    assert "saw 2 by task-3\n" in render_result(replace(failed_run, checks=(seen,)))
    crowd = replace(seen, involved=tuple(f"task-{n}" for n in range(100)))
    assert "task-11, … and 88 more\n" in render_result(replace(failed_run, checks=(crowd,)))


def failed_checks(*checks):
    return tuple(
        CheckResult(verdict=Verdict.FAILED, expected="better", **fields) for fields in checks
    )


def test_a_list_that_begins_in_what_was_seen_goes_on_behind_it(failed_run):
    spawns = {"name": "single_spawn", "seen": "3 spawns: a at 1", "involved": ("a at 1", "b at 1")}
    text = render_result(replace(failed_run, checks=failed_checks(spawns)))
    assert "  expected better, saw 3 spawns: a at 1, b at 1\n" in text


def test_operations_that_did_not_end_as_expected_are_listed_once(failed_run):
    late = {"name": "no_deadlock", "seen": "2 late", "involved": ("ask (t1)", "ask (t2)")}
    ends = ("ask (t1): expected success, cancelled", "ask (t2): expected success, cancelled")
    outcomes = {"name": "outcomes", "seen": "0 of 2 did", "involved": ends, "why": "cancelled"}
    doubt = CheckResult(
        name="same_result",
        verdict=Verdict.UNKNOWN,
        expected="one",
        seen="1; but 2 did not end as their step expects",
        involved=("ask (t1): cancelled", "ask (t2): cancelled", "and 1 more"),
    )
    checks = (*failed_checks(late, outcomes), doubt)
    assert render_result(replace(failed_run, checks=checks)).splitlines()[1:4] == [
        "  no_deadlock: expected better, saw 2 late",
        f"  outcomes: expected better, saw 0 of 2 did: {', '.join(ends)}",
        "  same_result: cannot tell: expected one, saw 1; but 2 did not end as their step expects",
    ]
    alone = render_result(replace(failed_run, checks=(doubt,)))
    assert "as their step expects: ask (t1): cancelled, ask (t2): cancelled, and 1 more" in alone


def test_a_reason_is_told_once_for_all_checks_and_not_where_it_is_told_anyhow(failed_run):
    checks = failed_checks(
        {"name": "overlap", "seen": "1 of 2", "why": "x was held"},
        {"name": "elapsed", "seen": "2 times", "why": "x was held"},
        {"name": "outcomes", "seen": "a failed", "why": "a failed"},
    )
    lines = render_result(replace(failed_run, checks=checks)).splitlines()
    assert lines[5:] == ["  why (overlap, elapsed): x was held"]


def test_the_wait_that_a_deadlock_comes_from_is_told_once(deadlocked_run):
    deadlock = replace(deadlocked_run.history.deadlock, cycle=())
    history = replace(deadlocked_run.history, deadlock=deadlock)
    (check, *_) = deadlocked_run.checks
    checks = (replace(check, why=describe(deadlock)),)
    text = render_result(replace(deadlocked_run, history=history, checks=checks))
    assert "why" not in text
    wait = f"CrossedRows._till at {deadlock.blocked[1].where}"
    assert text.count(wait) == 1
    assert "\n".join(event_lines(history)).count(wait) == 0


def test_no_message_can_steer_the_terminal(hostile_run):
    text = render_result(hostile_run)
    assert "\x1b" not in text
    assert all(line.startswith(("FAILED ", "  ")) for line in text.splitlines())


def test_the_summary_counts_every_verdict(rich_report):
    wall = seconds(sum(run.wall_s for run in rich_report.runs))
    counts = "4 passed, 2 failed, 2 unknown (2 live, 6 simulated"
    assert render_summary(rich_report) == f"8 runs: {counts}; {wall} of runs, measured)"
    assert render_summary(replace(rich_report, runs=())).startswith("0 runs: nothing was run")


def told(runs, *, quiet=False, total=None):
    stream = io.StringIO()
    progress = Progress(quiet=quiet, stream=stream)
    progress.start(len(runs) if total is None else total)
    for run in runs:
        progress.finished(run)
    progress.close()
    progress.close()
    return stream.getvalue()


def test_without_a_terminal_every_run_is_told_in_plain_lines(rich_report):
    text = told(rich_report.runs)
    assert text == "".join(f"{render_result(run)}\n" for run in rich_report.runs)


def test_quiet_tells_only_what_did_not_pass(rich_report, failed_run, passed_run):
    assert told([passed_run, failed_run], quiet=True) == f"{render_result(failed_run)}\n"


def test_very_many_passed_runs_are_counted_and_failures_still_told(passed_run, failed_run):
    lines = told([passed_run] * 499 + [failed_run] + [passed_run] * 500).splitlines()
    assert len(lines) == 20 + len(render_result(failed_run).splitlines())
    assert lines[0] == "50 of 1,000 runs: 50 passed"
    assert lines[-1] == "1,000 of 1,000 runs: 999 passed, 1 failed"


def test_an_interrupted_batch_says_how_far_it_came(passed_run):
    assert told([passed_run], total=12).endswith("\nended after 1 of 12 runs\n")


def test_a_stream_that_lacks_a_letter_shows_its_escape(passed_run):
    raw = io.BytesIO()
    progress = Progress(stream=io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    progress.start(1)
    progress.finished(replace(passed_run, scenario="zoë"))
    assert rb"PASSED zo\xeb [simulated" in raw.getvalue()


PROGRAM = """
import sys
from harness.history.wait_words import describe
from harness.report.text.event_list import event_lines
from harness.report.formats.run_terminal import Progress
from harness.results.runs import RunResult
from harness.results.verdict import CheckResult, Verdict

failed = CheckResult(name="c", verdict=Verdict.FAILED, expected="[bold]1[/bold]", seen="2")
run = RunResult(
    scenario="s", path="s.toml", claim="", node="simulated", seed=1, verdict=Verdict.FAILED,
    digest=None, checks=(failed,), virtual_s=1.0, wall_s=0.1, replay="harness replay " + "x" * 200,
)
progress = Progress(stream=sys.stdout)
progress.start(2)
progress.finished(run)
progress.close()
"""


@pytest.fixture
def terminal_output():
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdout=follower,
        env=environment,
        check=True,
        timeout=60,
    )
    os.close(follower)
    os.set_blocking(leader, False)
    found = os.read(leader, 1_000_000).decode()
    os.close(leader)
    return found


def test_on_a_terminal_a_bar_moves_and_failures_stand_above_it(terminal_output):
    assert "\x1b[1;31mFAILED\x1b[0m s [simulated, seed 1]" in terminal_output
    assert "  expected [bold]1[/bold], saw 2" in terminal_output
    assert "x" * 200 in terminal_output  # one line, so that it can be copied
    assert "1 failed" in terminal_output
    assert "1/2" in terminal_output
