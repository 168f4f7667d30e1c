"""A batch of runs in a terminal: each verdict in lines, the summary, and the progress."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from harness.report.text.check_words import involved, named_by_outcomes, reasons
from harness.report.text.wait_for import diagnosis_lines
from harness.results.verdict import Verdict
from harness.results.wording import clock_word, count, one_line, printable, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.results.runs import RunReport, RunResult
    from harness.results.verdict import CheckResult

__all__ = ["Progress", "render_result", "render_summary"]

_INVOLVED_MAX = 12
_TEXT_LENGTH_MAX = 4_000
_PASSED_LINES_MAX = 200  # beyond this many runs, passed runs are counted and not listed
_COUNTS = 20  # progress lines over a batch of runs
_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.UNKNOWN: "bold yellow"}


def render_result(result: RunResult) -> str:
    """Render a run: a line if it passed, else expected, seen, replay and why."""
    return "\n".join(_lines(result))


def render_summary(report: RunReport) -> str:
    """Render the counts of all runs in one line: ``12 runs: 10 passed, 1 failed, 1 unknown …``."""
    counts = Counter(run.verdict for run in report.runs)
    nodes = Counter(run.node for run in report.runs)
    where = ", ".join(f"{number:,} {node}" for node, number in sorted(nodes.items()))
    wall = seconds(sum(run.wall_s for run in report.runs))
    if not report.runs:
        return "0 runs: nothing was run, so nothing is known"
    runs = count(len(report.runs), "run")
    return f"{runs}: {_counts_words(counts)} ({where}; {wall} of runs, measured)"


def _lines(result: RunResult) -> Iterator[str]:
    head = f"{result.verdict.upper()} {result.scenario} [{result.node}, seed {result.seed}]"
    if result.verdict is Verdict.PASSED:
        yield _text(f"{head} {_times(result)}, {count(len(result.checks), 'check')}")
        return
    yield _text(head)
    if result.could_not_run is not None:
        yield _indented(f"could not run: {result.could_not_run}")
    shown = [check for check in result.checks if check.verdict is not Verdict.PASSED]
    if not shown and result.could_not_run is None:
        yield "  no check was made, so nothing is known"
    elsewhere = named_by_outcomes(shown)
    checks = [_check_line(check, elsewhere, named=len(shown) > 1) for check in shown]
    yield from map(_indented, checks)
    yield _text(f"  replay: {result.replay}")
    deadlock = None if result.history is None else result.history.deadlock
    for names, why in reasons(shown, "\n".join(checks), deadlock):
        yield _indented(f"why ({names}): {why}" if len(shown) > 1 else f"why: {why}")
    if result.history is not None:
        yield from (f"  {line}" for line in diagnosis_lines(result.history))


def _check_line(check: CheckResult, elsewhere: Collection[str], *, named: bool) -> str:
    unknown = "cannot tell: " if check.verdict is Verdict.UNKNOWN else ""
    name = f"{check.name}: " if named else ""
    line = f"{name}{unknown}expected {check.expected}, saw {check.seen}"
    left = involved(check, elsewhere)
    if not left:
        return line
    more = len(left) - _INVOLVED_MAX
    tail = f", … and {more:,} more" if more > 0 else ""
    # Where ``seen`` begins a list, the rest of that list follows.
    colon = "," if check.seen.endswith(check.involved[0]) else ":"
    return f"{line}{colon} {', '.join(left[:_INVOLVED_MAX])}{tail}"


def _times(result: RunResult) -> str:
    wall = f"{seconds(result.wall_s)} measured"
    if result.virtual_s is None:
        return wall
    return f"{seconds(result.virtual_s)} {clock_word(result.node)}, {wall}"


def _text(text: str) -> str:
    return one_line(shortened(text, _TEXT_LENGTH_MAX))


def _indented(text: str) -> str:
    return printable(shortened(f"  {text}", _TEXT_LENGTH_MAX)).replace("\n", "\n    ")


class Progress:
    """Shows runs as they end: ``start`` once, ``finished`` for each run, ``close`` once.

    On a terminal there is a bar below the scrolling lines, elsewhere plain lines. Each passed run
    has a line up to 200 runs; beyond that there is a count now and then; quiet leaves both out. A
    run that did not pass is always shown in full. ``stream`` is standard output by default.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._quiet = quiet
        self._stream = sys.stdout if stream is None else stream
        self._bar: _Bar | None = None
        self._counts: Counter[Verdict] = Counter()
        self._total = 0

    def start(self, total: int) -> None:
        """Begin: ``total`` runs are to come."""
        self._total = total
        if not self._quiet and self._stream.isatty():
            self._bar = _Bar(self._stream, total)

    def finished(self, result: RunResult) -> None:
        """Show the result of a run."""
        self._counts[result.verdict] += 1
        if result.verdict is not Verdict.PASSED or self._lists_passed():
            self._tell(result)
        if self._bar is not None:
            self._bar.advance(_counts_words(self._counts))
        elif not self._quiet and not self._lists_passed():
            self._count()

    def close(self) -> None:
        """End, also where the runs were interrupted; idempotent."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        done = self._counts.total()
        if done < self._total:
            self._write(f"ended after {done:,} of {count(self._total, 'run')}")
        self._total = done

    def _lists_passed(self) -> bool:
        return not self._quiet and self._total <= _PASSED_LINES_MAX

    def _tell(self, result: RunResult) -> None:
        if self._bar is None:
            self._write(render_result(result))
        else:
            self._bar.tell(render_result(result), _STYLES[result.verdict], len(result.verdict))

    def _count(self) -> None:
        done = self._counts.total()
        if done % max(self._total // _COUNTS, 1) == 0:
            self._write(f"{done:,} of {self._total:,} runs: {_counts_words(self._counts)}")

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        safe = text.encode(encoding, errors="backslashreplace").decode(encoding)
        self._stream.write(f"{safe}\n")
        self._stream.flush()


class _Bar:
    """The bar that rich draws on a terminal."""

    def __init__(self, stream: TextIO, total: int) -> None:
        # Rich takes longer to import than most scenarios to run: only a terminal pays for it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=stream, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task("running", total=total)
        self._progress.start()

    def tell(self, text: str, style: str, styled: int) -> None:
        from rich.text import Text  # noqa: PLC0415 - as above

        painted = Text(text)
        painted.stylize(style, 0, styled)
        self._progress.console.print(painted, soft_wrap=True)

    def advance(self, words: str) -> None:
        self._progress.update(self._task, advance=1, description=words)

    def stop(self) -> None:
        self._progress.stop()


def _counts_words(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in Verdict if counts[verdict])
