"""A folder for reviewers: one page of HTML, Markdown in two lengths, and JSON, of one report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, FileSystemLoader

from harness.report.html_page import environment
from harness.results.plain_record import to_plain
from harness.results.verdict import WORST_FIRST
from harness.results.whole_file import make_directory, write_whole
from tests.report.document import MEANINGS
from tests.report.markdown import COMMENT_LETTERS_MAX, SUMMARY_BYTES_MAX, markdown

if TYPE_CHECKING:
    from tests.report.document import Report

__all__ = ["FILES", "REPORT_VERSION", "html", "plain", "write_folder"]

REPORT_VERSION = 1
FILES = {
    "index.html": "all of this, as one page that needs nothing else",
    "summary.md": "the same for the summary of a CI job, at most 1 MiB",
    "comment.md": "the same for a comment on a pull request, at most 65,536 characters",
    "report.json": "the same for programs, each number with its kind and number of samples",
}


def write_folder(report: Report, folder: Path) -> list[Path]:
    """Write all files of a report to a folder, and return their paths.

    Other files in it are left alone; an earlier report is replaced once the new one is whole.

    Raises:
        BadInput: The folder cannot be made or written to.
    """
    make_directory(folder)
    texts = {
        "index.html": html(report),
        "summary.md": markdown(report, size_bytes_max=SUMMARY_BYTES_MAX),
        "comment.md": markdown(report, size_bytes_max=COMMENT_LETTERS_MAX),
        "report.json": json.dumps(plain(report), indent=2, allow_nan=False) + "\n",
    }
    write_whole({folder / name: text for name, text in texts.items()})
    return [folder / name for name in texts]


def plain(report: Report) -> dict[str, Any]:
    """Return a report as plain data, with its verdicts."""
    claims = [
        {"verdict": one.verdict.value, **_fields(one)}
        for one in sorted(report.claims, key=lambda one: WORST_FIRST.index(one.verdict))
    ]
    sections = [_fields(one) for one in report.sections]
    return {
        "report_version": REPORT_VERSION,
        "verdict": report.verdict.value,
        "headline": report.headline(),
        **(_fields(report) | {"claims": claims, "sections": sections}),
        "kinds": {kind.value: words for kind, words in MEANINGS.items()},
    }


def _fields(one: Any) -> dict[str, Any]:
    return {field.name: to_plain(getattr(one, field.name)) for field in dataclasses.fields(one)}


def html(report: Report) -> str:
    """Return a report as a page that needs no network, no script and no other file."""
    pages = environment()
    loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent), pages.loader])  # type: ignore[list-item]
    template = pages.overlay(loader=loader).get_template("page.html")
    claims = sorted(report.claims, key=lambda one: WORST_FIRST.index(one.verdict))
    return template.render(report=report, claims=claims, meanings=MEANINGS, files=FILES)
