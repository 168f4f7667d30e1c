"""Own the Markdown report: a CI step's summary, failures first, within the size that CI takes."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from harness.report.figures import speedups
from harness.report.terminal_report import render_result
from harness.report.wording import (
    clock_word,
    count,
    one_line,
    printable,
    ratio,
    seconds,
    shortened,
)
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.result import RunReport, RunResult
    from harness.statistics import Speedup

__all__ = ["SIZE_BYTES_MAX", "markdown_text"]

# A step summary over 1,024 KiB is refused whole, not cut; other steps' text may share the file.
SIZE_BYTES_MAX = 1_000 * 1_024
_FAILURE_LENGTH_MAX = 16_000
_CELL_LENGTH_MAX = 300
_TAIL_BYTES = 4_096  # kept free for saying what was left out
_MARKS = {Verdict.FAILED: "❌ failed", Verdict.UNKNOWN: "❔ unknown", Verdict.PASSED: "✅ passed"}
_ORDER = {Verdict.FAILED: 0, Verdict.UNKNOWN: 1, Verdict.PASSED: 2}


def markdown_text(report: RunReport, *, size_bytes_max: int = SIZE_BYTES_MAX) -> str:
    """Return the report as GitHub Markdown of at most ``size_bytes_max`` bytes in UTF-8.

    What does not fit is left out from the end, and the text says how much that is.
    """
    page = _Page(size_bytes_max=size_bytes_max)
    page.block([*_headline(report), *_where_made(report)])
    runs = sorted(report.runs, key=lambda run: _ORDER[run.verdict])  # stable: else as they ran
    page.rows(["## What did not pass", ""], _failures(runs), noun="run that did not pass")
    head = ["## Speed-up", "", *_SPEEDUP_NOTE, *_SPEEDUP_HEAD]
    page.rows(head, _speedup_rows(runs), noun="speed-up")
    page.rows(["## Runs", "", *_RUN_HEAD], map(_run_row, runs), noun="run")
    return page.text()


class _Page:
    """Lines up to a size in bytes, with a tail that says what did not fit."""

    def __init__(self, *, size_bytes_max: int) -> None:
        self._lines: list[str] = []
        self._left_out: list[str] = []
        self._room = size_bytes_max - _TAIL_BYTES

    def block(self, lines: list[str]) -> bool:
        size = sum(len(line.encode("utf-8")) + 1 for line in lines)
        if size > self._room:
            return False
        self._room -= size
        self._lines += lines
        return True

    def rows(self, head: list[str], rows: Iterator[str], *, noun: str) -> None:
        listed = list(rows)
        if not listed:
            return
        fitted = 0
        if self.block(head):
            while fitted < len(listed) and self.block([listed[fitted]]):
                fitted += 1
            self._lines.append("")
        if fitted < len(listed):
            words = count(len(listed) - fitted, noun, plural=_plural(noun))
            self._left_out.append(f"> **Left out for size:** {words}. The JSON report has all.")

    def text(self) -> str:
        return "\n".join([*self._lines, *self._left_out]).rstrip() + "\n"


def _plural(noun: str) -> str:
    return noun.replace("run", "runs", 1) if noun.startswith("run") else f"{noun}s"


def _headline(report: RunReport) -> list[str]:
    counts = Counter(run.verdict for run in report.runs)
    told = " · ".join(f"{_MARKS[one]} {counts[one]:,}" for one in _ORDER if counts[one])
    nodes = Counter(run.node for run in report.runs)
    lines = [
        f"# harness: {_MARKS[report.verdict]}",
        "",
        f"{count(len(report.runs), 'run')}: {told}" if told else "0 runs: nothing is known",
        "",
    ]
    lines += [f"- {count(number, f'{node} run')}: {_TIMES[node]}" for node, number in nodes.items()]
    return [*lines, ""]


_TIMES = {
    "simulated": "its times are **simulated** (virtual seconds), its wall times **measured**",
    "live": "all its times are **measured** (wall seconds, on this machine and node)",
}


def _where_made(report: RunReport) -> list[str]:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in report.versions.items()]
    rows += [f"| {_cell(name)} | {_cell(value)} |" for name, value in report.machine.items()]
    if report.started_at:
        rows.append(f"| started at | {_cell(report.started_at)} |")
    if not rows:
        return []
    table = ["| | |", "|---|---|", *rows[:100]]
    return ["<details><summary>Versions and machine</summary>", "", *table, "", "</details>", ""]


def _failures(runs: list[RunResult]) -> Iterator[str]:
    for run in runs:
        if run.verdict is Verdict.PASSED:
            continue
        text = shortened(render_result(run), _FAILURE_LENGTH_MAX)
        claim = f"{_cell(run.claim)}\n\n" if run.claim else ""
        title = f"### {_MARKS[run.verdict]}: {_cell(run.scenario)}"
        yield f"{title}\n\n{claim}{_fenced(text)}\n"


_SPEEDUP_NOTE = [
    "Median of the timings one after another over the median of those together, only timings in "
    "which every operation succeeded; interval: 95 % percentile bootstrap. A simulated speed-up "
    "shows that nothing serialises, not how fast a node is.",
    "",
]
_SPEEDUP_HEAD = [
    "| scenario | phase | speed-up | 95 % interval | in turn | together | rounds | kind |",
    "|---|---|---:|---:|---:|---:|---:|---|",
]


def _speedup_rows(runs: list[RunResult]) -> Iterator[str]:
    for run in runs:
        if run.history is None:
            continue
        for phase, found in speedups(run.history).items():
            figures = ["too few rounds", "", "", "", ""] if found is None else _figures(found)
            cells = [_named(run), _cell(phase), *figures, clock_word(run.node)]
            yield f"| {' | '.join(cells)} |"


def _figures(found: Speedup) -> list[str]:
    interval = f"{found.low:.2f} to {found.high:.2f}" if found.has_interval else "too few rounds"
    medians = [seconds(found.sequential_s), seconds(found.together_s)]
    return [ratio(found.ratio), interval, *medians, str(found.rounds)]


_RUN_HEAD = [
    "| verdict | scenario | node | checks passed | simulated time | measured wall time | digest |",
    "|---|---|---|---:|---:|---:|---|",
]


def _run_row(run: RunResult) -> str:
    passed = sum(check.verdict is Verdict.PASSED for check in run.checks)
    cells = [
        _MARKS[run.verdict],
        _named(run),
        run.node,
        f"{passed} of {len(run.checks)}",
        "" if run.virtual_s is None else seconds(run.virtual_s),
        seconds(run.wall_s),
        f"`{run.digest[:12]}`" if run.digest else "",
    ]
    return f"| {' | '.join(cells)} |"


def _named(run: RunResult) -> str:
    return f"{_cell(run.scenario)} (seed {run.seed})"


_MARKUP = re.compile(r"([\\`*_\[\]#|~@$])")


def _cell(text: str) -> str:
    plain = shortened(one_line(text), _CELL_LENGTH_MAX)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain)


def _fenced(text: str) -> str:
    plain = printable(text)
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{plain}\n{fence}"
