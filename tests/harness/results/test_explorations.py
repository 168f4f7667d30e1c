"""The result of a search as plain data: read back equal, and refused where it is damaged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.errors import BadInput, HarnessBug
from harness.results.explorations import Exploration, ExplorationReport
from harness.results.plain_record import from_plain, to_plain


def read(document):
    return from_plain(Exploration, document, where="search.jsonl:7")


def written(exploration):
    return json.loads(json.dumps(to_plain(exploration), allow_nan=False))


@pytest.mark.parametrize("which", ["found", "proven", "refused", "hostile_exploration"])
def test_what_was_written_is_read_back_equal(which, request):
    exploration = request.getfixturevalue(which)
    assert read(written(exploration)) == exploration


def test_a_field_with_a_default_may_be_missing(found):
    document = written(found)
    del document["awaits_interleaved"]
    for failure in document["failures"]:
        for step in failure["schedule"]["steps"]:
            del step["woken_by"]
    exploration = read(document)
    assert exploration.awaits_interleaved == 0
    assert all(step.woken_by is None for step in exploration.failures[0].schedule.steps)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one.update(runs="many"), r"\.runs must be of type int, got 'many'"),
        (lambda one: one.update(runs=True), r"\.runs must be of type int, got True"),
        (lambda one: one.update(coverage=[[1]]), r"\.coverage\[0\] must be a list of 2"),
        (lambda one: one.update(failures={}), r"\.failures must be a list, got {}"),
        (lambda one: one.update(colour="red"), "must be without colour"),
        (lambda one: one.pop("claim"), "must be with claim"),
        (
            lambda one: one["failures"][0]["schedule"]["steps"][3].update(at_s=None),
            r"\.failures\[0\]\.schedule\.steps\[3\]\.at_s must be of type float",
        ),
        (
            lambda one: one["failures"][0]["checks"][0].update(verdict="green"),
            r"verdict must be one of passed, failed, unknown, got 'green'",
        ),
    ],
)
def test_a_damaged_field_is_named(found, change, message):
    document = written(found)
    change(document)
    with pytest.raises(BadInput, match=rf"^search\.jsonl:7.*{message}"):
        read(document)


def test_a_number_that_json_lacks_is_our_own_fault(found):
    with pytest.raises(HarnessBug, match="plain values only, got nan"):
        to_plain(replace(found, wall_s=float("nan")))


def test_nothing_run_is_unknown_and_only_exhaustion_proves(found, proven, refused):
    assert [one.verdict.value for one in (found, proven, refused)] == [
        "failed",
        "passed",
        "unknown",
    ]
    assert [one.proven for one in (found, proven, refused)] == [False, True, False]
    assert ExplorationReport(explorations=()).verdict.value == "unknown"
    assert ExplorationReport(explorations=(proven, refused)).verdict.value == "unknown"
