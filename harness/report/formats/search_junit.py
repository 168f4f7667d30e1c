"""Searches as JUnit XML: one test suite, with a test case for each scenario searched."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement

from harness.report.formats.search_terminal import failure_lines, summary_lines
from harness.report.junit_page import add_case, add_suite, document, xml_text
from harness.results.verdict import Verdict
from harness.results.wording import one_line, printable, shortened

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from harness.results.explorations import Exploration, ExplorationReport

__all__ = ["search_junit"]

_MESSAGE_MAX = 1_000


def search_junit(report: ExplorationReport) -> str:
    """Return the explorations as JUnit XML; each failure that was found is a ``failure``.

    A search that could not be made is an ``error``, never ``skipped``. Times are measured.
    """
    searches = report.explorations
    root = document(searches)
    suite = add_suite(root, "harness.explore", searches, started_at=report.started_at)
    for search in searches:
        _case(suite, search)
    return xml_text(root)


def _case(suite: Element, one: Exploration) -> None:
    facts = {
        "verdict": one.verdict.value,
        "claim": one.claim,
        "strategy": one.strategy,
        "mode": one.mode,
        "chaos": str(one.chaos).lower(),
        "cancel": str(one.cancel).lower(),
        "seed": str(one.seed),
        "runs": str(one.runs),
        "distinct": str(one.distinct),
        "steps_total": str(one.steps_total),
        "proven": str(one.proven).lower(),
    }
    facts |= {f"replay.{at}": failure.replay for at, failure in enumerate(one.failures, start=1)}
    name = f"{one.scenario}[{one.strategy}, seed {one.seed}]"
    case = add_case(suite, name, path=one.path, wall_s=one.wall_s, facts=facts)
    for failure in one.failures:
        message = one_line(shortened(failure.headline, _MESSAGE_MAX))
        element = SubElement(case, "failure", message=message, type=printable(failure.cause))
        element.text = printable("\n".join(failure_lines(failure)))
    if one.verdict is Verdict.UNKNOWN:
        nothing = "nothing was run, so nothing is known" if one.runs == 0 else one.not_judged_text
        kind = "not_judged" if one.nothing_judged and one.could_not_run is None else "could_not_run"
        if one.health and one.could_not_run is None and nothing is None:
            kind, nothing = one.health[0], one.health_texts[0]
        message = one_line(one.could_not_run or nothing or "nothing is known")
        SubElement(case, "error", message=message, type=kind).text = message
    SubElement(case, "system-out").text = printable("\n".join(summary_lines(one)))
