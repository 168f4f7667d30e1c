"""What a person sees of a search, or of runs that are verified, while it goes on."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from harness.cli.arguments import note
from harness.processes.below_python import original
from harness.report.formats.search_terminal import search_lines
from harness.results.verdict import Verdict
from harness.results.wording import count, one_line, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.results.explorations import Exploration, ExplorationReport, FoundFailure
    from harness.runs.repeated.verifying import Verified
    from harness.search.pieces.plan import SearchPlan

__all__ = [
    "LINE_S",
    "SearchProgress",
    "counted",
    "coverage_line",
    "heading",
    "report_lines",
    "summary",
]

_REAL_CLOCK = original(time.perf_counter)
_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 12
_HEADLINE_MAX = 300
# Without a terminal, a line so often.
LINE_S = 10.0


def heading(plan: SearchPlan) -> str:
    """Say what will be searched, the seed among it."""
    if plan.seconds is not None:
        budget = f"{plan.seconds:g} s altogether"
    else:
        budget = f"{count(plan.runs_wanted or 0, 'run')} each"
    words = [
        f"exploring {count(len(plan.scenarios), 'scenario')}",
        plan.terms.words,
        budget,
        f"seed {plan.terms.seed}",
        count(plan.processes, "process") if plan.processes == 1 else f"{plan.processes} processes",
    ]
    if plan.shard != (1, 1):
        words.append(f"share {plan.shard[0]} of {plan.shard[1]}")
    return f"harness: {', '.join(words)}"


def report_lines(report: ExplorationReport, *, quiet: bool) -> list[str]:
    """Tell all explorations, those with a failure last, where they are seen."""
    order = (Verdict.PASSED, Verdict.UNKNOWN, Verdict.FAILED)
    lines: list[str] = []
    for verdict in order[1:] if quiet else order:
        for one in report.explorations:
            if one.verdict is verdict:
                head, *rest = search_lines(one)
                lines += [head, *([f"  {coverage_line(one)}"] if one.runs else []), *rest]
    return lines


def coverage_line(exploration: Exploration) -> str:
    """Say how the search levels off: a picture, and what the last quarter of the runs still found.

    ``coverage: ▁▄▆▇▇██ 41 distinct partial orders, 2 new in the last quarter …``
    """
    one = exploration
    past = [distinct for runs, distinct in one.coverage if runs <= one.runs * 3 / 4]
    new = one.distinct - (past[-1] if past else 0)
    awaits = count(one.awaits_interleaved, "pair")
    return (
        f"coverage: {''.join(_bars(one))} {count(one.distinct, 'distinct partial order')},"
        f" {new:,} new in the last quarter of the runs; {awaits} of awaits interleaved"
    )


def summary(report: ExplorationReport, *, seed: int, took_s: float, runs_before: int = 0) -> str:
    """Say in one line how it went, the seed last; ``runs_before`` were made by others, earlier."""
    all_of = report.explorations
    counts = Counter(one.verdict for one in all_of)
    verdicts = ", ".join(f"{counts[kind]:,} {kind}" for kind in Verdict if counts[kind])
    runs = sum(one.runs for one in all_of)
    distinct = sum(one.distinct for one in all_of)
    failures = sum(len(one.failures) for one in all_of)
    now = runs - runs_before
    rate = f", {now / took_s:,.0f} runs/s" if took_s > 0 and now else ""
    return (
        f"{count(len(all_of), 'scenario')}: {verdicts} ({count(runs, 'run')},"
        f" {count(distinct, 'distinct partial order')}, {count(failures, 'failure')};"
        f" {seconds(took_s)} measured{rate}), seed {seed}"
    )


def counted(found: Iterable[Verified], total: int) -> Iterator[Verified]:
    """Hand on what is found of ``total`` runs, and tell every ten seconds how far it is."""
    told_s = _REAL_CLOCK()
    for number, one in enumerate(found, start=1):
        yield one
        if _REAL_CLOCK() - told_s >= LINE_S:
            told_s = _REAL_CLOCK()
            note(f"{number:,} of {count(total, 'run')} made twice")


def _bars(one: Exploration) -> Iterator[str]:
    if not one.coverage:
        return
    points = min(_POINTS, one.runs)
    for number in range(1, points + 1):
        until = one.runs * number / points
        seen = [distinct for runs, distinct in one.coverage if runs <= until] or [0]
        share = seen[-1] / one.distinct if one.distinct else 0.0
        yield _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]


class SearchProgress:
    """Tells of a search as it goes on: a status line on a terminal, plain lines elsewhere.

    A failure is told at once, in short; it is told in full at the end. ``quiet`` leaves the rest
    out. ``stream`` is standard error if it is not given.
    """

    def __init__(
        self, plan: SearchPlan, *, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        self._plan = plan
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._begin_s = self._told_s = _REAL_CLOCK()
        self._first_runs: int | None = None
        self._line: _StatusLine | None = None
        if not quiet and self._stream.isatty():
            self._line = _StatusLine(self._stream, self._total())

    def message(self, line: str) -> None:
        """Tell what people should know."""
        self._write(f"harness: {one_line(line)}")

    def ran(self, runs: int, distinct: int, failures: int) -> None:
        """Tell how far it is."""
        now = _REAL_CLOCK()
        if self._first_runs is None:
            self._first_runs = runs
        rate = (runs - self._first_runs) / max(now - self._begin_s, 0.001)
        words = f"{distinct:,} distinct, {count(failures, 'failure')}, {rate:,.0f} runs/s"
        if self._line is not None:
            self._line.show(runs, words)
        elif not self._quiet and now - self._told_s >= LINE_S:
            self._told_s = now
            total = self._total()
            of = f" of {total:,}" if total is not None else ""
            self._write(f"{runs:,}{of} runs: {words}")

    def found(self, scenario: str, failure: FoundFailure) -> None:
        """Tell a failure in short."""
        only = " [adversarial only]" if failure.adversarial else ""
        headline = one_line(shortened(failure.headline, _HEADLINE_MAX))
        if not self._quiet:
            self._write(f"found in {scenario}: {headline}{only}")

    def close(self) -> None:
        """End; idempotent."""
        if self._line is not None:
            self._line.stop()
            self._line = None

    def _total(self) -> int | None:
        wanted = [piece.runs for piece in self._plan.pieces()]
        return None if None in wanted else sum(runs or 0 for runs in wanted)

    def _write(self, text: str) -> None:
        if self._line is not None:
            self._line.tell(text)
            return
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._stream.flush()


class _StatusLine:
    """The line that rich draws on a terminal."""

    def __init__(self, stream: TextIO, total: int | None) -> None:
        # Rich takes longer to import than many scenarios to run: only a terminal pays for it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        done = TextColumn("{task.completed:,}", markup=False)
        runs: Any = done if total is None else MofNCompleteColumn()
        self._progress = Progress(
            BarColumn(bar_width=24),
            runs,
            TextColumn("runs, {task.description}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=stream, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=total)
        self._progress.start()

    def show(self, runs: int, words: str) -> None:
        self._progress.update(self._task, completed=runs, description=words)

    def tell(self, text: str) -> None:
        from rich.text import Text  # noqa: PLC0415 - as above

        self._progress.console.print(Text(text), soft_wrap=True)

    def stop(self) -> None:
        self._progress.stop()
