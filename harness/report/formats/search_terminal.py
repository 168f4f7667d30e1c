"""A search in a terminal: how far it went, and each failure it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.figures.schedule_diff import diff_lines, side_by_side
from harness.report.text.check_words import reasons
from harness.report.text.schedule_text import schedule_lines
from harness.report.text.wait_for import waiting_lines
from harness.results.wording import count, one_line, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results.explorations import Exploration, FoundFailure

__all__ = ["failure_lines", "search_lines", "summary_line", "summary_lines"]

_LINE_MAX = 4_000
_MESSAGE_LINES_MAX = 40


def search_lines(exploration: Exploration) -> list[str]:
    """Return a search in lines: its verdict, how much it covered, and each failure in full."""
    lines = summary_lines(exploration)
    for failure in exploration.failures:
        lines += [f"  {line}" for line in failure_lines(failure)]
    return lines


def summary_lines(exploration: Exploration) -> list[str]:
    """Return a search in lines without its failures: its verdict, and how much it covered."""
    lines = [_line(summary_line(exploration))]
    if exploration.could_not_run is not None:
        lines.append(_line(f"  could not run: {exploration.could_not_run}"))
    if exploration.not_judged_text is not None:
        lines.append(_line(f"  {exploration.not_judged_text}"))
    # Beside a failure the reports alone tell what varied: the failure comes first.
    varied = () if exploration.failures else exploration.varied_texts
    said = (*exploration.health_texts, *exploration.bounds_text, *varied)
    return [*lines, *(_line(f"  {sentence}") for sentence in said)]


def summary_line(exploration: Exploration) -> str:
    """Return a search in a line: ``FAILED name [portfolio, seed 7] 412 distinct …``."""
    one = exploration
    proven = ", proven" if one.proven else ""
    mode = ", adversarial" * (one.mode == "adversarial") + ", chaos" * one.chaos
    mode += ", cancel" * one.cancel
    orders = f"{count(one.distinct, 'distinct partial order')} in {count(one.runs, 'run')}"
    return (
        f"{one.verdict.upper()} {one.scenario} [{one.strategy}{mode}, seed {one.seed}]"
        f" {orders}, {count(len(one.failures), 'failure')}{proven}, {seconds(one.wall_s)} measured"
    )


def failure_lines(failure: FoundFailure) -> list[str]:
    """Return a failure in lines: how it was found and shrunk, its replay line, its schedule."""
    only = " [adversarial only]" if failure.adversarial else ""
    lines = [_line(f"{failure.headline}{only}")]
    more = failure.message_lines[failure.message_lines[:1] == (failure.headline,) :]
    lines += [_line(f"  {line}") for line in _once(more, failure)[:_MESSAGE_LINES_MAX]]
    lines.append(_line(f"  replay: {failure.replay}"))
    lines.append(_line(f"  {_found(failure)}"))
    so_far = "\n".join(lines)
    lines += [
        _line(f"  why ({names}): {why}")
        for names, why in reasons(failure.checks, so_far, failure.diagnosis)
    ]
    # No check judges a program: its message says who waits.
    if failure.diagnosis is not None and (failure.checks or not failure.message_lines):
        lines += [f"  {line}" for line in waiting_lines(failure.diagnosis, "simulated")]
    lines.append("  schedule:")
    lines += [f"  {line}" for line in schedule_lines(failure.schedule)]
    if failure.passing is not None:
        side = side_by_side(failure.passing, failure.schedule, stacks=failure.stacks)
        lines.append("  against a run that passed:")
        lines += [f"  {line}" for line in diff_lines(side)]
    return lines


def _once(lines: Sequence[str], failure: FoundFailure) -> list[str]:
    """Leave out what an earlier line holds, and names of which a later line says more."""
    kept: list[str] = []
    for at, line in enumerate(lines):
        before = any(line in one and line != one for one in (failure.headline, *kept))
        if not before and not any(one.startswith(f"{line}: ") for one in lines[at + 1 :]):
            kept.append(line)
    return kept


def _found(failure: FoundFailure) -> str:
    left = f"{count(failure.deviations, 'deviation')} (from {failure.deviations_before:,})"
    if failure.operations_before:  # a program that is not a scenario has none
        operations = count(failure.operations, "operation")
        left += f" and {operations} (from {failure.operations_before:,})"
    runs = count(failure.shrink_runs, "run")
    found = f"found in run {failure.runs_to_find:,} by {failure.found_by}"
    return f"{found}; shrunk in {runs} to {left}"


def _line(text: str) -> str:
    return one_line(shortened(text, _LINE_MAX))
