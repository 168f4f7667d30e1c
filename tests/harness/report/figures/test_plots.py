import re
from dataclasses import replace

import pytest

from harness.history.records import History, NodeKind, Outcome
from harness.history.timings import pairs_of, speedup
from harness.report.figures.latency_plot import CALLS_MAX, latency_plot
from harness.report.figures.speedup_plot import speedup_plots
from harness.results.wording import seconds
from tests.there import there


def test_a_percentile_without_enough_samples_is_not_given(passed_run):
    row, other, *_ = there(latency_plot(passed_run.history)).rows
    assert (row.call, row.samples, other.samples) == ("get_client", 14, 10)
    asked = sorted(one.duration_s for one in passed_run.history.operations if one.call == row.call)
    assert dict(row.figures) == {
        "p50": seconds(asked[6]),
        "p95": "needs 20 samples",
        "p99": "needs 100 samples",
        "max": seconds(asked[-1]),
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
    tried = [one.outcome for one in parked_run.history.operations if one.call == "client_sync"]
    assert Outcome.RETURNED not in tried
    assert "client_sync" not in rows
    operations = parked_run.history.operations
    mixed = replace(
        parked_run.history,
        operations=(*operations, replace(operations[3], end_s=None, outcome=Outcome.UNFINISHED)),
    )
    rows = {row.call: row for row in there(latency_plot(mixed)).rows}
    assert (rows["list_accounts"].samples, rows["list_accounts"].left_out) == (1, 1)


def test_no_returned_operation_makes_no_plot(untold_run):
    assert latency_plot(untold_run.history) is None


def test_very_many_calls_are_capped_and_counted(parked_run):
    first = parked_run.history.operations[0]
    operations = tuple(replace(first, call=f"call-{number}") for number in range(CALLS_MAX + 3))
    plot = there(latency_plot(History(node=NodeKind.SIMULATED, operations=operations)))
    assert (len(plot.rows), plot.calls_left_out) == (CALLS_MAX, 3)


def test_a_measured_phase_shows_both_pacings_and_the_interval(live_run):
    (plot,) = speedup_plots(live_run.history)
    timings = len(live_run.history.measurements) // 2
    assert timings >= 7
    assert [(row.name, len(row.timings)) for row in plot.rows] == [
        ("one after another", timings),
        ("together", timings),
    ]
    scale = there(plot.scale)
    assert there(scale.low_x) <= there(scale.ratio_x) <= there(scale.high_x)
    found = there(speedup(pairs_of(live_run.history, "order")))
    low, high = there(found.interval)
    assert (there(scale.one_x) < there(scale.low_x)) is (low > 1)
    told = f"{found.ratio:.2f} x, 95 % interval {low:.2f} to {high:.2f}"
    assert plot.words == f"{told}, {found.rounds} rounds"


def test_timings_of_rounds_that_do_not_count_are_hollow_and_say_why(live_run):
    # An order of the second round failed; in the first, others kept the machine busy.
    first, *others = live_run.history.machine
    busy = replace(first, foreign_cores=0.4, foreign_cores_max=0.15)
    history = replace(live_run.history, machine=(busy, *others))
    (plot,) = speedup_plots(history)
    hollow = [one.title for row in plot.rows for one in row.timings if not one.counts]
    assert plot.not_counted == len(hollow) == 4
    assert sum(title.endswith(", others used 0.40 cores") for title in hollow) == 2
    assert sum(title.endswith(", 1 of 2 operations failed") for title in hollow) == 2


def test_a_timing_without_its_second_is_hollow(live_run):
    history = replace(live_run.history, measurements=live_run.history.measurements[:-1])
    (plot,) = speedup_plots(history)
    hollow = [one.title for row in plot.rows for one in row.timings if not one.counts]
    assert any(title.endswith(", its round was not ended") for title in hollow)


def test_what_others_used_and_the_room_are_told_of_live_runs(live_run, timed_run):
    (plot,) = speedup_plots(live_run.history)
    assert re.fullmatch(
        r"In the rounds that count, other programs used \d+\.\d\d cores of the machine, and it had"
        r" room for \d+\.\d\d times the work of one thread \(medians\)\.",
        plot.machine,
    )
    untold = tuple(replace(one, foreign_cores=None) for one in live_run.history.machine)
    (plot,) = speedup_plots(replace(live_run.history, machine=untold))
    assert "used an unknown part of the machine" in plot.machine
    (plot,) = speedup_plots(timed_run.history)
    assert plot.machine == ""


@pytest.mark.parametrize(
    ("kept", "words"),
    [(1, "too few timings count"), (6, "over 2 rounds, too few for an interval")],
)
def test_too_few_rounds_are_said_to_be_too_few(live_run, kept, words):
    # The lost order is one of the second round.
    history = replace(live_run.history, measurements=live_run.history.measurements[:kept])
    (plot,) = speedup_plots(history)
    assert words in plot.words
