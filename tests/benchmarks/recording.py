"""What benchmarks record beside their verdicts, and the report that is made of it."""

from __future__ import annotations

import platform
import statistics
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import pytest

from harness.results.exit_codes import EXIT_CODES
from harness.results.machine import facts
from harness.results.verdict import Verdict, verdict_of
from harness.results.wording import count
from tests.figures.ratio import PAIRS_MIN, ratio_of
from tests.report.document import Claim, Figure, Kind, Report, Section, Shown
from tests.report.folder import write_folder
from tests.report.making import made_by, now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["HARNESS", "INTERPRETER", "Benchmarks", "Recorded", "side_of"]

INTERPRETER = f"{platform.python_implementation()} {platform.python_version()}"
HARNESS = f"this harness on {INTERPRETER}"
RIVALS = ("async-solipsism", "detangle", "frontrun")
TIMED = "Timings of pytest-benchmark"
JSON_NAME = "pytest-benchmark.json"


def side_of(package: str) -> str:
    """Name a rival with its version and interpreter; ``asyncio`` is Python's own."""
    if package == "asyncio":
        return f"stock asyncio on {INTERPRETER}"
    found = installed(package)
    return f"{package} {found} on {INTERPRETER}" if found else package


def installed(package: str) -> str:
    """Return a package's version, or an empty text if it is not installed."""
    if package == "asyncio":
        return platform.python_version()
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class Recorded:
    """Takes the figures of one benchmark, for a section of the report."""

    def __init__(self, benchmarks: Benchmarks, section: str) -> None:
        self._benchmarks = benchmarks
        self._section = section

    def figure(self, what: str, side: str, value: float | None, **more: Any) -> None:
        """Keep a figure of a side; for the fields see ``Figure``."""
        one = Figure(what=what, side=side, value=value, interpreter=INTERPRETER, **more)
        self._benchmarks.add(self._section, one)

    def needs(self, package: str, what: str, *, kind: Kind, unit: str) -> None:
        """Skip a benchmark whose rival is missing, which is told in the report.

        Call it once the harness's own side has been recorded.
        """
        if not installed(package):
            why = f"not run: {package} is not installed"
            self.figure(what, side_of(package), None, kind=kind, unit=unit, why_not=why)
            pytest.skip(why)

    def by_turns(
        self,
        what: str,
        rival: str,
        *,
        theirs: Callable[[], float],
        ours: Callable[[], float],
        rounds: int,
        unit: str = "s",
        more_is_better: bool = False,
    ) -> tuple[float, float]:
        """Measure CPU time of both sides by turns; return the medians (the rival's, ours).

        Without the rival ours is measured all the same, and the benchmark skipped.
        """
        there = installed(rival)
        pairs = [(theirs() if there else None, ours()) for _ in range(rounds)]
        ours_all = [one for _, one in pairs]
        ours_median = statistics.median(ours_all)
        kind = Kind.CPU
        self.figure(what, HARNESS, ours_median, kind=kind, unit=unit, samples=rounds)
        self.needs(rival, what, kind=kind, unit=unit)
        theirs_all = [one for one, _ in pairs if one is not None]
        theirs_median = statistics.median(theirs_all)
        self.figure(what, side_of(rival), theirs_median, kind=kind, unit=unit, samples=rounds)
        self._ratio(what, theirs_all, ours_all, more_is_better=more_is_better)
        return theirs_median, ours_median

    def _ratio(
        self, what: str, theirs: Sequence[float], ours: Sequence[float], *, more_is_better: bool
    ) -> None:
        pairs = zip(theirs, ours, strict=True)
        ratios = [mine / other if more_is_better else other / mine for other, mine in pairs]
        found = ratio_of(ratios) if len(ratios) >= PAIRS_MIN else None
        self.figure(
            what,
            "times as fast as the rival (median of the pairs)",
            statistics.median(ratios),
            kind=Kind.RATIO,
            unit="x",
            samples=len(ratios),
            low=None if found is None else found.low,
            high=None if found is None else found.high,
        )


