"""Two reports compared: exact in virtual time, by intervals in real time, and nothing silently."""

from __future__ import annotations

import pytest

from harness.history.records import NodeKind
from harness.results.comparisons import Way
from harness.results.verdict import Verdict
from tests.harness.report.comparing.conftest import live

ONE, TWO = "same_user_spawns_one_client", "concurrent_beats_sequential"


def test_a_report_is_equal_to_itself_to_the_last_step(document, against):
    found = against(document)
    assert (found.runs, found.equal, found.verdict) == (3, 3, Verdict.PASSED)
    assert (found.verdicts, found.simulated, found.measured, found.notes) == ((), (), (), ())


@pytest.mark.parametrize(
    ("factor", "way", "verdict"),
    [(1.0001, Way.SLOWER, Verdict.FAILED), (0.9999, Way.FASTER, Verdict.PASSED)],
)
def test_a_latency_that_differs_in_one_seed_is_named(changed, against, factor, way, verdict):
    def change(report):
        report["runs"][1]["figures"]["latencies"][0]["p50_s"] *= factor

    found = against(changed(change))
    (one,) = found.simulated
    assert (one.scenario, one.way, one.unit, one.seed, one.seeds) == (ONE, way, "s", 1, 2)
    assert one.what.startswith("p50 of ")
    assert one.new == pytest.approx(one.old * factor)
    assert one.more + one.less == 1
    assert found.verdict is verdict


def test_the_last_digit_of_a_sum_is_no_difference(changed, against):
    def change(report):
        report["runs"][0]["virtual_s"] *= 1 + 1e-12

    assert against(changed(change)).simulated == ()


def test_slower_with_one_seed_and_faster_with_another_is_slower_and_told_so(changed, against):
    def change(report):
        report["runs"][0]["virtual_s"] *= 0.5
        report["runs"][1]["virtual_s"] *= 1.1

    (one,) = against(changed(change)).simulated
    assert (one.what, one.way, one.more, one.less) == ("elapsed", Way.SLOWER, 1, 1)


def test_a_speedup_alone_is_a_change_and_its_times_are_the_judgement(changed, against):
    def change(report):
        (speedup,) = report["runs"][2]["figures"]["speedups"]
        speedup["ratio"] *= 0.9
        speedup["sequential_s"] *= 0.9

    found = against(changed(change))
    got = {one.what.partition(" of ")[0]: one.way for one in found.simulated}
    assert got == {"ratio": Way.CHANGED, "sequential": Way.FASTER}
    assert found.verdict is Verdict.PASSED


def test_a_figure_that_is_gone_is_a_change(changed, against):
    def change(report):
        del report["runs"][0]["figures"]["latencies"][0]

    assert {one.way for one in against(changed(change)).simulated} == {Way.CHANGED}


def test_figures_of_a_later_version_are_compared_by_their_names(changed, against):
    def add(seconds):
        def change(report):
            command = {"command": "prepare_account", "calls": 2, "queue_s": {"p50_s": seconds}}
            report["runs"][0]["figures"]["commands"] = [command]

        return change

    (one,) = against(changed(add(2.0)), old=changed(add(1.0))).simulated
    assert (one.what, one.way) == ("queue p50 of prepare_account", Way.SLOWER)


def test_what_fails_now_comes_with_the_check_and_all_its_seeds(changed, against):
    def change(report):
        for run in report["runs"][:2]:
            run["verdict"] = run["checks"][0]["verdict"] = "failed"

    found = against(changed(change))
    (one,) = found.verdicts
    assert (one.scenario, one.seeds, one.old, one.new) == (ONE, (0, 1), "passed", "failed")
    assert [check[1:] for check in one.checks] == [("passed", "failed")]
    assert found.verdict is Verdict.FAILED


def test_what_is_unknown_now_is_unknown_with_its_reason(changed, against):
    def change(report):
        report["runs"][0].update(verdict="unknown", could_not_run="no room", figures=None)

    found = against(changed(change))
    assert [(one.new, one.why) for one in found.verdicts] == [("unknown", "no room")]
    assert found.verdict is Verdict.UNKNOWN
    assert "1 run without figures on a side: only verdict and elapsed time compared" in found.notes


