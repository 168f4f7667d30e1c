"""Searches as HTML: one page that needs no network, no script and no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.history.contention import contention
from harness.report.figures.coverage_plot import coverage_plot
from harness.report.figures.cycle_plot import cycle_plot
from harness.report.figures.schedule_diff import side_by_side
from harness.report.figures.schedule_plot import schedule_plot
from harness.report.html_page import environment
from harness.results.verdict import WORST_FIRST, Verdict
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.records import History
    from harness.results.explorations import Exploration, ExplorationReport, FoundFailure

__all__ = ["EXPLORATIONS_MAX", "FAILURES_MAX", "LOCKS_MAX", "lock_rows", "search_html"]

EXPLORATIONS_MAX = 200
FAILURES_MAX = 40  # a drawing takes up to 100 KiB
LOCKS_MAX = 24
_OPEN_MAX = 3


def search_html(report: ExplorationReport) -> str:
    """Return the explorations as one HTML page, failures first.

    At most ``EXPLORATIONS_MAX`` have a section, and ``FAILURES_MAX`` failures a drawing; the page
    says what was left out.
    """
    ordered = sorted(report.explorations, key=lambda one: WORST_FIRST.index(one.verdict))  # stable
    template = environment().get_template("search.html")
    return template.render(
        report=report,
        headline=_headline(report),
        views=list(_views(ordered[:EXPLORATIONS_MAX])),
        left_out=max(len(ordered) - EXPLORATIONS_MAX, 0),
        failures_max=FAILURES_MAX,
    )


def lock_rows(history: History | None) -> dict[str, Any]:
    """Gather the rows of a contention table: ``locks``, and how many of them were left out."""
    found = () if history is None else contention(history)
    return {"locks": found[:LOCKS_MAX], "locks_left_out": max(len(found) - LOCKS_MAX, 0)}


def _headline(report: ExplorationReport) -> str:
    searched = count(len(report.explorations), "scenario")
    failures = sum(len(one.failures) for one in report.explorations)
    if not report.explorations:
        return "Nothing was searched"
    if failures:
        return f"{count(failures, 'failure')} found in {searched}"
    proven = sum(one.proven for one in report.explorations)
    known = sum(one.verdict is Verdict.PASSED for one in report.explorations)
    if not known:
        return f"Nothing is known of {searched}"
    sentence = f"No failure found in {known:,} of {searched}"
    return f"{sentence}, {proven:,} of them proven up to their bound" if proven else sentence


def _views(explorations: list[Exploration]) -> Iterator[dict[str, Any]]:
    number = 0
    for at, one in enumerate(explorations, start=1):
        failures = []
        for failure in one.failures:
            number += 1
            failures.append(_failure(failure, number))
        yield {
            "number": at,
            "one": one,
            "open": at <= _OPEN_MAX and one.verdict is not Verdict.PASSED,
            "coverage": coverage_plot(one),
            "failures": failures,
        }


def _failure(failure: FoundFailure, number: int) -> dict[str, Any]:
    drawn = number <= FAILURES_MAX
    side = None
    if drawn and failure.passing is not None:
        side = side_by_side(failure.passing, failure.schedule, stacks=failure.stacks)
    return {
        "number": number,
        "failure": failure,
        "drawn": drawn,
        "schedule": schedule_plot(failure.schedule) if drawn else None,
        "side": side,
        "cycle": cycle_plot(failure.diagnosis) if drawn else None,
        **lock_rows(failure.history if drawn else None),
    }
