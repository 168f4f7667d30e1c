import re
from dataclasses import replace

import pytest

from harness.history.records import History, NodeKind, Outcome
from harness.report.figures.latency_plot import CALLS_MAX, latency_plot
from harness.report.figures.speedup_plot import speedup_plots
from tests.there import there


def test_a_percentile_without_enough_samples_is_not_given(passed_run):
    (row,) = there(latency_plot(passed_run.history)).rows
    assert dict(row.figures) == {
        "p50": "213 ms",
        "p95": "needs 20 samples",
        "p99": "needs 100 samples",
        "max": "213 ms",
    }
    assert [one.kind for one in row.percentiles] == ["p50"]


def test_a_curve_rises_from_nothing_to_all_samples(live_run):
    for row in there(latency_plot(live_run.history)).rows:
        heights = [float(one) for one in re.findall(r"V([\d.]+)", row.curve)]
        places = [float(one) for one in re.findall(r"H([\d.]+)", row.curve)]
        assert heights == sorted(heights, reverse=True)
        assert places == sorted(places)
        assert heights[-1] == 0.0
        assert places[-1] == 1000


def test_few_samples_have_a_tick_each_and_many_none(live_run):
    operation = live_run.history.operations[0]
    few, many = (
        there(latency_plot(replace(live_run.history, operations=(operation,) * number))).rows[0]
        for number in (60, 61)
    )
    assert few.rug.count("M") == 60
    assert many.rug == ""


def test_operations_that_did_not_return_are_counted_but_have_no_latency(parked_run):
    rows = {row.call: row for row in there(latency_plot(parked_run.history)).rows}
    assert "client_sync" not in rows
    operations = parked_run.history.operations
    mixed = replace(
        parked_run.history,
        operations=(*operations, replace(operations[2], end_s=None, outcome=Outcome.UNFINISHED)),
    )
    rows = {row.call: row for row in there(latency_plot(mixed)).rows}
    assert (rows["list_accounts"].samples, rows["list_accounts"].left_out) == (1, 1)


def test_no_returned_operation_makes_no_plot(deadlocked_run):
    assert latency_plot(deadlocked_run.history) is None


def test_very_many_calls_are_capped_and_counted(parked_run):
    first = parked_run.history.operations[0]
    operations = tuple(replace(first, call=f"call-{number}") for number in range(CALLS_MAX + 3))
    plot = there(latency_plot(History(node=NodeKind.SIMULATED, operations=operations)))
    assert (len(plot.rows), plot.calls_left_out) == (CALLS_MAX, 3)


def test_a_measured_phase_shows_both_pacings_and_the_interval(live_run):
    (plot,) = speedup_plots(live_run.history)
    assert [(row.name, len(row.timings)) for row in plot.rows] == [
        ("one after another", 7),
        ("together", 7),
    ]
    scale = there(plot.scale)
    assert there(scale.low_x) < there(scale.ratio_x) < there(scale.high_x)
    assert there(scale.one_x) < there(scale.low_x)
    assert re.fullmatch(r"2\.26 x, 95 % interval 2\.\d\d to 2\.\d\d, 5 rounds", plot.words)


def test_timings_that_do_not_count_are_hollow(live_run):
    (plot,) = speedup_plots(live_run.history)
    hollow = [one.title for row in plot.rows for one in row.timings if not one.counts]
    assert plot.not_counted == len(hollow) == 3
    assert any(title.endswith(", warm-up") for title in hollow)
    assert any(title.endswith(", 1 failed") for title in hollow)


@pytest.mark.parametrize(
    ("kept", "words"),
    [(3, "too few timings count"), (6, "over 2 rounds, too few for an interval")],
)
def test_too_few_rounds_are_said_to_be_too_few(live_run, kept, words):
    # Two timings a round, and round 0 is the warm-up: 3 timings leave "together" without one.
    history = replace(live_run.history, measurements=live_run.history.measurements[:kept])
    (plot,) = speedup_plots(history)
    assert words in plot.words
