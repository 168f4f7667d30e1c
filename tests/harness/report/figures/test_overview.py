from dataclasses import replace

from harness.report.figures.overview import overview
from harness.results.runs import RunReport
from harness.results.verdict import Verdict


def overview_of(*runs):
    numbers = {id(run): number for number, run in enumerate(runs, start=1)}
    return overview(RunReport(runs=runs), numbers)


def test_many_seeds_of_a_scenario_are_one_group_that_names_the_bad_seeds(passed_run, failed_run):
    runs = [replace(passed_run, seed=seed) for seed in range(100)]
    found = overview_of(*runs[:50], failed_run, *runs[50:])
    (group,) = found.groups
    assert (group.runs, group.verdict) == (101, Verdict.FAILED)
    assert [(link.seed, link.section) for link in group.seeds] == [(7, 51)]
    assert [dot.words for dot in group.checks][:3] == [
        "no_deadlock: passed in 101 of 101 runs",
        "single_spawn: failed in 1 of 101 runs",
        "same_result: unknown in 1 of 202 runs",
    ]
    assert len(group.checks) == len({one.name for one in failed_run.checks})
    assert found.headline == "1 of 101 runs failed"
    assert found.seeds == "100 seeds from 0 to 99"


def test_the_same_scenario_on_two_nodes_is_two_groups(rich_report):
    found = overview(rich_report, {})
    both = [group for group in found.groups if group.scenario == "stall"]
    assert [(group.node, group.clock) for group in both] == [
        ("simulated", "simulated"),
        ("live", "measured"),
    ]


def test_failed_groups_come_first_then_unknown_ones(rich_report):
    verdicts = [group.verdict.value for group in overview(rich_report, {}).groups]
    assert verdicts == ["failed"] * 2 + ["unknown"] * 2 + ["passed"] * 3


def test_more_bad_seeds_than_fit_are_counted(failed_run):
    found = overview_of(*(replace(failed_run, seed=seed) for seed in range(30)))
    assert (len(found.groups[0].seeds), found.groups[0].seeds_left_out) == (8, 22)


def test_the_headline_is_never_green_by_omission(passed_run, unreached_run):
    assert overview_of().headline == "Nothing was run"
    assert overview_of(passed_run).headline == "The run passed"
    assert overview_of(unreached_run).headline == "The run could not be judged"
    assert overview_of(passed_run, unreached_run).headline == "1 of 2 runs could not be judged"
    assert overview_of(passed_run, passed_run).headline == "All 2 runs passed"
