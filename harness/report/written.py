"""Own the written report that ``--report DIR`` asks for: a folder with all four formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.html_report import html_text
from harness.report.json_report import document_text
from harness.report.junit_report import junit_text
from harness.report.markdown_report import markdown_text
from harness.report.whole_file import make_directory, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.result import RunReport

__all__ = ["FILES", "write_reports"]

FILES: dict[str, Callable[[RunReport], str]] = {
    "index.html": html_text,
    "report.json": document_text,
    "junit.xml": junit_text,
    "summary.md": markdown_text,
}


def write_reports(report: RunReport, directory: str | Path) -> list[Path]:
    """Write index.html, report.json, junit.xml and summary.md, and return their paths.

    The directory is made if it is missing; other files in it are left alone. A report that was
    there is replaced only once the new one is written whole.

    Raises:
        BadInput: The directory is a file, or cannot be made or written to, or the disk is full.
    """
    folder = Path(directory)
    make_directory(folder)
    texts = {folder / name: text_of(report) for name, text_of in FILES.items()}
    write_whole(texts)
    return list(texts)
