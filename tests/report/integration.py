"""Make the folder of ``tox -e integration`` of what its steps left in it.

Usage: integration.py FOLDER, with ``simulated/report.json`` and ``live/report.json`` of harness run
and ``tests/*.xml`` of pytest in it. What is not there was not run, and is unknown. Ends with 0 if
all claims passed, 1 if one failed, 3 if one is unknown.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError, parse

# Last: the harness that is asked is the one that was installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from harness.results.exit_codes import EXIT_CODES
from harness.results.machine import facts
from harness.results.verdict import Verdict, verdict_of
from harness.results.wording import count, shortened
from tests.report.document import Claim, Figure, Kind, Report, Section, Shown
from tests.report.folder import write_folder
from tests.report.making import made_by, now

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["integration_report", "main"]

SIDES = ("simulated", "live")
KINDS = {"simulated": Kind.VIRTUAL, "live": Kind.WALL}
PERCENTILES = ("p50", "p95", "p99", "max")
# Of fewer samples a percentile is the maximum: p50 needs 2, p95 20, p99 100.
NEEDED = {"p50": 2, "p95": 20, "p99": 100, "max": 1}
WHY_LENGTH_MAX = 400


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that belong together: their claim, and the file of each side."""

    claim: str
    by: str
    files: dict[str, str]


SUITES = (
    Suite(
        "What scenarios rest on is the same on a simulated and on a real node: the same tests pass"
        " on both.",
        "tests/conformance",
        {"simulated": "conformance-simulated.xml", "live": "conformance-live.xml"},
    ),
    Suite(
        "The native client keeps the service's contract of clients, and the node's container is"
        " started, shared, and always removed.",
        "tests/native, tests/live",
        {"live": "live.xml"},
    ),
    Suite(
        "Through the service a creation takes at most 1.15 times as long as with the bare client,"
        " and a hundred clients live at once and leave nothing.",
        "tests/live/figures",
        {"live": "figures.xml"},
    ),
)
# What the tests of tests/live/figures record: what it is, its kind and unit, its samples.
RECORDED = {
    "bare_s_median": ("a creation with the bare client, median", Kind.WALL, "s", 40),
    "served_s_median": ("a creation through the service, median", Kind.WALL, "s", 40),
    "ratio": ("through the service / with the bare client, of the medians", Kind.RATIO, "x", 40),
    "spawned_s": ("100 clients started, together", Kind.WALL, "s", 1),
    "created_s": ("100 accounts created, together", Kind.WALL, "s", 1),
    "shut_down_s": ("100 clients shut down", Kind.WALL, "s", 1),
    "descriptors": ("files open for 100 clients", Kind.COUNT, "", 1),
    "threads": ("threads of the process with 100 clients", Kind.COUNT, "", 1),
}


def main(folder: Path) -> int:
    """Write the folder's report, and return the exit code."""
    report = integration_report(folder)
    for path in write_folder(report, folder):
        print(f"wrote {path}")
    print(f"integration: {report.headline()}")
    return EXIT_CODES[report.verdict]


def integration_report(folder: Path) -> Report:
    """Gather what the steps left."""
    runs = {side: _json(folder / side / "report.json") for side in SIDES}
    suites = {
        file: _junit(folder / "tests" / file) for suite in SUITES for file in suite.files.values()
    }
    live = runs["live"]
    versions = {**made_by(), **(live or {}).get("versions", {})}
    return Report(
        title="integration",
        about="Each scenario is one file that names no backend. It runs on a simulated node, where"
        " one seed decides everything, and on a real Miden node in a container; its claim holds"
        " only if both pass.",
        started_at=str((live or runs["simulated"] or {}).get("started_at") or now()),
        claims=(*_scenario_claims(runs), *(_suite_claim(one, suites) for one in SUITES)),
        sections=tuple(_sections(runs, suites)),
        ran=tuple(_ran(runs, suites)),
        not_shown=_NOT_SHOWN,
        repeat=_REPEAT,
        versions=versions,
        machine=facts(),
        files=tuple(_files(folder)),
    )


