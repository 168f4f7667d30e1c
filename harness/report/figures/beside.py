"""Simulated runs beside live ones: the scenarios that a report has on both nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.history.timings import median
from harness.report.figures.latency_and_speedup import speedups
from harness.report.figures.side_by_side import runs_on_both
from harness.report.figures.spent_table import spent_table
from harness.results.wording import clock_word, count, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import History
    from harness.history.timings import Speedup
    from harness.report.figures.spent_table import SpentTable
    from harness.results.runs import RunReport, RunResult

__all__ = ["BESIDE_MAX", "Beside", "BesideSpeedup", "beside"]

BESIDE_MAX = 40  # scenarios; more make a page that is slow to open


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideSpeedup:
    """A phase's speed-up on one clock, in words."""

    phase: str
    clock: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A scenario on both nodes: how many runs passed on each clock, and all their figures."""

    scenario: str
    runs: tuple[tuple[str, str], ...]
    speedups: tuple[BesideSpeedup, ...]
    spent: SpentTable | None


def beside(report: RunReport) -> tuple[tuple[Beside, ...], int]:
    """Lay out the scenarios of a report that have runs on both nodes, and count those left out."""
    both = list(runs_on_both(report).values())
    # Always in one order, whichever was run first.
    shown = tuple(
        _beside({clock_word(node): nodes[node] for node in NodeKind}) for nodes in both[:BESIDE_MAX]
    )
    return shown, len(both) - len(shown)


def _beside(nodes: dict[str, list[RunResult]]) -> Beside:
    histories = {
        clock: [run.history for run in runs if run.history is not None]
        for clock, runs in nodes.items()
    }
    return Beside(
        scenario=next(iter(nodes.values()))[0].scenario,
        runs=tuple((clock, _passed(runs)) for clock, runs in nodes.items()),
        speedups=tuple(
            BesideSpeedup(phase=phase, clock=clock, words=words)
            for clock, some in histories.items()
            for phase, words in _speedups(some)
        ),
        spent=spent_table(histories),
    )


def _passed(runs: Sequence[RunResult]) -> str:
    passed = sum(run.verdict.value == "passed" for run in runs)
    return f"{passed:,} of {count(len(runs), 'run')} passed"


def _speedups(histories: Sequence[History]) -> list[tuple[str, str]]:
    phases: dict[str, list[Speedup]] = {}
    for history in histories:
        for phase, found in speedups(history).items():
            if found is not None:
                phases.setdefault(phase, []).append(found)
    return [(phase, _words(some)) for phase, some in phases.items()]


def _words(some: Sequence[Speedup]) -> str:
    if len(some) > 1:
        return f"{ratio(median([one.ratio for one in some]))}, median of {count(len(some), 'run')}"
    (one,) = some
    if one.interval is None:
        return f"{ratio(one.ratio)} ({count(one.rounds, 'round')})"
    return "{}, 95 % interval {:.2f} to {:.2f}".format(ratio(one.ratio), *one.interval)
