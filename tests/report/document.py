"""What a folder for reviewers holds, as values: claims, figures, what ran, what is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.results.verdict import Verdict, verdict_of
from harness.results.wording import seconds

__all__ = ["Claim", "Figure", "Kind", "Report", "Section", "Shown"]


class Kind(StrEnum):
    """What a number is; ``MEANINGS`` says it in a sentence."""

    WALL = "measured wall time"
    VIRTUAL = "virtual time"
    CPU = "CPU time"
    COUNT = "count"
    RATIO = "ratio"


MEANINGS = {
    Kind.WALL: "seconds of this machine's clock, with all that else it did",
    Kind.VIRTUAL: "seconds of a simulated clock: they follow from a model of latencies, and are the"
    " same on every machine",
    Kind.CPU: "seconds that this machine's processor worked for this program alone",
    Kind.COUNT: "a number of things; of simulated runs it is the same on every machine",
    Kind.RATIO: "one number over another of the same kind; the row says which",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number, and what must be known to read it.

    ``what`` is measured of ``side``: a product with its version, or the backend. ``samples`` is how
    often it was measured, ``low`` and ``high`` bound its 95 % interval where there is one.
    ``value`` is None if it was not measured: then ``why_not`` says why.
    """

    what: str
    side: str
    kind: Kind
    unit: str = "s"
    value: float | None = None
    samples: int = 0
    low: float | None = None
    high: float | None = None
    interpreter: str = ""
    why_not: str = ""

    def words(self) -> str:
        """Word the value: ``12.3 ms``, ``1,240 runs``, or why there is none."""
        if self.value is None:
            return self.why_not or "not run"
        return _worded(self.value, self.unit)

    def interval(self) -> str:
        """Word the interval, or return an empty text."""
        if self.low is None or self.high is None:
            return ""
        return f"{_worded(self.low, self.unit)} to {_worded(self.high, self.unit)}"


def _worded(value: float, unit: str) -> str:
    if unit == "s":
        return seconds(value)
    if unit == "x":
        return f"{value:,.2f} x"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f} {unit}".strip()
    return f"{value:.3g} {unit}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Figures that belong together: a row for each ``what``, a column for each side."""

    title: str
    note: str = ""
    figures: tuple[Figure, ...] = ()

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides in the order in which they come."""
        return tuple(dict.fromkeys(one.side for one in self.figures))

    def rows(self) -> list[tuple[str, list[Figure | None]]]:
        """Pair each ``what`` with its figures, one for each side, or None."""
        table: dict[str, dict[str, Figure]] = {}
        for one in self.figures:
            table.setdefault(one.what, {})[one.side] = one
        return [(what, [row.get(side) for side in self.sides]) for what, row in table.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one way of running says of a claim: its verdict, and how often it ran."""

    where: str
    verdict: Verdict
    how_often: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, by what it is tested, and what came of that; ``bound`` is what must be reached."""

    claim: str
    by: str
    bound: str = ""
    shown: tuple[Shown, ...] = ()
    section: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of its verdicts; UNKNOWN if there is none."""
        return verdict_of(one.verdict for one in self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of a folder; ``files`` pairs the names of further files in it with what they are."""

    title: str
    about: str
    started_at: str
    claims: tuple[Claim, ...]
    sections: tuple[Section, ...]
    ran: tuple[str, ...]
    not_shown: tuple[str, ...]
    repeat: tuple[str, ...]
    versions: dict[str, str]
    machine: dict[str, str]
    files: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict over all claims."""
        return verdict_of(one.verdict for one in self.claims)

    def headline(self) -> str:
        """Count the claims by verdict, the worst first."""
        words = {
            Verdict.FAILED: "failed",
            Verdict.UNKNOWN: "could not be judged",
            Verdict.PASSED: "held",
        }
        counts = [
            (sum(one.verdict is verdict for one in self.claims), verdict) for verdict in words
        ]
        told = ", ".join(f"{number} {words[verdict]}" for number, verdict in counts if number)
        return f"{len(self.claims)} claims: {told}" if told else "no claim was tested"
