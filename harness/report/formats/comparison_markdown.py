"""A comparison as Markdown, for a pull request: the worst first, within the size of a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.markdown_page import MARKS, SIZE_BYTES_MAX, MarkdownPage, cell
from harness.report.text.comparison_words import (
    change_words,
    seeds_words,
    share_words,
    summary_words,
    value_words,
)
from harness.results.comparisons import Measured, Way
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.results.comparisons import Comparison, Simulated

__all__ = ["comparison_markdown"]

WORDS = {
    Verdict.FAILED: "something got slower, or fails now",
    Verdict.UNKNOWN: "not all can be told",
    Verdict.PASSED: "nothing got slower",
}
VERDICTS_HEAD = ["## Verdicts", "", "| scenario | runs | verdict |", "|---|---|---|"]
FIGURES_HEAD = [
    "## Figures",
    "",
    "Simulated times are virtual and exact. Measured ones are judged by the interval of the ratio.",
    "",
    "| | scenario | figure | old | new | change | kind |",
    "|---|---|---|---:|---:|---|---|",
]


def comparison_markdown(found: Comparison, *, size_bytes_max: int = SIZE_BYTES_MAX) -> str:
    """Return the comparison as GitHub Markdown of at most ``size_bytes_max`` bytes in UTF-8."""
    page = MarkdownPage(size_bytes_max=size_bytes_max)
    head = f"# harness compare: {MARKS[found.verdict].split()[0]} {WORDS[found.verdict]}"
    page.block([head, "", f"{cell(found.old)} → {cell(found.new)}: {summary_words(found)}", ""])
    page.rows(VERDICTS_HEAD, _verdict_rows(found), noun="change of verdict")
    page.rows(FIGURES_HEAD, _figure_rows(found), noun="figure")
    lines = [f"- unknown: {cell(line)}" for line in found.unknown]
    lines += [f"- {cell(line)}" for line in found.notes]
    page.rows(["## Notes", ""], lines, noun="note")
    return page.text()


def _verdict_rows(found: Comparison) -> Iterator[str]:
    for one in found.verdicts:
        runs = f"{one.node}, {seeds_words(one.seeds)}"
        mark = MARKS[one.new].split()[0]
        yield f"| {cell(one.scenario)} | {cell(runs)} | {mark} {cell(change_words(one))} |"


def _figure_rows(found: Comparison) -> Iterator[str]:
    for way in Way:
        for figures in (found.simulated, found.measured):
            yield from (_row(one) for one in figures if one.way is way)


def _row(one: Simulated | Measured) -> str:
    cells = [
        one.way.value,
        cell(one.scenario),
        cell(one.what),
        value_words(one.old, one.unit),
        value_words(one.new, one.unit),
        _change(one),
        "measured" if isinstance(one, Measured) else "simulated",
    ]
    return f"| {' | '.join(cells)} |"


def _change(one: Simulated | Measured) -> str:
    if isinstance(one, Measured):
        if one.ratio is None or one.low is None or one.high is None:
            return cell(one.why or "no interval")
        bounds = f"{share_words(one.low)} to {share_words(one.high)}"
        return f"{share_words(one.ratio)} ({bounds}; {one.samples:,} samples)"
    share = f"{share_words(one.new / one.old)}, " if one.old and one.new else ""
    return f"{share}{one.more:,} more, {one.less:,} less of {one.seeds:,}"
