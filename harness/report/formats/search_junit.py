"""Own the JUnit XML of explorations: one test suite, a test case a scenario that was searched."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.report.formats.search_terminal import failure_lines, summary_lines
from harness.results.verdict import Verdict
from harness.results.wording import one_line, printable, shortened

if TYPE_CHECKING:
    from harness.results.explorations import Exploration, ExplorationReport

__all__ = ["search_junit"]

_MESSAGE_MAX = 1_000


def search_junit(report: ExplorationReport) -> str:
    """Return the explorations as JUnit XML; each failure that was found is a ``failure``.

    A search that could not be made is an ``error``, never ``skipped``. Times are measured.
    """
    verdicts = [one.verdict for one in report.explorations]
    totals = {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAILED)),
        "errors": str(verdicts.count(Verdict.UNKNOWN)),
        "skipped": "0",
        "time": f"{sum(one.wall_s for one in report.explorations):.6f}",
    }
    root = Element("testsuites", {"name": "harness", **totals})
    suite = SubElement(root, "testsuite", {"name": "harness.explore", **totals})
    if report.started_at:
        suite.set("timestamp", printable(report.started_at))
    for one in report.explorations:
        _case(suite, one)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, one: Exploration) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname="harness.explore",
        name=printable(f"{one.scenario}[{one.strategy}, seed {one.seed}]"),
        file=printable(one.path),
        time=f"{one.wall_s:.6f}",
    )
    facts = {
        "verdict": one.verdict.value,
        "claim": one.claim,
        "strategy": one.strategy,
        "mode": one.mode,
        "chaos": str(one.chaos).lower(),
        "seed": str(one.seed),
        "runs": str(one.runs),
        "distinct": str(one.distinct),
        "steps_total": str(one.steps_total),
        "proven": str(one.proven).lower(),
    }
    facts |= {f"replay.{at}": failure.replay for at, failure in enumerate(one.failures, start=1)}
    properties = SubElement(case, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=printable(value))
    for failure in one.failures:
        message = one_line(shortened(failure.headline, _MESSAGE_MAX))
        element = SubElement(case, "failure", message=message, type=printable(failure.cause))
        element.text = printable("\n".join(failure_lines(failure)))
    if one.verdict is Verdict.UNKNOWN:
        nothing = "nothing was run, so nothing is known" if one.runs == 0 else one.not_judged_text
        kind = "not_judged" if one.nothing_judged and one.could_not_run is None else "could_not_run"
        message = one_line(one.could_not_run or nothing or "nothing is known")
        SubElement(case, "error", message=message, type=kind).text = message
    SubElement(case, "system-out").text = printable("\n".join(summary_lines(one)))
