"""The words of comparisons: a change of verdict, a figure that changed, the summary in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.results.comparisons import Measured, Simulated, Way
from harness.results.verdict import Verdict
from harness.results.wording import count, ratio, seconds

if TYPE_CHECKING:
    from harness.results.comparisons import Comparison, VerdictChange

__all__ = [
    "change_words",
    "figure_words",
    "seeds_words",
    "share_words",
    "summary_words",
    "value_words",
]

LISTED_MAX = 8


def change_words(change: VerdictChange) -> str:
    """Word a change of verdict: ``passed → failed``, with the checks that turned."""
    words = f"{change.old} → {change.new}"
    if change.old is change.new:
        words = f"{change.new}, as before, but by other checks"
    checks = ", ".join(f"{name} {before} → {now}" for name, before, now in change.checks)
    parts = [words, *([checks] if checks else []), *([change.why] if change.why else [])]
    return "; ".join(parts)


def seeds_words(seeds: tuple[int, ...]) -> str:
    """Word the seeds of some runs: ``seed 3``, ``seeds 0, 1, 2``."""
    listed = ", ".join(map(str, seeds[:LISTED_MAX]))
    more = f" and {len(seeds) - LISTED_MAX:,} more" if len(seeds) > LISTED_MAX else ""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed}{more}"


def value_words(value: float | None, unit: str) -> str:
    """Word a value: seconds, a ratio, or a count."""
    if value is None:
        return "none"
    if unit == "s":
        return seconds(value)
    return ratio(value) if unit == "x" else f"{value:,.10g}"


def share_words(share: float) -> str:
    """Word a ratio as what is added: 1.05 is ``+5.0 %``."""
    percent = (share - 1) * 100
    if abs(percent) < 0.05:
        return f"{percent:+.1g} %" if percent else "0 %"
    return f"{percent:+,.1f} %"


def figure_words(one: Simulated | Measured) -> str:
    """Word a figure: old → new, by how much, and what that rests on."""
    values = f"{value_words(one.old, one.unit)} → {value_words(one.new, one.unit)}"
    return f"{one.what}: {values} ({_evidence(one)})"


def summary_words(found: Comparison) -> str:
    """Word all in a line: ``12 runs compared: 10 equal to the last step, …``."""
    ways, words = found.ways, [f"{count(found.runs, 'run')} compared"]
    if found.equal:
        words.append(f"{found.equal:,} equal to the last step")
    for verdict in Verdict:
        turned = [one for one in found.verdicts if one.new is verdict and one.old is not verdict]
        if turned:
            words.append(f"{verdict} now: {sum(len(one.seeds) for one in turned):,}")
    figures = [f"{ways[way]:,} {way}" for way in Way if ways[way]]
    words.append(f"figures: {', '.join(figures)}" if figures else "no figure changed")
    return "; ".join(words)


def _evidence(one: Simulated | Measured) -> str:
    if isinstance(one, Measured):
        return _measured(one)
    parts = []
    if one.old and one.new:
        parts.append(share_words(one.new / one.old))
    if one.seeds == 1:
        return ", ".join([*parts, f"seed {one.seed}"])
    parts.append(f"with seed {one.seed}")
    directions = [f"more in {one.more:,}"] * bool(one.more) + [f"less in {one.less:,}"] * bool(
        one.less
    )
    return f"{', '.join(parts)}; {', '.join(directions) or 'not in all'} of {one.seeds:,} seeds"


def _measured(one: Measured) -> str:
    if one.low is None or one.high is None or one.ratio is None:
        return one.why or "no interval"
    bounds = f"between {share_words(one.low)} and {share_words(one.high)}"
    return f"{share_words(one.ratio)}, {bounds}; {one.samples:,} samples"
