"""Two reports compared: which runs both have, what became of each, and what is not the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.report.comparing.live import live_differences
from harness.report.comparing.simulated import simulated_differences
from harness.results.comparisons import Comparison, Measured, VerdictChange
from harness.results.verdict import WORST_FIRST, Verdict
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from harness.report.comparing.stored import StoredReport, StoredRun

    Key = tuple[str, str, int]
    Pair = tuple[StoredRun, StoredRun]
    _Change = tuple[str, str, Verdict, Verdict, tuple[tuple[str, str, str], ...]]

__all__ = ["compared_reports"]

# Measured on another one of these, a time says nothing.
SAME_MACHINE = ("cores", "processor")
LISTED_MAX = 10
ABSENT = "absent"


def compared_reports(
    old: StoredReport, new: StoredReport, *, measured: Iterable[Measured] = ()
) -> Comparison:
    """Compare two reports of runs.

    Args:
        old: What is compared with.
        new: What is judged.
        measured: What else was measured of the two.
    """
    before, now = _by_key(old.runs), _by_key(new.runs)
    # A live run is not decided by its seed: any of them stands for its scenario.
    simulated = [(one, now[key]) for key, one in before.items() if key in now]
    live_old, live_new = _live(old.runs), _live(new.runs)
    pairs = simulated + list(_live_pairs(live_old, live_new))
    notes = [
        *_not_passed(pairs),
        *_missing(old, new),
        *_different_facts(old, new),
        *_profiles(simulated),
    ]
    judged = [pair for pair in simulated if pair[0].profile == pair[1].profile]
    notes += _without_figures(judged)
    live: list[Measured] = []
    if live_old and live_new:
        if any(old.machine.get(one) != new.machine.get(one) for one in SAME_MACHINE):
            notes.append("measured times are not compared: the two were measured on two machines")
        else:
            live, left_out = live_differences(_same(live_old, live_new), _same(live_new, live_old))
            notes += left_out
    return Comparison(
        old=old.where,
        new=new.where,
        runs=len(pairs),
        equal=sum(one.digest is not None and one.digest == other.digest for one, other in pairs),
        verdicts=tuple(_verdict_changes(pairs)),
        simulated=tuple(simulated_differences(judged)),
        measured=(*live, *measured),
        notes=tuple(notes),
        unknown=() if pairs else ("nothing to compare: no run is in both",),
    )


def _by_key(runs: Iterable[StoredRun]) -> dict[Key, StoredRun]:
    return {
        (run.scenario, run.node, run.seed): run for run in runs if run.node == NodeKind.SIMULATED
    }


def _live(runs: Iterable[StoredRun]) -> list[StoredRun]:
    return [run for run in runs if run.node == NodeKind.LIVE]


def _same(runs: Iterable[StoredRun], others: Iterable[StoredRun]) -> list[StoredRun]:
    names = {run.scenario for run in others}
    return [run for run in runs if run.scenario in names]


def _live_pairs(old: Iterable[StoredRun], new: Iterable[StoredRun]) -> Iterator[Pair]:
    """Pair the worst live run of each scenario, whose verdicts are compared."""
    worst: tuple[dict[str, StoredRun], dict[str, StoredRun]] = ({}, {})
    for runs, found in ((old, worst[0]), (new, worst[1])):
        for run in sorted(runs, key=lambda run: WORST_FIRST.index(run.verdict)):
            found.setdefault(run.scenario, run)
    yield from ((one, worst[1][name]) for name, one in worst[0].items() if name in worst[1])


def _verdict_changes(pairs: Iterable[Pair]) -> Iterator[VerdictChange]:
    """Gather the runs that changed alike into one change, those that got worst first."""
    groups: defaultdict[_Change, list[Pair]] = defaultdict(list)
    for old, new in pairs:
        checks = tuple(
            (name, old.checks.get(name, ABSENT), new.checks.get(name, ABSENT))
            for name in old.checks | new.checks
            if old.checks.get(name) != new.checks.get(name)
        )
        fails = any(now == Verdict.FAILED for _, before, now in checks if before != ABSENT)
        if old.verdict is not new.verdict or fails:
            groups[old.scenario, old.node, old.verdict, new.verdict, checks].append((old, new))
    changes = [
        VerdictChange(
            scenario=scenario,
            node=node,
            seeds=tuple(new.seed for _, new in group),
            old=before,
            new=now,
            checks=checks,
            why=group[0][1].could_not_run,
        )
        for (scenario, node, before, now, checks), group in groups.items()
    ]
    yield from sorted(changes, key=lambda one: WORST_FIRST.index(one.new))


def _missing(old: StoredReport, new: StoredReport) -> Iterator[str]:
    names = [{(run.scenario, run.node) for run in side.runs} for side in (old, new)]
    for side, has, lacks in ((old, names[0], names[1]), (new, names[1], names[0])):
        only = sorted({f"{name} [{node}]" for name, node in has - lacks})
        if only:
            yield f"only in {side.where}: {_listed(only)}"
    keys = [set(_by_key(side.runs)) for side in (old, new)]
    common = names[0] & names[1]
    for side, mine, theirs in ((old, keys[0], keys[1]), (new, keys[1], keys[0])):
        left = {key for key in mine - theirs if key[:2] in common}
        if left:
            seeds = sorted({str(seed) for *_, seed in left}, key=int)
            runs = count(len(left), "run")
            yield f"only in {side.where}: {runs} of scenarios of both, with seeds {_listed(seeds)}"


def _without_figures(pairs: Iterable[Pair]) -> Iterator[str]:
    # A function that was run has none: only scenarios have.
    scenarios = [pair for pair in pairs if pair[0].path.endswith(".toml")]
    left = sum(old.figures is None or new.figures is None for old, new in scenarios)
    if left:
        runs = count(left, "run")
        yield f"{runs} without figures on a side: only verdict and elapsed time compared"


def _not_passed(pairs: Iterable[Pair]) -> Iterator[str]:
    for verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        names = sorted(
            {old.scenario for old, new in pairs if old.verdict is new.verdict is verdict}
        )
        if names:
            yield f"{verdict} in both: {_listed(names)}"


def _different_facts(old: StoredReport, new: StoredReport) -> Iterator[str]:
    for what, before, now in (
        ("versions", old.versions, new.versions),
        ("machine", old.machine, new.machine),
    ):
        changed = _changed(before, now)
        if changed:
            yield f"{what}: {', '.join(changed)}"


def _changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    return [
        f"{name} {before.get(name, 'not named')} → {now.get(name, 'not named')}"
        for name in before | now
        if before.get(name) != now.get(name)
    ]


def _profiles(pairs: Collection[Pair]) -> Iterator[str]:
    changed = {(old.profile, new.profile) for old, new in pairs if old.profile != new.profile}
    for before, now in sorted(changed):
        yield f"profile {before} → {now}: simulated times of these runs are not compared"


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED_MAX
    tail = f" and {more:,} more" if more > 0 else ""
    return f"{', '.join(names[:LISTED_MAX])}{tail}"
