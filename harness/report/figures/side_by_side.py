"""Simulated and live side by side: each scenario of a report that was run on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.history.timings import pairs_of, phases, speedup
from harness.report.figures.latency_and_speedup import Latency, latencies
from harness.results.verdict import Verdict, verdict_of
from harness.results.wording import count, ratio, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.history.timings import Pair, Speedup
    from harness.results.runs import RunReport, RunResult

__all__ = ["Side", "SideBySide", "runs_on_both", "side_by_side"]

NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A scenario on one kind of node. ``latencies`` by call, ``speedups`` by phase, of all runs."""

    verdict: Verdict
    runs: int
    latencies: dict[str, Latency]
    speedups: dict[str, Speedup]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """A scenario on both kinds of nodes."""

    scenario: str
    path: str
    simulated: Side
    live: Side

    @property
    def rows(self) -> Iterator[tuple[str, str, str]]:
        """The rows of a table: what is compared, simulated, live; of few words each."""
        columns = [dict(_cells(one)) for one in (self.simulated, self.live)]
        for what in {**columns[0], **columns[1]}:
            simulated, live = (column.get(what, NONE) for column in columns)
            if (simulated, live) != (NONE, NONE):
                yield what, simulated, live


def runs_on_both(report: RunReport) -> dict[str, dict[str, list[RunResult]]]:
    """Return the runs by path and node, of the files that were run on both kinds of nodes."""
    by_path: dict[str, dict[str, list[RunResult]]] = {}
    for run in report.runs:
        by_path.setdefault(run.path, {}).setdefault(run.node, []).append(run)
    return {path: nodes for path, nodes in by_path.items() if nodes.keys() >= set(NodeKind)}


def side_by_side(report: RunReport) -> tuple[SideBySide, ...]:
    """Put the scenarios that were run on both kinds of nodes side by side, in their order."""
    return tuple(
        SideBySide(
            scenario=nodes[NodeKind.LIVE][0].scenario,
            path=path,
            simulated=_side(nodes[NodeKind.SIMULATED]),
            live=_side(nodes[NodeKind.LIVE]),
        )
        for path, nodes in runs_on_both(report).items()
    )


def _side(runs: Sequence[RunResult]) -> Side:
    """Pool the runs of a scenario on one kind of node."""
    histories = [run.history for run in runs if run.history is not None]
    found: dict[str, list[Latency]] = {}
    for history in histories:
        for one in latencies(history):
            found.setdefault(one.call, []).append(one)
    timed: dict[str, list[Pair]] = {}
    for history in histories:
        for phase in phases(history):
            timed.setdefault(phase, []).extend(pairs_of(history, phase))
    judged = {phase: speedup(pairs) for phase, pairs in timed.items()}
    return Side(
        verdict=verdict_of(run.verdict for run in runs),
        runs=len(runs),
        latencies={call: _pooled(ones) for call, ones in found.items()},
        speedups={phase: one for phase, one in judged.items() if one is not None},
    )


def _pooled(ones: Sequence[Latency]) -> Latency:
    return Latency(
        call=ones[0].call,
        samples=tuple(sorted(sample for one in ones for sample in one.samples)),
        left_out=sum(one.left_out for one in ones),
    )


def _cells(side: Side) -> Iterator[tuple[str, str]]:
    """Write each figure of a side in a few words, after what it is of."""
    runs = "" if side.runs == 1 else f", {count(side.runs, 'run')}"
    yield "verdict", f"{side.verdict}{runs}"
    for call, latency in side.latencies.items():
        values = {f"p{percent}": latency.at(percent) for percent in (50, 95)}
        values["longest"] = max(latency.samples, default=None)
        for what, value in values.items():
            yield f"{call}, {what}", NONE if value is None else seconds(value)
    for phase, found in side.speedups.items():
        between = "" if found.interval is None else " ({:.2f} to {:.2f})".format(*found.interval)
        yield f"speed-up of {phase}", f"{ratio(found.ratio)}{between}"
