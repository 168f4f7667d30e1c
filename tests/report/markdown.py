"""A report as GitHub Markdown of limited size: what matters most first, the rest as it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.markdown_page import MARKS, SIZE_BYTES_MAX, MarkdownPage, cell
from harness.results.verdict import WORST_FIRST
from tests.report.document import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report.document import Claim, Figure, Report, Section

__all__ = ["COMMENT_LETTERS_MAX", "SUMMARY_BYTES_MAX", "markdown"]

SUMMARY_BYTES_MAX = SIZE_BYTES_MAX
# Of a comment GitHub counts letters, of which no more can be than bytes.
COMMENT_LETTERS_MAX = 65_000


def markdown(report: Report, *, size_bytes_max: int) -> str:
    """Return the report in at most so many bytes; what does not fit is counted at the end."""
    page = MarkdownPage(size_bytes_max=size_bytes_max)
    page.block(
        [
            f"# {cell(report.title)}: {MARKS[report.verdict]}",
            "",
            f"**{cell(report.headline())}.** {cell(report.about)}",
            "",
        ]
    )
    claims = sorted(report.claims, key=lambda one: WORST_FIRST.index(one.verdict))
    head = ["## What is claimed, and what was found", "", *_CLAIM_HEAD]
    page.rows(head, map(_claim_row, claims), noun="claim")
    page.block(_listed("What this does not prove", report.not_shown))
    page.block(_listed("What was run", report.ran))
    page.block(_listed("How to repeat it", report.repeat))
    page.block(_listed("Kinds of numbers", [f"{kind}: {text}" for kind, text in MEANINGS.items()]))
    page.block(_made(report))
    for section in report.sections:
        page.rows(_section_head(section), _section_rows(section), noun=f"row of “{section.title}”")
    return page.text()


_CLAIM_HEAD = ["| verdict | claim | by | must be | found |", "|---|---|---|---|---|"]


def _claim_row(one: Claim) -> str:
    found = "<br>".join(
        f"{cell(shown.where)}: {MARKS[shown.verdict]}, {cell(shown.how_often)}"
        + (f": {cell(shown.why)}" if shown.why else "")
        for shown in one.shown
    )
    cells = [MARKS[one.verdict], cell(one.claim), cell(one.by), cell(one.bound), found or "not run"]
    return f"| {' | '.join(cells)} |"


def _listed(title: str, lines: tuple[str, ...] | list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {cell(line)}" for line in lines), ""] if lines else []


def _made(report: Report) -> list[str]:
    rows = {**report.machine, **report.versions, "started at": report.started_at}
    table = [f"| {cell(name)} | {cell(value)} |" for name, value in rows.items()]
    head = ["## Machine and versions", "", "| | |", "|---|---|"]
    return [*head, *table, ""]


def _section_head(section: Section) -> list[str]:
    note = [cell(section.note), ""] if section.note else []
    sides = " | ".join(map(cell, section.sides))
    ruler = "---|" * len(section.sides)
    return [f"## {cell(section.title)}", "", *note, f"| | {sides} |", f"|---|{ruler}"]


def _section_rows(section: Section) -> Iterator[str]:
    for what, figures in section.rows():
        yield f"| {' | '.join([cell(what), *map(_figure, figures)])} |"


def _figure(one: Figure | None) -> str:
    if one is None:
        return ""
    if one.value is None:
        return f"*{cell(one.words())}*"
    interval = f" ({cell(one.interval())})" if one.interval() else ""
    return f"**{cell(one.words())}**{interval}<br>{one.kind}, n = {one.samples:,}"
