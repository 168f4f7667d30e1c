"""The JSON of a search follows its schema."""

from __future__ import annotations

import json

import jsonschema
import pytest

from harness.report.formats.search_json import search_json
from harness.results.explorations import ExplorationReport
from harness.results.schemas.search_schema import search_schema
from harness.search.explorer import Budget, explore_subject
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms
from tests.harness.search.cancelling import wrong_programs


@pytest.fixture(scope="module")
def document():
    mains = wrong_programs.a_lock_without_finally, wrong_programs.an_item_that_is_never_done
    terms = SearchTerms(cancel=True)
    found = [explore_subject(Program(main, terms), budget=Budget(runs=20)) for main in mains]
    return json.loads(search_json(ExplorationReport(explorations=tuple(found))))


def test_a_document_with_failures_follows_the_schema(document):
    jsonschema.validate(document, search_schema())


def test_it_has_the_curve_the_budget_and_what_varied(document):
    one = document["explorations"][0]
    assert one["coverage"][-1][0] == one["runs"]
    assert one["budget"] >= 1
    assert any(each["what"] == "cancellations" for each in one["varied"]["decisions"])


def test_a_document_with_another_key_does_not(document):
    document["explorations"][0]["colour"] = "red"
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(document, search_schema())