class Benchmarks:
    """All that the benchmarks of a session claim, record and come to."""

    def __init__(self) -> None:
        self._claims: dict[str, dict[str, str]] = {}
        self._cases: dict[str, str] = {}
        self._outcomes: dict[str, Verdict] = {}
        self._why: dict[str, str] = {}
        self._sections: dict[str, list[Figure]] = {}
        self._timed: list[dict[str, Any]] = []
        self._started_at = now()

    def collected(self, name: str, case: str, *, text: str, bound: str, section: str) -> None:
        """Take a benchmark that claims something; one with parameters comes once for each case."""
        self._claims[name] = {
            "claim": text, "bound": bound, "section": section, "by": case.partition("[")[0],
        }  # fmt: skip
        self._cases[case] = name

    def reported(self, case: str, report: pytest.TestReport) -> None:
        """Take what a phase of a benchmark came to: the worst of them counts."""
        if case not in self._cases:
            return
        verdict = Verdict.PASSED
        if report.failed:
            verdict = Verdict.FAILED if report.when == "call" else Verdict.UNKNOWN
            crash = getattr(report.longrepr, "reprcrash", None)
            told = report.longreprtext if crash is None else crash.message
            self._why[case] = told.strip().splitlines()[0]
        elif report.skipped:
            verdict = Verdict.UNKNOWN
            self._why[case] = str(report.longrepr[2] if report.longrepr else "skipped")  # type: ignore[index]
        elif report.when != "call":
            return
        self._outcomes[case] = verdict_of([verdict, self._outcomes.get(case, verdict)])

    def add(self, section: str, figure: Figure) -> None:
        """Keep a figure."""
        self._sections.setdefault(section, []).append(figure)

    def timed(self, found: list[dict[str, Any]]) -> None:
        """Take what pytest-benchmark measured, as it writes it."""
        self._timed = found

    def exit_code(self) -> int:
        """Return the exit code of the verdict over all claims; 0 if nothing was claimed."""
        verdicts = [self._claim(name).verdict for name in self._claims]
        return EXIT_CODES[verdict_of(verdicts)] if verdicts else 0

    def write(self, folder: Path) -> list[Path]:
        """Write the report to a folder, and return the paths of its files."""
        return write_folder(self._report(folder), folder)

    def _report(self, folder: Path) -> Report:
        sections = [
            Section(title=title, note=_NOTES.get(title, ""), figures=tuple(figures))
            for title, figures in self._sections.items()
        ]
        if self._timed:
            sections.append(_timings(self._timed))
        rivals = {one: installed(one) or "not installed: not run" for one in RIVALS}
        files = ((JSON_NAME, "what pytest-benchmark measured, for pytest-benchmark compare"),)
        return Report(
            title="benchmark",
            about=_ABOUT,
            started_at=self._started_at,
            claims=tuple(self._claim(name) for name in self._claims),
            sections=tuple(sections),
            ran=tuple(self._ran(rivals)),
            not_shown=_NOT_SHOWN,
            repeat=_REPEAT,
            versions={**made_by(), **rivals},
            machine=facts(),
            files=files if (folder / JSON_NAME).exists() else (),
        )

    def _claim(self, name: str) -> Claim:
        cases = [case for case, its in self._cases.items() if its == name]
        outcomes = [self._outcomes[case] for case in cases if case in self._outcomes]
        passed = outcomes.count(Verdict.PASSED)
        why = next((self._why[case] for case in cases if case in self._why), "")
        told = f"{passed} of {count(len(cases), 'case')} passed" if len(cases) > 1 else "measured"
        shown = Shown(
            where="here",
            verdict=verdict_of(outcomes) if len(outcomes) == len(cases) else Verdict.UNKNOWN,
            how_often=told if outcomes else "not run",
            why=why,
        )
        return Claim(**self._claims[name], shown=(shown,))

    def _ran(self, rivals: dict[str, str]) -> list[str]:
        told = [f"{name} {words}" for name, words in rivals.items()]
        return [
            f"{count(len(self._outcomes), 'benchmark case')}, once each, beside nothing else that"
            " this run has started",
            f"All sides on {INTERPRETER}, each side's rounds by turns with the other's; how many,"
            " says the number of samples.",
            f"Rivals: {'; '.join(told)}; stock asyncio, of the same interpreter.",
        ]


_ABOUT = (
    "The harness is compared with other tools that do the same for asyncio. Both sides run here, on"
    " the same machine and interpreter, by turns. Only ratios, shares and counts are claimed: how"
    " fast this machine is does not matter to them."
)
_NOTES = {
    "Zoo of known bugs": "Runs until the bug is found, the median of so many seeds; after 1,000"
    " runs a strategy is said not to find it. Columns are strategies; portfolio is the default one,"
    " and the last column has the longest of its searches.",
    "Two worker processes": "What work that shares nothing gains says how far two cores were free.",
}
_NOT_SHOWN = (
    "Nothing was run on another machine, and on no other interpreter than the one named. The rivals"
    " may do better elsewhere.",
    "Only the tasks that are named were measured. They are small, and were chosen by this project.",
    "A ratio without an interval rests on fewer than six pairs: its scatter is not known.",
    "CPU time leaves out waiting. How long a user waits is wall time, which is not claimed here.",
    "The rivals do other things, too, which this does not weigh.",
    "Foreign load is not measured: by turns it touches both sides alike, but it widens scatter.",
)
_REPEAT = (
    "All of it: tox -e benchmark. One file: tox -e benchmark -- tests/benchmarks/test_search.py.",
    f"Two of these folders, timing by timing: pytest-benchmark compare OLD/{JSON_NAME}"
    f" NEW/{JSON_NAME}.",
)


def _timings(found: list[dict[str, Any]]) -> Section:
    figures = tuple(
        Figure(
            what=one["name"],
            side=f"{what} on {INTERPRETER}",
            kind=Kind.WALL,
            value=float(one["stats"][what]),
            samples=int(one["stats"]["rounds"]),
            interpreter=INTERPRETER,
        )
        for one in found
        for what in ("min", "median", "max")
    )
    note = "Told for comparison with other runs on the same machine; nothing is claimed of them."
    return Section(title=TIMED, note=note, figures=figures)
