"""Reports of real runs: the ticket office, simulated, sound and broken."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from harness.history.records import Outcome
from harness.report.figures.timeline import timeline_of
from harness.report.formats.run_html import run_html
from harness.report.formats.run_json import run_json
from harness.report.formats.run_junit import run_junit
from harness.report.formats.run_markdown import run_markdown
from harness.report.text.event_list import event_lines
from harness.results.runs import RunReport
from harness.results.schemas.report_schema import report_schema
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from tests.harness.report.strict_page import Page
from tests.there import there

SCENARIO = Path(__file__).parents[2] / "scenarios/ticket_office/seats_are_sold_once.toml"
OFFICE = "tests.scenarios.ticket_office.office"


def office_run(system, scenario=SCENARIO):
    return run_scenario(
        read_scenario(scenario),
        open_backend("simulated", needs_node=False),
        system=load_system(f"{OFFICE}:{system}"),
        system_path=f"{OFFICE}:{system}",
        seed=3,
    )


@pytest.fixture(scope="session")
def sound():
    return office_run("TicketOffice")


@pytest.fixture(scope="session")
def unexpected(tmp_path_factory):
    """The same run, but its scenario does not expect that anything is sold out."""
    text = SCENARIO.read_text(encoding="utf-8")
    text = "".join(line for line in text.splitlines(True) if "success_share" not in line)
    assert 'expect = "any"' in text
    path = tmp_path_factory.mktemp("office") / "none_is_sold_out.toml"
    path.write_text(text.replace('expect = "any"', 'expect = "success"'), encoding="utf-8")
    return office_run("TicketOffice", path)


def shapes(run):
    bars = [one for one in timeline_of(run.history).bars if one.kind == "operation"]
    return {bar.shape for bar in bars}


def raised(run):
    return [one for one in run.history.operations if one.outcome is Outcome.RAISED]


def test_what_raised_as_its_step_expects_is_drawn_and_told_so(sound):
    assert sound.verdict is Verdict.PASSED
    assert shapes(sound) == {"returned", "expected"}
    told = [line for line in event_lines(sound.history) if line.endswith(": SoldOut as expected")]
    assert len(told) == len(raised(sound)) > 0
    assert "raised, as the scenario asked" in run_html(RunReport(runs=(sound,)))


def test_what_raised_unexpectedly_is_not_called_expected_anywhere(unexpected):
    assert unexpected.verdict is Verdict.FAILED
    assert shapes(unexpected) == {"returned", "raised"}
    assert not any("as expected" in line for line in event_lines(unexpected.history))
    page = run_html(RunReport(runs=(unexpected,)))
    assert "raised, as the scenario asked" not in page
    assert "raised as expected" not in page
    assert page.count('<tr class="raised">') == len(raised(unexpected)) > 0


def test_every_format_of_a_real_deadlock_is_well_formed_and_has_its_replay_line():
    run = office_run("CrossedRows")
    report = RunReport(runs=(run,))
    page = Page(run_html(report))
    assert page.open == []
    assert "swap[guest-0]" in page.text
    document = json.loads(run_json(report))
    jsonschema.validate(document, report_schema())
    assert document["runs"][0]["replay"] == run.replay
    (case,) = ET.fromstring(run_junit(report).encode()).iter("testcase")
    assert run.replay in there(case.findtext("failure"))
    assert run.replay in run_markdown(report)


def test_a_regression_is_reported_under_its_file_with_its_token(regression_run):
    assert regression_run.verdict is Verdict.PASSED
    stem = "regressions/same_user_spawns_one_client-outcomes_single_spawn-125a30e7"
    report = RunReport(runs=(regression_run,))
    (case,) = ET.fromstring(run_junit(report).encode()).iter("testcase")
    assert case.get("name") == f"{stem}[seed {regression_run.seed}]"
    assert case.get("file") == f"scenarios/{stem}.toml"
    (found,) = json.loads(run_json(report))["runs"]
    assert found["claim"] == "what failed once does not fail again: outcomes, single_spawn"
    assert found["replay"].startswith("harness replay mh1-")
    assert stem in run_html(report).replace("<wbr>", "")
    assert stem in run_markdown(report).replace("\\", "")
