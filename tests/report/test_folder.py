"""What a folder for reviewers says: every claim with its verdict, every number with its kind."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from harness.results.verdict import Verdict
from tests.report.document import Claim, Figure, Kind, Report, Section, Shown
from tests.report.folder import FILES, html, plain, write_folder
from tests.report.markdown import COMMENT_LETTERS_MAX, markdown

PASSED = Shown(where="simulated", verdict=Verdict.PASSED, how_often="5 runs")
NASTY = "<script>|`x`|</script>\x1b[31m"


def figure(value=0.25, **changes):
    fields: dict[str, Any] = {
        "what": "a hop",
        "side": "a rival 1.0 on CPython 3",
        "kind": Kind.CPU,
        "samples": 9,
    }
    return Figure(value=value, **(fields | changes))


def report(*, claims=(), figures=()):
    return Report(
        title="a report",
        about="About it.",
        started_at="2026-01-01T00:00:00+00:00",
        claims=claims,
        sections=(Section(title="Speed", figures=figures),),
        ran=("five runs",),
        not_shown=("no other machine",),
        repeat=("tox -e x",),
        versions={"python": "CPython 3"},
        machine={"cores": "2"},
    )


def claim(text="It holds.", shown=(PASSED,)):
    return Claim(claim=text, by="scenarios/a.toml", bound="at most 2", shown=shown)


def pages(made):
    return [html(made), markdown(made, size_bytes_max=1_000_000)]


def test_the_folder_holds_its_files_and_no_earlier_one_of_them(tmp_path):
    (tmp_path / "index.html").write_text("an earlier one")
    (tmp_path / "another").write_text("kept")
    write_folder(report(claims=(claim(),)), tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == {*FILES, "another"}
    assert "an earlier one" not in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.PASSED, Verdict.PASSED], Verdict.PASSED),
        ([Verdict.PASSED, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.FAILED], Verdict.FAILED),
    ],
)
def test_a_claim_holds_only_if_it_passed_wherever_it_was_to_be_tested(verdicts, expected):
    shown = tuple(Shown(where="x", verdict=one, how_often="1 run") for one in verdicts)
    made = report(claims=(claim(shown=shown),))
    assert plain(made)["verdict"] == plain(made)["claims"][0]["verdict"] == expected.value
    for page in pages(made):
        assert expected.value in page


def test_what_failed_comes_first():
    failed = claim("It fails.", (Shown(where="live", verdict=Verdict.FAILED, how_often="1 run"),))
    made = report(claims=(claim(), failed))
    assert [one["claim"] for one in plain(made)["claims"]] == ["It fails.", "It holds."]
    for page in pages(made):
        assert page.index("It fails.") < page.index("It holds.")


@pytest.mark.parametrize("kind", Kind)
def test_each_number_has_its_kind_its_samples_and_its_interval(kind):
    made = report(figures=(figure(2.0, kind=kind, unit="x", samples=1_234, low=1.5, high=2.5),))
    for page in pages(made):
        text = re.sub(r"<[^>]+>|\*", "", page)
        row = text[text.index("a hop") :]
        assert "2.00 x" in row
        assert "1.50 x to 2.50 x" in row
        assert "1,234" in row
        assert kind.value in row
    (one,) = plain(made)["sections"][0]["figures"]
    assert (one["kind"], one["samples"], one["low"], one["high"]) == (kind.value, 1_234, 1.5, 2.5)


def test_sides_stand_beside_each_other_and_one_that_is_missing_says_why():
    rival = figure(None, side="rival", samples=0, why_not="not run: rival is not installed")
    made = report(figures=(figure(0.5, side="ours"), rival))
    assert made.sections[0].sides == ("ours", "rival")
    for page in pages(made):
        row = next(
            line for line in page.split("<tr>" if "<tr>" in page else "\n") if "a hop" in line
        )
        assert row.index("500 ms") < row.index("not run: rival is not installed")


def test_the_first_page_says_what_is_not_shown_and_how_to_repeat_it():
    for page in pages(report(claims=(claim(),))):
        for text in ("no other machine", "five runs", "tox -e x", "CPython 3", "at most 2"):
            assert text in page


def test_texts_from_outside_are_no_markup():
    made = report(claims=(claim(NASTY),), figures=(figure(what=NASTY),))
    for page in pages(made):
        assert "<script>" not in page
        assert "\x1b" not in page


def test_a_comment_fits_however_much_there_is_and_keeps_what_matters():
    many = tuple(figure(what=f"number {number} é{'x' * 50}") for number in range(5_000))
    made = report(claims=(claim(),), figures=many)
    text = markdown(made, size_bytes_max=COMMENT_LETTERS_MAX)
    assert len(text) <= 65_536
    assert "Left out for size" in text
    for kept in ("It holds.", "no other machine", "five runs", "tox -e x"):
        assert kept in text


def test_a_page_loads_nothing():
    page = html(report(claims=(claim(),), figures=(figure(),)))
    assert not re.search(r"<script|\bsrc=|@import|url\(http", page)


def test_json_is_whole(tmp_path):
    write_folder(report(claims=(claim(),), figures=(figure(None),)), tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["report_version"] == 1
    assert found["kinds"].keys() == {kind.value for kind in Kind}
    assert found["machine"] == {"cores": "2"}
