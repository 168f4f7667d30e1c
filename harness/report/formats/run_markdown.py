"""A batch of runs as Markdown, failures first, within the size of a CI step's summary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.report.figures.latency_and_speedup import speedups
from harness.report.figures.side_by_side import side_by_side
from harness.report.formats.run_terminal import render_result
from harness.report.markdown_page import MARKS, SIZE_BYTES_MAX, MarkdownPage, cell, fenced
from harness.results.verdict import WORST_FIRST, Verdict
from harness.results.wording import clock_word, count, ratio, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.timings import Speedup
    from harness.results.runs import RunReport, RunResult

__all__ = ["SIZE_BYTES_MAX", "run_markdown"]

_FAILURE_LENGTH_MAX = 16_000


def run_markdown(report: RunReport, *, size_bytes_max: int = SIZE_BYTES_MAX) -> str:
    """Return the report as GitHub Markdown of at most ``size_bytes_max`` bytes in UTF-8.

    What does not fit is left out from the end, and the text says how much that is.
    """
    page = MarkdownPage(size_bytes_max=size_bytes_max)
    page.block([*_headline(report), *_where_made(report)])
    runs = sorted(
        report.runs, key=lambda run: WORST_FIRST.index(run.verdict)
    )  # a stable sort: otherwise in the order of the runs
    page.rows(["## What did not pass", ""], _failures(runs), noun="run that did not pass")
    head = ["## Simulated and live, side by side", "", *_COMPARED_HEAD]
    page.rows(head, _compared_rows(report), noun="row of simulated and live")
    head = ["## Speed-up", "", *_SPEEDUP_NOTE, *_SPEEDUP_HEAD]
    page.rows(head, _speedup_rows(runs), noun="speed-up")
    page.rows(["## Runs", "", *_RUN_HEAD], map(_run_row, runs), noun="run")
    return page.text()


def _headline(report: RunReport) -> list[str]:
    counts = Counter(run.verdict for run in report.runs)
    verdicts = " · ".join(f"{MARKS[one]} {counts[one]:,}" for one in WORST_FIRST if counts[one])
    nodes = Counter(run.node for run in report.runs)
    lines = [
        f"# harness: {MARKS[report.verdict]}",
        "",
        f"{count(len(report.runs), 'run')}: {verdicts}" if verdicts else "0 runs: nothing is known",
        "",
    ]
    lines += [f"- {count(number, f'{node} run')}: {_TIMES[node]}" for node, number in nodes.items()]
    return [*lines, ""]


_TIMES = {
    "simulated": "its times are **simulated** (virtual seconds), its wall times **measured**",
    "live": "all its times are **measured** (wall seconds, on this machine and node)",
}


def _where_made(report: RunReport) -> list[str]:
    rows = [f"| {cell(name)} | {cell(value)} |" for name, value in report.versions.items()]
    rows += [f"| {cell(name)} | {cell(value)} |" for name, value in report.machine.items()]
    used = dict.fromkeys(str(run.profile) for run in report.runs if run.profile is not None)
    rows += [f"| latency profile | {cell(one)} |" for one in used]
    if report.started_at:
        rows.append(f"| started at | {cell(report.started_at)} |")
    if not rows:
        return []
    table = ["| | |", "|---|---|", *rows[:100]]
    return ["<details><summary>Versions and machine</summary>", "", *table, "", "</details>", ""]


def _failures(runs: list[RunResult]) -> Iterator[str]:
    for run in runs:
        if run.verdict is Verdict.PASSED:
            continue
        text = shortened(render_result(run), _FAILURE_LENGTH_MAX)
        claim = f"{cell(run.claim)}\n\n" if run.claim else ""
        title = f"### {MARKS[run.verdict]}: {cell(run.scenario)}"
        yield f"{title}\n\n{claim}{fenced(text)}\n"


_COMPARED_HEAD = ["| scenario | what | simulated | live, measured |", "|---|---|---:|---:|"]


def _compared_rows(report: RunReport) -> Iterator[str]:
    for one in side_by_side(report):
        for row in one.rows:
            yield f"| {' | '.join(cell(text) for text in (one.scenario, *row))} |"


_SPEEDUP_NOTE = [
    "Median over the rounds: the time of the calls one after another by that of all together. A "
    "round is dropped if an operation failed in it, or if other programs kept the machine busy. "
    "The interval misses the true ratio with a probability of 5 %, however often it is looked at. "
    "A simulated speed-up shows that nothing serialises, not how fast a node is.",
    "",
]
_SPEEDUP_HEAD = [
    "| scenario | phase | speed-up | 95 % interval "
    "| in turn | together | rounds | dropped | kind |",
    "|---|---|---:|---:|---:|---:|---:|---:|---|",
]


def _speedup_rows(runs: list[RunResult]) -> Iterator[str]:
    for run in runs:
        if run.history is None:
            continue
        for phase, found in speedups(run.history).items():
            figures = ["too few rounds", "", "", "", "", ""] if found is None else _figures(found)
            cells = [_named(run), cell(phase), *figures, clock_word(run.node)]
            yield f"| {' | '.join(cells)} |"


def _figures(found: Speedup) -> list[str]:
    interval = "{:.2f} to {:.2f}".format(*found.interval) if found.interval else "too few rounds"
    medians = [seconds(found.sequential_s), seconds(found.together_s)]
    return [ratio(found.ratio), interval, *medians, str(found.rounds), str(found.dropped)]


_RUN_HEAD = [
    "| verdict | scenario | node | checks passed | simulated time | measured wall time | digest |",
    "|---|---|---|---:|---:|---:|---|",
]


def _run_row(run: RunResult) -> str:
    passed = sum(check.verdict is Verdict.PASSED for check in run.checks)
    cells = [
        MARKS[run.verdict],
        _named(run),
        run.node,
        f"{passed} of {len(run.checks)}",
        "" if run.virtual_s is None else seconds(run.virtual_s),
        seconds(run.wall_s),
        f"`{run.digest[:12]}`" if run.digest else "",
    ]
    return f"| {' | '.join(cells)} |"


def _named(run: RunResult) -> str:
    return f"{cell(run.scenario)} (seed {run.seed})"
