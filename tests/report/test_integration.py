"""The folder of the integration run: both sides of each claim, and what was not run as such."""

from __future__ import annotations

import json

import pytest

from harness.results.verdict import Verdict
from tests.report.integration import SUITES, integration_report, main
from tests.there import there

CASE = '<testcase classname="a" name="{}">{}</testcase>'
RECORDED = '<properties><property name="ratio" value="1.05"/></properties>'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tests").mkdir()
    return tmp_path


def run(path="scenarios/a.toml", verdict="passed", **changes):
    check = {"name": "no_leaks", "verdict": verdict, "expected": "none", "seen": "two"}
    latency = {"call": "list", "samples": 30, "left_out": 0}
    percentiles = {"p50_s": 0.1, "p95_s": 0.2, "p99_s": None, "max_s": 0.3}
    speedup = {"phase": "both", "ratio": 1.9, "low": 1.8, "high": 2.0, "rounds": 5}
    figures = {"latencies": [latency | percentiles], "speedups": [speedup]}
    fields = {
        "path": path, "scenario": "a", "claim": "It holds.", "seed": 0, "verdict": verdict,
        "checks": [check], "could_not_run": None, "replay": "harness replay", "figures": figures,
    }  # fmt: skip
    return fields | changes


ONE = (run(),)


def write(folder, *, simulated=ONE, live=ONE, inside=RECORDED):
    for side, runs in {"simulated": simulated, "live": live}.items():
        if runs is not None:
            (folder / side).mkdir()
            told = {"runs": list(runs), "versions": {"miden-node": "1"}, "started_at": "now"}
            (folder / side / "report.json").write_text(json.dumps(told))
    for suite in SUITES:
        for name in suite.files.values():
            cases = CASE.format("test_one", inside) + CASE.format("test_two", "")
            (folder / "tests" / name).write_text(f"<testsuites>{cases}</testsuites>")


def test_all_that_passed_on_both_sides_is_green(folder, capsys):
    write(folder)
    assert main(folder) == 0
    assert "4 claims: 4 held" in capsys.readouterr().out
    assert (folder / "index.html").exists()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"live": [run(verdict="failed")]}, 1),
        ({"live": [run(verdict="unknown", could_not_run="no node", checks=[])]}, 3),
        ({"live": None}, 3),
        ({"live": []}, 3),
        ({"simulated": None}, 3),
        ({"inside": "<failure/>"}, 1),
        ({"inside": "<error/>"}, 1),
        ({"inside": "<skipped/>"}, 3),
    ],
)
def test_what_failed_is_1_and_what_is_missing_is_3(folder, what, code):
    write(folder, **what)
    assert main(folder) == code


@pytest.mark.parametrize("text", [None, "", "<testsuites/>", "<testsuites><testcase"])
def test_a_suite_of_which_nothing_can_be_read_was_not_run(folder, text):
    write(folder)
    path = folder / "tests" / "conformance-live.xml"
    path.unlink() if text is None else path.write_text(text)
    (one,) = (c for c in integration_report(folder).claims if c.by == "tests/conformance")
    live = one.shown[1]
    assert (live.where, live.verdict, live.how_often) == ("live", Verdict.UNKNOWN, "not run")


def test_an_empty_folder_gives_a_report_in_which_all_is_unknown(folder):
    assert main(folder) == 3
    assert json.loads((folder / "report.json").read_text())["verdict"] == "unknown"


def test_a_failure_says_which_check_and_how_to_repeat_it(folder):
    write(folder, live=[run(verdict="failed")])
    report = integration_report(folder)
    (claim,) = (one for one in report.claims if one.by == "scenarios/a.toml")
    assert claim.shown[0].why == ""
    for text in ("no_leaks", "expected none", "saw two", "harness replay", "seed 0"):
        assert text in claim.shown[1].why


def test_simulated_and_live_stand_beside_each_other_with_their_kinds(folder):
    write(folder)
    sections = {one.title: one for one in integration_report(folder).sections}
    rows = dict(sections["Percentiles of each operation"].rows())
    simulated, live = map(there, rows["a, list, p95"])
    assert (simulated.kind, live.kind) == ("virtual time", "measured wall time")
    assert (live.value, live.samples) == (0.2, 30)
    # Of 30 samples there is no 99th percentile: the row would be empty.
    assert "a, list, p99" not in rows
    (_, (found, _)) = sections["Speed-ups"].rows()[0]
    ratio = there(found)
    assert (ratio.value, ratio.low, ratio.high, ratio.samples) == (1.9, 1.8, 2.0, 5)
    assert sections["Service beside bare client"].figures[0].value == 1.05


def test_a_percentile_that_one_side_lacks_says_why(folder):
    few = run()
    few["figures"]["latencies"][0] |= {"samples": 3, "p95_s": None}
    write(folder, live=[few])
    rows = dict(integration_report(folder).sections[1].rows())
    assert there(rows["a, list, p95"][1]).words() == "too few samples: 3, 20 needed"


def test_a_run_that_never_began_has_no_figures(folder):
    write(folder, live=[run(figures=None, verdict="unknown", could_not_run="no node")])
    assert integration_report(folder).sections[0].sides == ("simulated",)
