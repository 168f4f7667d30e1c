"""The folder that ``--report DIR`` asks for: results as HTML, JSON, JUnit XML and Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.report.formats.run_html import run_html
from harness.report.formats.run_json import run_json
from harness.report.formats.run_junit import run_junit
from harness.report.formats.run_markdown import run_markdown
from harness.report.formats.search_html import search_html
from harness.report.formats.search_json import search_json
from harness.report.formats.search_junit import search_junit
from harness.report.formats.search_markdown import search_markdown
from harness.results.whole_file import make_directory, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.results.explorations import ExplorationReport
    from harness.results.runs import RunReport

__all__ = ["RUN_FILES", "SEARCH_FILES", "write_run_folder", "write_search_folder"]

Report = TypeVar("Report")

RUN_FILES: dict[str, Callable[[RunReport], str]] = {
    "index.html": run_html,
    "report.json": run_json,
    "junit.xml": run_junit,
    "summary.md": run_markdown,
}
SEARCH_FILES: dict[str, Callable[[ExplorationReport], str]] = {
    "index.html": search_html,
    "exploration.json": search_json,
    "junit.xml": search_junit,
    "summary.md": search_markdown,
}


def write_run_folder(report: RunReport, directory: str | Path) -> list[Path]:
    """Write a batch of runs to a directory in four formats, and return the paths of the files.

    The directory is made if it is missing, and other files in it are left alone. An earlier report
    is replaced only once the new report is written whole.

    Raises:
        BadInput: The directory is a file, or cannot be made or written to, or the disk is full.
    """
    return _write(RUN_FILES, report, Path(directory))


def write_search_folder(report: ExplorationReport, directory: str | Path) -> list[Path]:
    """Write searches to a directory as ``write_run_folder`` writes runs.

    Raises:
        BadInput: As ``write_run_folder``.
    """
    return _write(SEARCH_FILES, report, Path(directory))


def _write(
    formats: Mapping[str, Callable[[Report], str]], report: Report, directory: Path
) -> list[Path]:
    make_directory(directory)
    texts = {directory / name: text_of(report) for name, text_of in formats.items()}
    write_whole(texts)
    return list(texts)
