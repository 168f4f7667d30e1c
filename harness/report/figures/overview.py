"""The overview of a batch of runs: its counts, and its runs by scenario and backend."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.history.timings import median
from harness.report.figures.latency_and_speedup import speedups
from harness.results.verdict import WORST_FIRST, Verdict, verdict_of
from harness.results.wording import clock_word, count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.history.timings import Speedup
    from harness.results.runs import RunReport, RunResult

__all__ = ["CheckDot", "Group", "Overview", "SeedLink", "overview"]

_SEEDS_MAX = 8
_GROUPS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDot:
    """A check over all runs of a group: its folded verdict, and how many runs had that verdict."""

    name: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLink:
    """A seed; ``section`` is the number of its run's section on the page, if it has one."""

    seed: int
    verdict: Verdict
    section: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs of a scenario on a backend. Times are medians over the runs, in seconds."""

    scenario: str
    claim: str
    node: str
    clock: str
    verdict: Verdict
    runs: int
    seeds: tuple[SeedLink, ...]
    seeds_left_out: int
    checks: tuple[CheckDot, ...]
    virtual_s: float | None
    wall_s: float
    speedup: Speedup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the top of the page says."""

    verdict: Verdict
    headline: str
    counts: tuple[tuple[Verdict, int], ...]
    nodes: tuple[tuple[str, int], ...]
    seeds: str
    profiles: tuple[str, ...]
    groups: tuple[Group, ...]
    groups_left_out: int
    wall_s: float


def overview(report: RunReport, sections: Mapping[int, int]) -> Overview:
    """Gather a report's runs; ``sections`` maps ``id(run)`` to the number of its section."""
    gathered: dict[tuple[str, str, str], list[RunResult]] = {}
    for run in report.runs:
        gathered.setdefault((run.scenario, run.path, run.node), []).append(run)
    groups = [_group(runs, sections) for runs in gathered.values()]
    groups.sort(key=lambda group: WORST_FIRST.index(group.verdict))
    counts = Counter(run.verdict for run in report.runs)
    return Overview(
        verdict=report.verdict,
        headline=_headline(counts),
        counts=tuple((verdict, counts[verdict]) for verdict in WORST_FIRST),
        nodes=tuple(Counter(run.node for run in report.runs).items()),
        seeds=_seeds(report.runs),
        profiles=tuple(dict.fromkeys(str(run.profile) for run in report.runs if run.profile)),
        groups=tuple(groups[:_GROUPS_MAX]),
        groups_left_out=max(len(groups) - _GROUPS_MAX, 0),
        wall_s=sum(run.wall_s for run in report.runs),
    )


def _group(runs: Sequence[RunResult], sections: Mapping[int, int]) -> Group:
    first = runs[0]
    ordered = sorted(runs, key=lambda run: WORST_FIRST.index(run.verdict))
    worst = [run for run in ordered if run.verdict is not Verdict.PASSED] or ordered[:1]
    virtual = [run.virtual_s for run in runs if run.virtual_s is not None]
    return Group(
        scenario=first.scenario,
        claim=first.claim,
        node=first.node,
        clock=clock_word(first.node),
        verdict=verdict_of(run.verdict for run in runs),
        runs=len(runs),
        seeds=tuple(
            SeedLink(seed=run.seed, verdict=run.verdict, section=sections.get(id(run)))
            for run in worst[:_SEEDS_MAX]
        ),
        seeds_left_out=max(len(worst) - _SEEDS_MAX, 0),
        checks=_check_dots(runs),
        virtual_s=median(virtual) if virtual else None,
        wall_s=median([run.wall_s for run in runs]),
        speedup=_first_speedup(first) if len(runs) == 1 else None,
    )


def _check_dots(runs: Sequence[RunResult]) -> tuple[CheckDot, ...]:
    verdicts: dict[str, list[Verdict]] = {}
    for run in runs:
        for check in run.checks:
            verdicts.setdefault(check.name, []).append(check.verdict)
    dots = []
    for name, seen in verdicts.items():
        verdict = verdict_of(seen)
        of = f" in {seen.count(verdict):,} of {count(len(seen), 'run')}" if len(runs) > 1 else ""
        dots.append(CheckDot(name=name, verdict=verdict, words=f"{name}: {verdict}{of}"))
    return tuple(dots)


def _first_speedup(run: RunResult) -> Speedup | None:
    if run.history is None:
        return None
    return next((found for found in speedups(run.history).values() if found is not None), None)


def _headline(counts: Counter[Verdict]) -> str:
    total = counts.total()
    if not total:
        return "Nothing was run"
    if total == 1:
        word = {Verdict.FAILED: "failed", Verdict.PASSED: "passed"}
        return f"The run {word.get(next(iter(counts)), 'could not be judged')}"
    if counts[Verdict.FAILED]:
        return f"{counts[Verdict.FAILED]:,} of {count(total, 'run')} failed"
    if counts[Verdict.UNKNOWN]:
        return f"{counts[Verdict.UNKNOWN]:,} of {count(total, 'run')} could not be judged"
    return f"All {count(total, 'run')} passed"


def _seeds(runs: Sequence[RunResult]) -> str:
    seeds = list(dict.fromkeys(run.seed for run in runs))
    if len(seeds) <= _SEEDS_MAX:
        return ", ".join(str(seed) for seed in seeds) or "none"
    return f"{len(seeds):,} seeds from {min(seeds)} to {max(seeds)}"
