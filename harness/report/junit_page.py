"""The elements of JUnit XML that the reports of runs and of searches share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.results.verdict import Verdict
from harness.results.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Judged", "add_case", "add_properties", "add_suite", "document", "xml_text"]


class Judged(Protocol):
    """A result of a run or of a search."""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all checks."""

    @property
    def wall_s(self) -> float:
        """Measured seconds."""


def document(results: Sequence[Judged]) -> Element:
    """Make the root element with the totals over all results."""
    return Element("testsuites", {"name": "harness", **_totals(results)})


def add_suite(root: Element, name: str, results: Sequence[Judged], *, started_at: str) -> Element:
    """Add a test suite with the totals over its results."""
    suite = SubElement(root, "testsuite", {"name": name, **_totals(results)})
    if started_at:
        suite.set("timestamp", printable(started_at))
    return suite


def add_case(
    suite: Element, name: str, *, path: str, wall_s: float, facts: Mapping[str, str]
) -> Element:
    """Add a test case whose class name is its suite's name; ``facts`` become properties."""
    names = {"classname": suite.attrib["name"], "name": printable(name), "file": printable(path)}
    case = SubElement(suite, "testcase", {**names, "time": f"{wall_s:.6f}"})
    add_properties(case, facts)
    return case


def add_properties(parent: Element, facts: Mapping[str, str]) -> None:
    """Add a property for each fact."""
    properties = SubElement(parent, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=printable(name), value=printable(value))


def xml_text(root: Element) -> str:
    """Return the whole document, indented."""
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _totals(results: Sequence[Judged]) -> dict[str, str]:
    verdicts = [result.verdict for result in results]
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAILED)),
        "errors": str(verdicts.count(Verdict.UNKNOWN)),
        "skipped": "0",
        "time": f"{sum(result.wall_s for result in results):.6f}",
    }
