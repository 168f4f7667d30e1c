"""Own the JUnit XML: a test suite a node, a test case a run, for the CI systems that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.results.wording import clock_word, printable, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results.runs import RunReport, RunResult

__all__ = ["run_junit"]


def run_junit(report: RunReport) -> str:
    """Return the report as JUnit XML.

    A failed run is a ``failure``. An unknown one is an ``error`` and never ``skipped``: what was
    not proven is not green. Times are measured wall seconds; the virtual ones are properties.
    """
    root = Element("testsuites", {"name": "harness", **_totals(report.runs)})
    for node in dict.fromkeys(run.node for run in report.runs):
        runs = [run for run in report.runs if run.node == node]
        suite = SubElement(root, "testsuite", {"name": f"harness.{node}", **_totals(runs)})
        if report.started_at:
            suite.set("timestamp", printable(report.started_at))
        facts = {"node": node, "clock": clock_word(node)}
        facts |= {f"version.{name}": value for name, value in report.versions.items()}
        facts |= {f"machine.{name}": value for name, value in report.machine.items()}
        _properties(suite, facts)
        for run in runs:
            _case(suite, run)
    indent(root)
    body = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(suite: Element, run: RunResult) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=f"harness.{run.node}",
        name=printable(f"{run.scenario}[seed {run.seed}]"),
        file=printable(run.path),
        time=f"{run.wall_s:.6f}",
    )
    facts = {
        "node": run.node,
        "seed": str(run.seed),
        "digest": run.digest or "none: a live run does not repeat exactly",
        "replay": run.replay,
        "verdict": run.verdict.value,
        "claim": run.claim,
    }
    if run.virtual_s is not None:
        facts["virtual_s"] = f"{run.virtual_s!r} simulated"
    _properties(case, facts)
    if run.verdict is not Verdict.PASSED:
        _complaint(case, run)
    SubElement(case, "system-out").text = printable(_checks_text(run))


def _complaint(case: Element, run: RunResult) -> None:
    tag = "failure" if run.verdict is Verdict.FAILED else "error"
    kind = "could_not_run" if run.could_not_run is not None else run.verdict.value
    rendered = render_result(run)
    first = next((line.strip() for line in rendered.splitlines()[1:]), rendered)
    SubElement(case, tag, message=first, type=kind).text = printable(rendered)


def _checks_text(run: RunResult) -> str:
    lines = [run.claim] if run.claim else []
    lines += [
        f"{check.verdict.upper()} {check.name}: expected {check.expected}, saw {check.seen}"
        for check in run.checks
    ]
    if run.virtual_s is not None:
        lines.append(f"{seconds(run.virtual_s)} {clock_word(run.node)}")
    return "\n".join([*lines, f"{seconds(run.wall_s)} measured"])


def _properties(parent: Element, facts: dict[str, str]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=printable(name), value=printable(value))


def _totals(runs: Iterable[RunResult]) -> dict[str, str]:
    listed = list(runs)
    return {
        "tests": str(len(listed)),
        "failures": str(sum(run.verdict is Verdict.FAILED for run in listed)),
        "errors": str(sum(run.verdict is Verdict.UNKNOWN for run in listed)),
        "skipped": "0",
        "time": f"{sum(run.wall_s for run in listed):.6f}",
    }
