"""The schemas are schemas, and take the files of this repository."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from harness.results.schemas.report_schema import report_schema
from harness.scenario.schema import scenario_schema

ROOT = Path(__file__).parents[3]
SCENARIOS = sorted(ROOT.glob("scenarios/*.toml"))


def plain(document):
    return json.loads(json.dumps(document))


@pytest.mark.parametrize("schema", [scenario_schema, report_schema])
def test_a_schema_is_one(schema):
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_schema_takes_every_scenario_of_the_repository(path):
    document = plain(tomllib.loads(path.read_text(encoding="utf-8")))
    jsonschema.validate(document, scenario_schema())


def test_limits_may_stand_in_the_tables_of_both_backends():
    good = tomllib.loads(SCENARIOS[0].read_text(encoding="utf-8"))
    limits = {"phase": "x", "simulated": {"above": 2}, "live": {"above": 1.3}}
    jsonschema.validate(plain(good | {"check": {"speedup": limits}}), scenario_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"claim": 3},
        {"phase": []},
        {"phase": "x"},
        {"users": 5},
        {"check": {"no_such_check": {}}},
        {"check": {"speedup": {"phase": "x", "above": "1.3"}}},
        {"unknown": 1},
        {"users": []},
        {"users": {"count": 0}},
        {"phase": [{"do": []}]},
        {"phase": [{"name": "x", "node": "cutt"}]},
        {"phase": [{"name": "x", "do": [{"id": "y"}]}]},
        {"phase": [{"name": "x", "do": [{"call": "y", "times": True}]}]},
        {"phase": [{"name": "x", "do": [{"call": "y", "start": {"delay_ms": -1}}]}]},
        {"fault": [{"at": "spawn", "kind": "fail"}]},
        {"check": {"latency": []}},
        {"check": {"speedup": {"phase": "x"}}},
        {"check": {"speedup": {"phase": "x", "simulated": {"above": 2}}}},
        {"check": {"speedup": {"phase": "x", "above": 2, "live": {"abov": 2}}}},
        {"check": [{"outcomes": {}}]},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_reader_refuses(change):
    good = tomllib.loads(SCENARIOS[0].read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError, match=r"."):
        jsonschema.validate(plain(good | change), scenario_schema())
