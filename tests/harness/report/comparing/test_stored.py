"""Stored reports: which are read, and what is said of all others."""

from __future__ import annotations

import json

import pytest

from harness.errors import BadInput
from harness.report.comparing.stored import read_report, report_in
from harness.report.formats.run_json import SCHEMA_VERSION
from harness.results.verdict import Verdict


def test_a_folder_and_a_file_give_the_same_runs(document, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(document), encoding="utf-8")
    folder, file = read_report(tmp_path), read_report(tmp_path / "report.json")
    assert folder.runs == file.runs
    assert [(run.scenario, run.seed) for run in folder.runs] == [
        ("same_user_spawns_one_client", 0),
        ("same_user_spawns_one_client", 1),
        ("concurrent_beats_sequential", 0),
    ]
    assert all(run.verdict is Verdict.PASSED and run.digest for run in folder.runs)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_each_version_up_to_this_one_is_read(document, version):
    assert len(report_in({**document, "schema_version": version}, where="x", file="x").runs) == 3


def test_keys_that_a_later_release_adds_are_no_hindrance(changed):
    def add(document):
        document["added"] = 1
        document["runs"][0]["added"] = {"a": [1]}

    assert len(report_in(changed(add), where="x", file="x").runs) == 3


def without(*keys):
    """Return what leaves out the entry at the keys."""

    def change(document):
        *above, last = keys
        for key in above:
            document = document[key]
        del document[last]

    return change


def having(value, *keys):
    """Return what puts a value at the keys."""

    def change(document):
        *above, last = keys
        for key in above:
            document = document[key]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("schema_version"), "x: has no schema_version, so it is no report of harness run"),
        (having(True, "schema_version"), "x: has no schema_version"),
        (
            having(SCHEMA_VERSION + 1, "schema_version"),
            f"got {SCHEMA_VERSION + 1}; compare with the release that wrote it",
        ),
        (having(0, "schema_version"), "got 0"),
        (having(1, "result_version"), "x: is the report of a search"),
        (without("runs"), "x.runs: must be a list, got None; was it written by another program"),
        (having(7, "runs", 1), r"x: runs\[1\]: must be an object, got 7"),
        (without("runs", 0, "scenario"), r"x: runs\[0\].scenario: must be a text, got None"),
        (having("0", "runs", 0, "seed"), r"x: runs\[0\].seed: must be a whole number, got '0'"),
        (having("green", "runs", 0, "verdict"), "must be passed, failed or unknown, got 'green'"),
        (without("runs", 0, "checks", 0, "name"), r"runs\[0\].checks\[0\].name: must be a text"),
        (having([], "versions"), r"x.versions: must be an object, got \[\]"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(changed, change, told):
    with pytest.raises(BadInput, match=told):
        report_in(changed(change), where="x", file="x")


@pytest.mark.parametrize(
    ("files", "asked", "told"),
    [
        ({}, "nothing", "nothing: no such file or folder; name a report of harness run"),
        ({}, ".", "holds no report.json; write one with harness run --report"),
        ({"exploration.json": "{}"}, ".", "is the report of a search; compare takes reports of"),
        ({"report.json": "{"}, ".", "report.json: is not JSON: "),
        ({"report.json": "[1]"}, ".", r"report.json: must be an object, got \[1\]"),
        ({"report.json": "[" * 100_000}, ".", "report.json: is not JSON: "),
        ({"a.json": "\x00"}, "a.json", "a.json: is not JSON: "),
    ],
)
def test_a_place_without_a_report_is_refused(tmp_path, monkeypatch, files, asked, told):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=told):
        read_report(tmp_path / asked)
