from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from harness.report.formats.run_junit import run_junit
from tests.there import there


@pytest.fixture
def root(rich_report):
    return ET.fromstring(run_junit(rich_report).encode())


def properties(element):
    return {one.get("name"): one.get("value") for one in element.findall("properties/property")}


def test_each_node_has_a_suite_and_each_run_a_case(root):
    assert [(one.get("name"), one.get("tests")) for one in root] == [
        ("harness.simulated", "6"),
        ("harness.live", "2"),
    ]
    assert root.get("tests") == "8"
    assert len(root.findall(".//testcase")) == 8


def test_a_failed_run_is_a_failure_with_the_whole_text(root):
    (case,) = root.findall(".//testcase[@name='same_user_spawns_one_client[seed 7]']")
    failure = case.find("failure")
    assert failure.get("message").startswith(
        "single_spawn: expected 1 spawn for each (user, network)"
    )
    assert "replay: harness replay scenarios/same_user_spawns_one_client" in failure.text
    assert case.find("error") is None


def test_an_unknown_run_is_an_error_and_never_skipped(root):
    (case,) = root.findall(".//testcase[@name='left[seed 48151]']")
    assert case.find("error").get("type") == "could_not_run"
    assert "SystemExit(4)" in case.find("error").get("message")
    assert root.find(".//skipped") is None
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "2", "0")


def test_a_passed_run_complains_of_nothing_and_lists_its_checks(root):
    (case,) = root.findall(".//testcase[@name='same_user_spawns_one_client[seed 48151]']")
    assert [child.tag for child in case] == ["properties", "system-out"]
    assert "PASSED single_spawn: expected 1 spawn for each" in case.find("system-out").text


def test_a_case_says_how_to_repeat_it(root, passed_run):
    case = root.find(".//testcase")
    assert case.get("file") == "scenarios/same_user_spawns_one_client.toml"
    found = properties(case)
    assert found["node"] == "simulated"
    assert found["seed"] == "48151"
    assert found["digest"] == passed_run.digest
    assert found["replay"].endswith("--seed 48151")
    assert found["virtual_s"] == f"{passed_run.virtual_s} simulated"


def test_a_suite_says_what_its_seconds_are(root):
    clocks = [properties(suite)["clock"] for suite in root]
    assert clocks == ["simulated", "measured"]
    assert properties(root[0])["machine.cores"] == "2"


def test_control_characters_do_not_break_the_file(hostile_report):
    root = ET.fromstring(run_junit(hostile_report).encode())
    assert r"\x00\x1b[31m\ud800" in there(root.findtext(".//failure"))


def test_no_runs_make_an_empty_file(rich_report):
    root = ET.fromstring(run_junit(replace(rich_report, runs=())).encode())
    assert (root.get("tests"), len(root)) == ("0", 0)
