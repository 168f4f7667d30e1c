"""Searches as Markdown: what was searched, and the failures, within a size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats.search_terminal import failure_lines
from harness.report.markdown_page import MARKS, SIZE_BYTES_MAX, MarkdownPage, cell, fenced
from harness.results.verdict import WORST_FIRST
from harness.results.wording import count, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.results.explorations import Exploration, ExplorationReport

__all__ = ["search_markdown"]

_FAILURE_LENGTH_MAX = 30_000
_HEAD = [
    "| verdict | scenario | strategy | runs | distinct partial orders | failures"
    " | measured wall time |",
    "|---|---|---|---:|---:|---:|---:|",
]


def search_markdown(report: ExplorationReport, *, size_bytes_max: int = SIZE_BYTES_MAX) -> str:
    """Return the explorations as GitHub Markdown of at most ``size_bytes_max`` bytes in UTF-8.

    What does not fit is left out from the end, and the text says how much that is.
    """
    ordered = sorted(report.explorations, key=lambda one: WORST_FIRST.index(one.verdict))
    page = MarkdownPage(size_bytes_max=size_bytes_max)
    failures = count(sum(len(one.failures) for one in ordered), "failure")
    sentence = f"{count(len(ordered), 'scenario')} searched, {failures}"
    page.block([f"# harness explore: {MARKS[report.verdict]}", "", sentence, ""])
    page.rows(["## Failures", ""], _failures(ordered), noun="failure")
    page.rows(["## Searches", "", *_HEAD], map(_row, ordered), noun="search")
    page.rows(["## What was not judged", ""], _not_judged(ordered), noun="sentence")
    page.rows(["## How sure this makes one", ""], _bounds(ordered), noun="sentence")
    page.rows(["## What varied", ""], _varied(ordered), noun="sentence")
    return page.text()


def _failures(explorations: list[Exploration]) -> Iterator[str]:
    for one in explorations:
        for failure in one.failures:
            text = shortened("\n".join(failure_lines(failure)), _FAILURE_LENGTH_MAX)
            yield f"### {cell(one.scenario)}: {cell(failure.headline)}\n\n{fenced(text)}\n"


def _row(one: Exploration) -> str:
    proven = " (proven)" if one.proven else ""
    modes = {"adversarial": one.mode == "adversarial", "chaos": one.chaos, "cancel": one.cancel}
    words = [name for name, asked in modes.items() if asked]
    mode = f" ({', '.join(words)})" if words else ""
    reason = "" if one.could_not_run is None else f": {cell(one.could_not_run)}"
    cells = [
        f"{MARKS[one.verdict]}{proven}{reason}",
        cell(one.scenario),
        f"{cell(one.strategy)}{mode}, seed {one.seed}",
        f"{one.runs:,}",
        f"{one.distinct:,}",
        f"{len(one.failures):,}",
        seconds(one.wall_s),
    ]
    return f"| {' | '.join(cells)} |"


def _not_judged(explorations: list[Exploration]) -> Iterator[str]:
    for one in explorations:
        if one.not_judged_text is not None:
            yield f"- {cell(one.scenario)}: {cell(one.not_judged_text)}"
        for sentence in one.health_texts:
            yield f"- {cell(one.scenario)}: {cell(sentence)}"


def _bounds(explorations: list[Exploration]) -> Iterator[str]:
    for one in explorations:
        for sentence in one.bounds_text:
            yield f"- {cell(one.scenario)}: {cell(sentence)}"


def _varied(explorations: list[Exploration]) -> Iterator[str]:
    for one in explorations:
        for sentence in one.varied_texts:
            yield f"- {cell(one.scenario)}: {cell(sentence)}"