_NOT_SHOWN = (
    "Nothing was run on another machine than this one, and with no other version than these.",
    "Simulated times follow from a model of latencies: they prove order and overlap, never how"
    " fast a node is. A simulated speed-up shows that nothing serialises.",
    "Live, each scenario ran once: a race that is rare may not have come up. To find such is the"
    " search's task (harness explore), and no part of this.",
    "The node is one, local, in a container on the same machine: no real network, no other users,"
    " and no funds. Live times hold for that alone.",
    "A percentile of few samples is not given: it would be the maximum.",
    "What scenarios do not name is not tested: the claims are all that was looked at.",
)
_REPEAT = (
    "All of it: tox -e integration (needs Docker and cargo).",
    "One scenario, simulated: harness run scenarios/NAME.toml --seed N. It gives the same run on"
    " any machine.",
    "One scenario, live: harness run scenarios/NAME.toml --node live.",
    "This page again, from what the steps left: python tests/report/integration.py FOLDER.",
)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _junit(path: Path) -> list[Element] | None:
    """Return the test cases of a file of pytest's, or None if there is none."""
    try:
        return list(parse(path).getroot().iter("testcase"))
    except (OSError, ParseError):
        return None


def _scenario_claims(runs: dict[str, dict[str, Any] | None]) -> Iterator[Claim]:
    paths: dict[str, str] = {}
    for report in runs.values():
        for run in (report or {}).get("runs", ()):
            paths.setdefault(run["path"], run["claim"])
    for path, claim in sorted(paths.items()):
        checks = {
            check["name"]: None
            for report in runs.values()
            for run in (report or {}).get("runs", ())
            if run["path"] == path
            for check in run["checks"]
        }
        yield Claim(
            claim=claim or Path(path).stem,
            by=path,
            bound=f"checks: {', '.join(checks)}" if checks else "",
            shown=tuple(_scenario_shown(side, runs[side], path) for side in _sides_of(path)),
        )
    if not paths:
        yield Claim(claim="Every scenario passes, simulated and live.", by="scenarios")


def _sides_of(path: str) -> tuple[str, ...]:
    """A regression is an order of events, which a real node cannot repeat."""
    return SIDES[:1] if Path(path).parent.name == "regressions" else SIDES


def _scenario_shown(side: str, report: dict[str, Any] | None, path: str) -> Shown:
    mine = [run for run in (report or {}).get("runs", ()) if run["path"] == path]
    why = next((_why(run) for run in mine if run["verdict"] != "passed"), "")
    return Shown(
        where=side,
        verdict=verdict_of(Verdict(run["verdict"]) for run in mine),
        how_often=count(len(mine), "run") if mine else "not run",
        why=why,
    )


def _why(run: dict[str, Any]) -> str:
    lines = [
        f"{check['name']}: expected {check['expected']}, saw {check['seen']}"
        for check in run["checks"]
        if check["verdict"] != "passed"
    ]
    told = run["could_not_run"] or "; ".join(lines)
    return f"seed {run['seed']}: {shortened(told, WHY_LENGTH_MAX)} ({run['replay']})"


def _suite_claim(suite: Suite, found: dict[str, list[Element] | None]) -> Claim:
    return Claim(
        claim=suite.claim,
        by=suite.by,
        bound="every test passes, and none is skipped",
        shown=tuple(_suite_shown(side, found[file]) for side, file in suite.files.items()),
        section="Service beside bare client" if "figures" in suite.by else "",
    )


def _outcome(case: Element) -> Verdict:
    inside = {one.tag for one in case}
    if inside & {"failure", "error"}:
        return Verdict.FAILED
    return Verdict.UNKNOWN if "skipped" in inside else Verdict.PASSED


def _suite_shown(side: str, cases: list[Element] | None) -> Shown:
    outcomes = [_outcome(one) for one in cases or ()]
    bad = [one.get("name", "") for one in cases or () if _outcome(one) is not Verdict.PASSED]
    passed = outcomes.count(Verdict.PASSED)
    return Shown(
        where=side,
        verdict=verdict_of(outcomes),
        how_often=f"{passed:,} of {count(len(outcomes), 'test')} passed" if outcomes else "not run",
        why=shortened(", ".join(bad), WHY_LENGTH_MAX),
    )


