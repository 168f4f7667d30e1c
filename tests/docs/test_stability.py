"""The page on stability: the formats and versions that it names are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import harness
import serve
from harness.report.formats.run_json import SCHEMA_VERSION
from harness.results.comparisons import COMPARISON_VERSION
from harness.results.explorations import RESULT_VERSION
from harness.results.schemas.report_schema import report_schema
from harness.search.failures.regressions import FOLDER, KEYS
from harness.search.failures.token import PREFIX
from harness.search.pieces.journal import JOURNAL_VERSION
from serve.store import top_store, user_store
from tests.there import there

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/stability.md").read_text("utf-8")


VERSIONS = {
    "token of a failure": f"`{PREFIX}`",
    "journal of a search": f"`journal_version` {JOURNAL_VERSION}",
    "results of runs": f"`schema_version` {SCHEMA_VERSION}",
    "results of searches": f"`result_version` {RESULT_VERSION}",
    "comparisons": f"`comparison_version` {COMPARISON_VERSION}",
    "database of all users": str(top_store.SCHEMA.version),
    "database of a user": str(user_store.SCHEMA.version),
}


def versions_on_the_page() -> dict[str, str]:
    table = PAGE.partition("## Formats")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?)(?:, of .*?)? \| .* \| (.*) \|$", table, re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_format_has_the_version_of_the_code(name):
    assert versions_on_the_page()[name].partition(",")[0] == VERSIONS[name]


def test_the_schema_of_reports_has_the_same_version():
    assert report_schema()["properties"]["schema_version"]["const"] == SCHEMA_VERSION


def test_no_other_version_is_in_the_code():
    """Whoever gives a further format a version names it on the page, and here."""
    others = {"NODE_VERSION", "_TYPE_OF_VERSION"}  # of Miden
    found = {
        target.id
        for package in (harness, serve)
        for path in Path(there(package.__file__)).parent.rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.endswith("_VERSION")
    }
    ours = {"COMPARISON_VERSION", "JOURNAL_VERSION", "RESULT_VERSION", "SCHEMA_VERSION"}
    assert found - others == ours


def test_every_variable_of_the_environment_is_on_the_page():
    texts = [path.read_text("utf-8") for path in Path(harness.__file__).parent.rglob("*.py")]
    read = {name for text in texts for name in re.findall(r'"(HARNESS_[A-Z_]+)"', text)}
    assert read == set(re.findall(r"`(HARNESS_[A-Z_]+)`", PAGE))


def test_a_regression_is_what_the_page_says():
    assert "token" in KEYS
    assert f"scenarios/{FOLDER}" in PAGE


def test_help_says_what_is_private():
    told = " ".join((harness.__doc__ or "").split())
    assert "harness.consistency" in told
    assert "harness.systems.port" in told
    assert "all else is private" in told.lower()
