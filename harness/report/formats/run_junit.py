"""A batch of runs as JUnit XML: a test suite for each backend, a test case for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement

from harness.report.formats.run_terminal import render_result
from harness.report.junit_page import add_case, add_properties, add_suite, document, xml_text
from harness.results.verdict import Verdict
from harness.results.wording import clock_word, printable, seconds

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from harness.results.runs import RunReport, RunResult

__all__ = ["run_junit"]


def run_junit(report: RunReport) -> str:
    """Return the report as JUnit XML.

    A failed run is a ``failure``. An unknown one is an ``error`` and never ``skipped``: what was
    not proven is not green. Times are measured wall seconds; the virtual ones are properties.
    """
    root = document(report.runs)
    for node in dict.fromkeys(run.node for run in report.runs):
        runs = [run for run in report.runs if run.node == node]
        suite = add_suite(root, f"harness.{node}", runs, started_at=report.started_at)
        facts = {"node": node, "clock": clock_word(node)}
        facts |= {f"version.{name}": value for name, value in report.versions.items()}
        facts |= {f"machine.{name}": value for name, value in report.machine.items()}
        add_properties(suite, facts)
        for run in runs:
            _case(suite, run)
    return xml_text(root)


def _case(suite: Element, run: RunResult) -> None:
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
    if run.profile is not None:
        facts["profile"] = str(run.profile)
    name = f"{run.scenario}[seed {run.seed}]"
    case = add_case(suite, name, path=run.path, wall_s=run.wall_s, facts=facts)
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