def _sections(
    runs: dict[str, dict[str, Any] | None], suites: dict[str, list[Element] | None]
) -> Iterator[Section]:
    yield Section(
        title="Speed-ups",
        note="How many times as long the calls of a phase take one after another as all together:"
        " the median over the median, with its 95 % bootstrap interval; a sample is a round of"
        " both. The kind of the times behind a ratio is that of the column.",
        figures=tuple(
            _speedup(side, run["scenario"], one)
            for side, run in _first_runs(runs)
            for one in run["figures"]["speedups"]
        ),
    )
    figures = tuple(
        _percentile(side, run["scenario"], one, name)
        for side, run in _first_runs(runs)
        for one in run["figures"]["latencies"]
        for name in PERCENTILES
    )
    known = {one.what for one in figures if one.value is not None}
    yield Section(
        title="Percentiles of each operation",
        note="How long an operation took, from its call to its return, of those that returned in"
        " one run of the scenario: simulated the one of the first seed, live the first.",
        figures=tuple(one for one in figures if one.what in known),
    )
    yield Section(
        title="Service beside bare client",
        note="Measured live, by turns, in one process.",
        figures=tuple(_recorded(suites.get("figures.xml"))),
    )


def _first_runs(runs: dict[str, dict[str, Any] | None]) -> Iterator[tuple[str, dict[str, Any]]]:
    for side in SIDES:
        seen = set()
        for run in (runs[side] or {}).get("runs", ()):
            if run["path"] not in seen and run["figures"] is not None:
                seen.add(run["path"])
                yield side, run


def _speedup(side: str, scenario: str, one: dict[str, Any]) -> Figure:
    return Figure(
        what=f"{scenario}, phase {one['phase']}",
        side=side,
        kind=Kind.RATIO,
        unit="x",
        value=one["ratio"],
        low=one["low"],
        high=one["high"],
        samples=one["rounds"],
    )


def _percentile(side: str, scenario: str, one: dict[str, Any], name: str) -> Figure:
    return Figure(
        what=f"{scenario}, {one['call']}, {name}",
        side=side,
        kind=KINDS[side],
        value=one[f"{name}_s"],
        samples=one["samples"],
        why_not=f"too few samples: {one['samples']}, {NEEDED[name]} needed",
    )


def _recorded(cases: list[Element] | None) -> Iterator[Figure]:
    for case in cases or ():
        for one in case.iter("property"):
            known = RECORDED.get(one.get("name", ""))
            if known is not None:
                what, kind, unit, samples = known
                value = float(one.get("value", "nan"))
                yield Figure(
                    what=what, side="live", kind=kind, unit=unit, value=value, samples=samples
                )


def _ran(
    runs: dict[str, dict[str, Any] | None], suites: dict[str, list[Element] | None]
) -> Iterator[str]:
    for side in SIDES:
        all_runs = (runs[side] or {}).get("runs", ())
        scenarios = len({run["path"] for run in all_runs})
        told = f"{count(len(all_runs), 'run')} of {count(scenarios, 'scenario')}"
        yield f"{side}: {told}" if all_runs else f"{side}: no scenario was run"
    for suite in SUITES:
        for side, file in suite.files.items():
            cases = suites[file]
            told = "not run" if cases is None else count(len(cases), "test")
            yield f"{suite.by}, {side}: {told}"


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for side in SIDES:
        for name, words in (
            (
                "index.html",
                "each run of each scenario, with its checks, timeline and distributions",
            ),
            ("report.json", "the same for programs; harness schema report prints its schema"),
        ):
            if (folder / side / name).exists():
                yield f"{side}/{name}", f"{side}: {words}"
    for path in sorted((folder / "tests").glob("*.xml")):
        yield f"tests/{path.name}", "JUnit XML of pytest"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
