import json
from dataclasses import replace

import pytest

from harness.errors import BadInput, HarnessBug
from harness.results.explorations import ExplorationReport, from_json, to_json


def changed(exploration, change):
    document = json.loads(to_json(exploration))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize("which", ["found", "proven", "refused", "hostile_exploration"])
def test_what_was_written_is_read_back_equal(which, request):
    exploration = request.getfixturevalue(which)
    text = to_json(exploration)
    assert from_json(text) == exploration
    assert text.isascii()
    assert "\n" not in text


def test_a_field_with_a_default_may_be_missing(found):
    def forget(document):
        del document["exploration"]["awaits_interleaved"]
        for failure in document["exploration"]["failures"]:
            for step in failure["schedule"]["steps"]:
                del step["woken_by"]

    read = from_json(changed(found, forget))
    assert read.awaits_interleaved == 0
    assert all(step.woken_by is None for step in read.failures[0].schedule.steps)


def test_text_that_is_cut_off_is_refused(found):
    with pytest.raises(BadInput, match=r"search\.jsonl:7: must be JSON, got text of 50 letters"):
        from_json(to_json(found)[:50], where="search.jsonl:7")


@pytest.mark.parametrize("version", [None, 2, "1", [1]])
def test_another_version_is_refused_with_the_fix(found, version):
    text = changed(found, lambda document: document.update(result_version=version))
    with pytest.raises(BadInput, match=r"result_version must be 1, got .*explore again"):
        from_json(text)


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
    text = changed(found, lambda document: change(document["exploration"]))
    with pytest.raises(BadInput, match=message):
        from_json(text)


def test_a_number_that_json_lacks_is_our_own_fault(found):
    with pytest.raises(HarnessBug, match="plain values only, got nan"):
        to_json(replace(found, wall_s=float("nan")))


def test_nothing_run_is_unknown_and_only_exhaustion_proves(found, proven, refused):
    assert [one.verdict.value for one in (found, proven, refused)] == [
        "failed",
        "passed",
        "unknown",
    ]
    assert [one.proven for one in (found, proven, refused)] == [False, True, False]
    assert ExplorationReport(explorations=()).verdict.value == "unknown"
    assert ExplorationReport(explorations=(proven, refused)).verdict.value == "unknown"
