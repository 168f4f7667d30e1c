import json
from copy import deepcopy
from dataclasses import replace

import jsonschema
import pytest

from harness.errors import HarnessBug
from harness.report.formats.run_json import report_document, run_json
from harness.results.schemas.report_schema import report_schema


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(report_schema())
    return jsonschema.Draft202012Validator(report_schema())


@pytest.fixture
def document(rich_report):
    return deepcopy(report_document(rich_report))


def test_every_document_obeys_the_schema(validator, rich_report, hostile_report):
    for report in (rich_report, hostile_report, replace(rich_report, runs=())):
        validator.validate(json.loads(run_json(report)))


def test_a_run_has_the_keys_that_readers_rely_on(document, rich_report):
    run = document["runs"][3]
    assert run["verdict"] == "failed"
    promised = {"scenario", "node", "seed", "digest", "verdict", "checks", "virtual_s", "wall_s"}
    assert promised <= run.keys()
    check = run["checks"][1]
    assert (check["name"], check["verdict"]) == ("single_spawn", "failed")
    assert check["seen"].startswith("10 spawns for (alice, Localnet): client 0 at ")
    assert check["involved"] == list(rich_report.runs[3].checks[1].involved) != []
    assert document["versions"] == rich_report.versions
    assert document["verdict"] == "failed"


def test_figures_say_whether_they_are_simulated_or_measured(document):
    clocks = {run["node"]: run["figures"]["clock"] for run in document["runs"] if run["figures"]}
    assert clocks == {"simulated": "simulated", "live": "measured"}


def test_percentiles_without_enough_samples_are_null(document, passed_run):
    latency = document["runs"][0]["figures"]["latencies"][0]
    assert (latency["call"], latency["samples"], latency["p95_s"]) == ("get_client", 14, None)
    asked = [one for one in passed_run.history.operations if one.call == "get_client"]
    assert latency["p50_s"] == sorted(one.duration_s for one in asked)[6]


def test_a_live_speed_up_has_its_interval(document, live_run):
    (found,) = document["runs"][5]["figures"]["speedups"]
    assert found["low"] <= found["ratio"] <= found["high"]
    assert found["rounds"] == len(live_run.history.measurements) // 2 - 1 >= 6
    assert found["dropped"] == 1


def test_each_round_of_timings_says_how_the_machine_was_and_whether_it_counts(document, live_run):
    rounds = document["runs"][5]["figures"]["timed_rounds"]
    assert len(rounds) == len(live_run.history.measurements) // 2
    assert [one["dropped_because"] for one in rounds[:3]] == [
        None,
        "1 of 2 operations failed",
        None,
    ]
    assert [one["room"] for one in rounds] == [one.room for one in live_run.history.machine]
    (simulated,) = document["runs"][1]["figures"]["timed_rounds"]
    assert (simulated["foreign_cores"], simulated["room"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda document: document.pop("versions"), "'versions' is a required property"),
        (lambda document: document.update(extra=1), "'extra' was unexpected"),
        (lambda document: document["runs"][0].pop("seed"), "'seed' is a required property"),
        (lambda document: document["runs"][0].update(node="cloud"), "'cloud' is not one of"),
        (lambda document: document["runs"][0].update(digest="abc"), "does not match"),
        (lambda document: document["runs"][0].update(verdict="green"), "'green' is not one of"),
        (lambda document: document["runs"][6].update(verdict="passed"), "'unknown' was expected"),
        (lambda document: document["runs"][5].update(virtual_s=1.0), "is not of type 'null'"),
        (lambda document: document["runs"][0].update(wall_s=-1), "less than the minimum"),
        (lambda document: document["runs"][0]["checks"][0].pop("seen"), "'seen' is a required"),
        (lambda document: document["runs"][0]["checks"][0].update(hue=1), "'hue' was unexpected"),
        (lambda document: document.update(schema_version=1), "2 was expected"),
    ],
)
def test_a_wrong_document_is_refused(validator, document, change, complaint):
    validator.validate(document)
    change(document)
    complaints = "\n".join(error.message for error in validator.iter_errors(document))
    assert complaint in complaints


def test_a_number_that_is_not_finite_is_the_harness_own_fault(rich_report, passed_run):
    broken = replace(rich_report, runs=(replace(passed_run, wall_s=float("nan")),))
    with pytest.raises(HarnessBug, match="every number must be finite"):
        run_json(broken)
