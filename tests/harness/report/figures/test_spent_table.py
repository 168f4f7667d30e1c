"""Where the time went, on the page: known and unknown quantities, both nodes beside each other."""

from __future__ import annotations

from dataclasses import replace

from harness.history.records import History, NodeKind, Operation, Outcome
from harness.report.figures.beside import BESIDE_MAX, beside
from harness.report.figures.spent_table import ROWS_MAX, spent_table
from harness.report.formats.run_html import run_html
from harness.results.runs import RunReport
from tests.harness.report.strict_page import Page
from tests.there import there


def operation(number, call="buy", took_s=1.0):
    return Operation(
        number=number, step="s", call=call, user=None, phase="p", task="t", begin_s=0.0,
        end_s=took_s, outcome=Outcome.RETURNED,
    )  # fmt: skip


def history(*operations, node=NodeKind.SIMULATED):
    return History(node=node, operations=operations)


def live(run):
    return replace(run, node="live", virtual_s=None, history=replace(run.history, node="live"))


def row(table, name):
    return next(row for group in table.groups for row in group.rows if row.name == name)


def test_what_is_not_known_has_no_column_and_is_named():
    table = there(spent_table({"simulated": [history(operation(0), operation(1, took_s=2.0))]}))
    assert table.columns == ("Total",)
    assert table.unknown == ("Queue wait", "Service", "CPU", "Node")
    ((series,),) = row(table, "buy").cells
    assert series.figures == (("p50", "1.00 s"), ("max", "2.00 s"))


def test_a_percentile_is_given_once_there_are_samples_enough():
    many = [operation(number, took_s=1.0 + number) for number in range(20)]
    ((series,),) = row(spent_table({"simulated": [history(*many)]}), "buy").cells
    assert series.figures == (("p50", "10.0 s"), ("p95", "19.0 s"))


def test_a_call_of_one_clock_alone_is_not_known_on_the_other():
    table = spent_table(
        {
            "simulated": [history(operation(0), operation(1, call="ask"))],
            "measured": [history(operation(0, took_s=3.0), node=NodeKind.LIVE)],
        }
    )
    ((simulated, measured),) = row(table, "buy").cells
    assert simulated.figures == (("max", "1.00 s"),)
    assert measured.figures == (("max", "3.00 s"),)
    ((_, measured),) = row(table, "ask").cells
    assert not measured.figures
    assert not measured.curve


def test_nothing_that_returned_is_no_table():
    assert spent_table({"simulated": [history()]}) is None


def test_a_cap_on_rows_is_counted_and_a_curve_is_short():
    calls = [operation(number, call=f"call-{number}") for number in range(ROWS_MAX + 3)]
    table = there(spent_table({"simulated": [history(*calls)]}))
    assert sum(len(group.rows) for group in table.groups) == ROWS_MAX
    assert table.rows_left_out == 3
    many = [operation(number, took_s=1.0 + number / 7) for number in range(20_000)]
    ((series,),) = row(spent_table({"simulated": [history(*many)]}), "buy").cells
    assert len(series.curve) < 2_000


def test_only_scenarios_on_both_nodes_stand_beside_each_other(passed_run, failed_run):
    other = replace(failed_run, scenario="other", path="other.toml")
    found, left_out = beside(RunReport(runs=(live(passed_run), other, passed_run)))
    assert [one.scenario for one in found] == [passed_run.scenario]
    assert found[0].runs == (("simulated", "1 of 1 run passed"), ("measured", "1 of 1 run passed"))
    assert left_out == 0
    assert beside(RunReport(runs=(passed_run, failed_run))) == ((), 0)


def test_a_cap_on_scenarios_beside_each_other_is_counted(passed_run):
    runs = [replace(passed_run, path=f"{number}.toml") for number in range(BESIDE_MAX + 2)]
    found, left_out = beside(RunReport(runs=(*runs, *map(live, runs))))
    assert (len(found), left_out) == (BESIDE_MAX, 2)


def test_the_page_shows_both_nodes_and_what_is_not_known(passed_run):
    page = Page(run_html(RunReport(runs=(passed_run, live(passed_run)))))
    assert "Simulated beside live" in page.text
    assert page.text.count("Where the time went") == 3
    assert "not known" in page.text
    alone = Page(run_html(RunReport(runs=(passed_run,))))
    assert "Simulated beside live" not in alone.text
