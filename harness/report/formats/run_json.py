"""A batch of runs as JSON, for other programs to read."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessBug
from harness.history.contention import contention
from harness.history.time_spent import QUANTITIES, spendings
from harness.history.timings import pairs_of, phases
from harness.report.figures.latency_and_speedup import PERCENTILES, at, latencies, speedups
from harness.report.figures.side_by_side import side_by_side
from harness.results.plain_record import to_plain
from harness.results.wording import clock_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.contention import Contention
    from harness.history.records import History
    from harness.history.time_spent import Spending
    from harness.history.timings import Pair, Speedup
    from harness.report.figures.latency_and_speedup import Latency
    from harness.report.figures.side_by_side import SideBySide
    from harness.results.runs import RunReport, RunResult

__all__ = [
    "LOCKS_MAX",
    "REPORT_SAMPLE_MAX",
    "SAMPLE_MAX",
    "SCHEMA_VERSION",
    "report_document",
    "run_json",
]

SCHEMA_VERSION = 2
# The locks that blocked others longest: a service may have a lock for each of very many keys.
LOCKS_MAX = 50
# Operations and commands that are written one by one: of each name in a run, and of a report.
SAMPLE_MAX = 100
REPORT_SAMPLE_MAX = 10_000


def report_document(report: RunReport) -> dict[str, Any]:
    """Return the report as plain data, in the shape of ``report.schema.json``."""
    spent = [() if run.history is None else spendings([run.history]) for run in report.runs]
    sample_max = min(SAMPLE_MAX, REPORT_SAMPLE_MAX // max(sum(map(len, spent)), 1))
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.value,
        "started_at": report.started_at,
        "runs": [
            _run(run) | {"figures": _figures(run.history, found, sample_max=sample_max)}
            for run, found in zip(report.runs, spent, strict=True)
        ],
        "side_by_side": [_compared(one) for one in side_by_side(report)],
        "versions": dict(report.versions),
        "machine": dict(report.machine),
    }


def run_json(report: RunReport) -> str:
    """Return the report as indented JSON, ASCII only.

    Raises:
        HarnessBug: A number of the report is not finite.
    """
    try:
        return json.dumps(report_document(report), indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise HarnessBug(f"report.json: every number must be finite: {error}") from error


def _run(run: RunResult) -> dict[str, Any]:
    return {
        "scenario": run.scenario,
        "path": run.path,
        "claim": run.claim,
        "node": run.node,
        "seed": run.seed,
        "digest": run.digest,
        "verdict": run.verdict.value,
        "could_not_run": run.could_not_run,
        "checks": to_plain(run.checks),
        "virtual_s": run.virtual_s,
        "wall_s": run.wall_s,
        "replay": run.replay,
        "profile": to_plain(run.profile),
    }


def _compared(one: SideBySide) -> dict[str, Any]:
    sides = {"simulated": one.simulated, "live": one.live}
    return {
        "scenario": one.scenario,
        "path": one.path,
        **{
            node: {
                "verdict": side.verdict.value,
                "runs": side.runs,
                "latencies": [_latency(found) for found in side.latencies.values()],
                "speedups": [_speedup(phase, found) for phase, found in side.speedups.items()],
            }
            for node, side in sides.items()
        },
    }


def _figures(
    history: History | None, spent: Sequence[Spending], *, sample_max: int
) -> dict[str, Any] | None:
    if history is None:
        return None
    return {
        "clock": clock_word(history.node),
        "latencies": [_latency(latency) for latency in latencies(history)],
        "operations": [_spending(one, sample_max) for one in spent if one.kind == "operation"],
        "commands": [_spending(one, sample_max) for one in spent if one.kind == "command"],
        "speedups": [_speedup(phase, found) for phase, found in speedups(history).items() if found],
        "timed_rounds": [
            _timed_round(phase, one)
            for phase in phases(history)
            for one in pairs_of(history, phase)
        ],
        "contention": [_contention(one) for one in contention(history)[:LOCKS_MAX]],
    }


def _latency(latency: Latency) -> dict[str, Any]:
    return {
        "call": latency.call,
        "samples": len(latency.samples),
        "left_out": latency.left_out,
        **{f"p{percent}_s": latency.at(percent) for percent in PERCENTILES},
        "max_s": max(latency.samples, default=None),
    }


def _spending(spending: Spending, sample_max: int) -> dict[str, Any]:
    pieces = spending.pieces
    # Every so many, so that the sample is of the whole run.
    stride = max(ceil(len(pieces) / max(sample_max, 1)), 1)
    return {
        "name": spending.name,
        "timed": None if spending.timed is None else spending.timed.value,
        "samples": len(pieces),
        "left_out": spending.left_out,
        **{name: _distribution(spending.samples(name)) for name in QUANTITIES},
        "sample": [
            {"user": one.user, "begin_s": one.begin_s}
            | {name: getattr(one, name) for name in QUANTITIES}
            for one in (pieces[::stride] if sample_max else ())
        ],
    }


def _distribution(samples: tuple[float, ...]) -> dict[str, Any] | None:
    if not samples:
        return None
    return {
        "samples": len(samples),
        "sum_s": sum(samples),
        **{f"p{percent}_s": at(samples, percent) for percent in PERCENTILES},
        "max_s": samples[-1],
    }


def _contention(one: Contention) -> dict[str, Any]:
    return {
        "lock": one.lock,
        "number": one.number,
        "kind": one.kind,
        "holds": one.hold_count,
        "held_s": one.held_s,
        "waits": one.wait_count,
        "waited_s": one.waited_s,
        "blocked_s": one.blocked_s,
        "waiters": list(one.waiters[:LOCKS_MAX]),
        "held_await": one.held_await,
        "taken_at": one.taken_at,
    }


def _speedup(phase: str, found: Speedup) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {
        "phase": phase,
        "ratio": found.ratio,
        "low": low,
        "high": high,
        "sequential_s": found.sequential_s,
        "together_s": found.together_s,
        "rounds": found.rounds,
        "dropped": found.dropped,
    }


def _timed_round(phase: str, one: Pair) -> dict[str, Any]:
    machine = one.machine
    return {
        "phase": phase,
        "round": one.round,
        "sequential_s": one.sequential.duration_s,
        "together_s": one.together.duration_s,
        "dropped_because": one.spoilt_by,
        "foreign_cores": None if machine is None else machine.foreign_cores,
        "own_cores": None if machine is None else machine.own_cores,
        "room": None if machine is None else machine.room,
    }
