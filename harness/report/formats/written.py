"""Own the written report that ``--report DIR`` asks for: a folder with all four formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats.html_report import html_text
from harness.report.formats.json_report import document_text
from harness.report.formats.junit_report import junit_text
from harness.report.formats.markdown_report import markdown_text
from harness.results.whole_file import write_formats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.results.runs import RunReport

__all__ = ["FILES", "write_reports"]

FILES: dict[str, Callable[[RunReport], str]] = {
    "index.html": html_text,
    "report.json": document_text,
    "junit.xml": junit_text,
    "summary.md": markdown_text,
}


def write_reports(report: RunReport, directory: str | Path) -> list[Path]:
    """Write index.html, report.json, junit.xml and summary.md, and return their paths.

    See ``write_formats``.

    Raises:
        BadInput: As ``write_formats``.
    """
    return write_formats(FILES, report, directory=directory)
