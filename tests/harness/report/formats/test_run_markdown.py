from dataclasses import replace

import pytest

from harness.history.timings import pairs_of, speedup
from harness.report.formats.run_markdown import SIZE_BYTES_MAX, run_markdown
from tests.there import there


def test_failures_come_before_the_table_of_runs(rich_report, deadlocked_run):
    text = run_markdown(rich_report)
    failed, unknown = text.index("### ❌ failed"), text.index("### ❔ unknown")
    assert failed < unknown < text.index("## Speed-up") < text.index("## Runs")
    assert (
        "single_spawn: expected 1 spawn for each (user, network), 1 ended in flush, saw 10 spawns"
        in text
    )
    assert f"replay: {deadlocked_run.replay}" in text


def test_speed_ups_say_simulated_or_measured(rich_report, live_run):
    rows = [line for line in run_markdown(rich_report).splitlines() if "| order |" in line]
    assert [row.rsplit("|", 2)[1].strip() for row in rows] == ["simulated", "measured"]
    assert "2.00 x | too few rounds | 20.0 ms | 10.0 ms | 1 | 0 |" in rows[0]
    found = there(speedup(pairs_of(live_run.history, "order")))
    low, high = there(found.interval)
    assert f"{found.ratio:.2f} x | {low:.2f} to {high:.2f}" in rows[1]
    assert f"| {found.rounds} | 1 | measured |" in rows[1]


def test_times_of_runs_stand_under_their_kind(rich_report):
    text = run_markdown(rich_report)
    assert "| simulated time | measured wall time |" in text
    assert "its times are **simulated**" in text
    assert "all its times are **measured**" in text


def test_a_passed_report_has_no_failures_section(rich_report, passed_run):
    text = run_markdown(replace(rich_report, runs=(passed_run,)))
    assert text.startswith("# harness: ✅ passed\n")
    assert "What did not pass" not in text


def test_nothing_run_is_not_green(rich_report):
    text = run_markdown(replace(rich_report, runs=()))
    assert text.startswith("# harness: ❔ unknown\n")
    assert "0 runs: nothing is known" in text


@pytest.mark.parametrize("kind", ["failed", "passed"])
def test_a_huge_report_stays_under_the_limit_and_says_what_it_left_out(
    rich_report, failed_run, passed_run, kind
):
    run = {"failed": failed_run, "passed": passed_run}[kind]
    runs = tuple(replace(run, seed=seed, claim="ß" * 200) for seed in range(9_000))
    text = run_markdown(replace(rich_report, runs=runs))
    assert len(text.encode()) <= SIZE_BYTES_MAX <= 1_000 * 1_024
    left_out = [line for line in text.splitlines() if line.startswith("> **Left out for size:**")]
    assert any(line.endswith("The JSON report has all.") for line in left_out)


def test_what_was_left_out_is_counted(rich_report, passed_run):
    runs = tuple(replace(passed_run, seed=seed) for seed in range(100))
    text = run_markdown(replace(rich_report, runs=runs), size_bytes_max=10_000)
    shown = text.count("| ✅ passed |")
    assert 0 < shown < 100
    assert f"> **Left out for size:** {100 - shown} runs. The JSON report has all." in text


def test_a_single_endless_message_is_cut(rich_report, failed_run):
    endless = replace(failed_run.checks[1], why="x" * 5_000_000)
    text = run_markdown(replace(rich_report, runs=(replace(failed_run, checks=(endless,)),)))
    assert len(text) < 40_000
    assert "characters left out]" in text


def test_text_from_outside_cannot_leave_its_cell_or_fence(hostile_report):
    text = run_markdown(hostile_report)
    inside = [line for line in text.splitlines() if "<img" in line]
    fenced = text.split("````")
    assert len(fenced) == 3
    assert all(line in fenced[1] for line in inside)
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert len(rows) == 1
    assert rows[0].replace(r"\|", "").count("|") == 8