def test_what_passes_now_is_told_and_green(changed, document, against):
    def change(report):
        report["runs"][0]["verdict"] = "failed"

    found = against(document, old=changed(change))
    assert [(one.old, one.new) for one in found.verdicts] == [("failed", "passed")]
    assert found.verdict is Verdict.PASSED


def test_another_check_that_fails_is_told_where_the_run_failed_before(changed, against):
    def fail(*numbers):
        def change(report):
            report["runs"][0]["verdict"] = "failed"
            for number in numbers:
                report["runs"][0]["checks"][number]["verdict"] = "failed"

        return change

    found = against(changed(fail(0, 1)), old=changed(fail(0)))
    assert [len(one.checks) for one in found.verdicts] == [1]
    assert f"failed in both: {ONE}" in found.notes
    assert found.verdict is Verdict.FAILED


def test_scenarios_and_seeds_of_one_side_are_told(changed, against):
    def change(report):
        del report["runs"][1:]

    found = against(changed(change))
    assert found.notes == (
        f"only in before: {TWO} [simulated]",
        "only in before: 1 run of scenarios of both, with seeds 1",
    )
    assert found.verdict is Verdict.PASSED


def test_nothing_in_common_is_unknown(changed, against):
    def change(report):
        for run in report["runs"]:
            run["scenario"] += "_of_others"

    found = against(changed(change))
    assert found.unknown == ("nothing to compare: no run is in both",)
    assert found.verdict is Verdict.UNKNOWN


def test_versions_and_machines_that_differ_are_told(changed, against):
    def change(report):
        report["versions"]["simpy"] = "5"
        report["machine"]["cores"] = "64"

    assert against(changed(change)).notes == (
        "versions: simpy not named → 5",
        "machine: cores 2 → 64",
    )


def test_runs_of_two_profiles_are_not_compared_in_time(changed, against):
    def change(report):
        for run in report["runs"]:
            run["profile"] = "slow"
            run["virtual_s"] *= 3

    found = against(changed(change))
    assert found.simulated == ()
    assert found.notes == (
        "profile nominal → slow: simulated times of these runs are not compared",
    )


@pytest.mark.parametrize(
    ("ratio", "way"), [(1.5, Way.SLOWER), (2.5, Way.FASTER), (2.15, Way.ALIKE)]
)
def test_a_live_speedup_is_judged_where_its_intervals_part(document, against, ratio, way):
    found = against(live(document, ratio=ratio), old=live(document, ratio=2.0))
    (one,) = found.measured
    assert (one.what.partition(" of ")[0], one.way, one.unit) == ("ratio", way, "x")
    (note,) = found.notes
    assert note.startswith(f"{TWO}: ")
    assert note.endswith(
        "fewer than 6 live runs, and they no interval of it; --seeds 6 makes enough"
    )


@pytest.mark.parametrize(("slower", "way"), [(1.3, Way.SLOWER), (1.0, Way.ALIKE)])
def test_live_times_are_judged_over_six_runs(document, against, slower, way):
    found = against(live(document, runs=6, slower=slower), old=live(document, runs=6))
    latencies = [one for one in found.measured if one.what.startswith("p50 of ")]
    assert latencies
    assert {one.way for one in latencies} == {way}
    assert all(one.samples == 6 for one in latencies)


def test_live_runs_of_two_machines_are_not_compared(document, against):
    found = against(live(document, ratio=1.0, cores="8"), old=live(document))
    assert found.measured == ()
    assert "measured times are not compared: the two were measured on two machines" in found.notes


def test_a_live_run_stands_for_its_scenario_whatever_its_seed(document, against):
    new = live(document, runs=2)
    new["runs"][1]["verdict"] = "failed"
    for run in new["runs"]:
        run["seed"] += 100
    found = against(new, old=live(document, runs=3))
    assert [(one.node, one.new) for one in found.verdicts] == [(NodeKind.LIVE, "failed")]
