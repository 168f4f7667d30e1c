"""A comparison in a terminal: what fails now, what got slower, what got faster, and the rest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.report.text.comparison_words import (
    change_words,
    figure_words,
    seeds_words,
    summary_words,
)
from harness.results.comparisons import Way
from harness.results.wording import count, one_line, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.results.comparisons import Comparison

__all__ = ["comparison_terminal"]

# Of one scenario in virtual time: where an order changed, every figure of it may.
LINES_MAX = 5
TEXT_LENGTH_MAX = 1_000


def comparison_terminal(found: Comparison) -> str:
    """Return the comparison as lines, the worst first."""
    return "\n".join(one_line(shortened(line, TEXT_LENGTH_MAX)) for line in _lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    for change in found.verdicts:
        head = (
            f"{change.new.upper()} {change.scenario} [{change.node}, {seeds_words(change.seeds)}]"
        )
        yield f"{head}: {change_words(change)}"
    for way in Way:
        shown: Counter[str] = Counter()
        for one in found.simulated:
            if one.way is way:
                shown[one.scenario] += 1
                if shown[one.scenario] <= LINES_MAX:
                    yield f"{way.upper()} {one.scenario} [simulated] {figure_words(one)}"
        for scenario, number in shown.items():
            if number > LINES_MAX:
                left = count(number - LINES_MAX, "figure")
                yield f"{way.upper()} {scenario} [simulated] {left} more; --json lists all"
        yield from (
            f"{way.upper()} {one.scenario} [measured] {figure_words(one)}"
            for one in found.measured
            if one.way is way
        )
    yield from (f"UNKNOWN {line}" for line in found.unknown)
    yield from (f"note: {line}" for line in found.notes)
    yield summary_words(found)
