"""Own the written report of explorations: a folder with HTML, Markdown, JUnit XML and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.report.formats.exploration_html import exploration_html
from harness.report.formats.exploration_junit import exploration_junit
from harness.report.formats.exploration_markdown import exploration_markdown
from harness.results.explorations import RESULT_VERSION
from harness.results.plain_record import to_plain
from harness.results.whole_file import write_formats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.results.explorations import ExplorationReport

__all__ = ["EXPLORATION_FILES", "exploration_document_text", "write_exploration_reports"]


def exploration_document_text(report: ExplorationReport) -> str:
    """Return the explorations as indented JSON, ASCII only, the failures with their schedules.

    Raises:
        HarnessBug: A number of the report is not finite.
    """
    document = {
        "result_version": RESULT_VERSION,
        "verdict": report.verdict.value,
        "started_at": report.started_at,
        "explorations": [
            {"verdict": one.verdict.value, "proven": one.proven, **to_plain(one)}
            for one in report.explorations
        ],
        "versions": dict(report.versions),
        "machine": dict(report.machine),
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


EXPLORATION_FILES: dict[str, Callable[[ExplorationReport], str]] = {
    "index.html": exploration_html,
    "exploration.json": exploration_document_text,
    "junit.xml": exploration_junit,
    "summary.md": exploration_markdown,
}


def write_exploration_reports(report: ExplorationReport, directory: str | Path) -> list[Path]:
    """Write index.html, exploration.json, junit.xml and summary.md, and return their paths.

    See ``write_formats``.

    Raises:
        BadInput: As ``write_formats``.
    """
    return write_formats(EXPLORATION_FILES, report, directory=directory)
