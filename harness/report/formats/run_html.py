"""A batch of runs as HTML: one page that needs no network, no script and no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.figures.beside import BESIDE_MAX, beside
from harness.report.figures.cycle_plot import cycle_plot
from harness.report.figures.latency_plot import latency_plot
from harness.report.figures.overview import overview
from harness.report.figures.side_by_side import side_by_side
from harness.report.figures.speedup_plot import speedup_plots
from harness.report.figures.spent_table import ROWS_MAX, spent_table
from harness.report.figures.timeline import shown_operations, timeline_of
from harness.report.formats.search_html import lock_rows
from harness.report.html_page import environment
from harness.results.verdict import WORST_FIRST, Verdict
from harness.results.wording import clock_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.records import History
    from harness.results.runs import RunReport, RunResult

__all__ = ["SECTIONS_MAX", "SHAPES_MAX", "run_html"]

SECTIONS_MAX = 200
SHAPES_MAX = 30_000  # a larger page is slow to open, so later runs are shown without figures
COMPARED_MAX = 100
_OPEN_MAX = 3


def run_html(
    report: RunReport, *, sections_max: int = SECTIONS_MAX, shapes_max: int = SHAPES_MAX
) -> str:
    """Return the report as one HTML page.

    At most ``sections_max`` runs have a section, failures first, and about ``shapes_max`` bars and
    ticks are drawn; the page says what was left out. The page declares that it loads and runs
    nothing, so a browser enforces what the escaping already ensures.
    """
    runs = sorted(
        report.runs, key=lambda run: WORST_FIRST.index(run.verdict)
    )  # a stable sort: otherwise in the order of the runs
    shown = runs[:sections_max]
    numbers = {id(run): number for number, run in enumerate(shown, start=1)}
    template = environment().get_template("runs.html")
    compared = side_by_side(report)
    return template.render(
        report=report,
        compared=compared[:COMPARED_MAX],
        compared_left_out=len(compared) - len(compared[:COMPARED_MAX]),
        overview=overview(report, numbers),
        beside=beside(report),
        beside_max=BESIDE_MAX,
        rows_max=ROWS_MAX,
        sections=list(_sections(shown, shapes_max)),
        runs_left_out=len(runs) - len(shown),
        sections_max=sections_max,
        shapes_max=shapes_max,
    )


def _sections(runs: list[RunResult], shapes_max: int) -> Iterator[dict[str, Any]]:
    shapes = 0
    for number, run in enumerate(runs, start=1):
        figures = None
        if run.history is not None and shapes < shapes_max:
            figures = _figures(run.history)
            shapes += figures["shapes"]
        history = run.history
        deadlock = None if history is None else history.deadlock
        yield {
            "number": number,
            "run": run,
            "clock": clock_word(run.node),
            "open": number <= _OPEN_MAX and run.verdict is not Verdict.PASSED,
            "deadlock": deadlock,
            "cycle": cycle_plot(deadlock),
            **lock_rows(None if run.verdict is Verdict.PASSED else history),
            "figures": figures,
            "figures_left_out": figures is None and run.history is not None,
        }


def _figures(history: History) -> dict[str, Any]:
    operations = shown_operations(history)
    timeline = timeline_of(history)
    latency = latency_plot(history)
    spent = spent_table({clock_word(history.node): [history]})
    return {
        "timeline": timeline if timeline.bars else None,
        "latency": latency,
        "spent": spent,
        "speedups": speedup_plots(history),
        "operations": operations,
        "operations_left_out": len(history.operations) - len(operations),
        "shapes": len(timeline.bars)
        + len(operations)
        + (len(latency.rows) if latency else 0)
        + (spent.curves if spent else 0),
    }
