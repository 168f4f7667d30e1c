"""What a comparison of two reports, or of two trees, has found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "COMPARISON_VERSION",
    "Comparison",
    "Measured",
    "Simulated",
    "VerdictChange",
    "Way",
]

COMPARISON_VERSION = 1


class Way(StrEnum):
    """What became of a figure; UNKNOWN: its noise leaves open whether it changed."""

    SLOWER = "slower"
    FASTER = "faster"
    CHANGED = "changed"
    ALIKE = "alike"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """A run, or runs of several seeds, with another verdict than before.

    ``seeds`` are those of the runs. ``checks`` says of each check with another verdict: its name,
    the old one and the new one, "absent" where it was not made.
    """

    scenario: str
    node: str
    seeds: tuple[int, ...]
    old: Verdict
    new: Verdict
    checks: tuple[tuple[str, str, str], ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A figure in virtual time that is not what it was: exact, since nothing scatters there.

    ``old`` and ``new`` are of ``seed``, where they differ most, in ``unit`` ("s" for seconds, "x"
    for a ratio, "" for a count); None where the figure is absent. Of all ``seeds`` that were
    compared it is larger in ``more`` and smaller in ``less``.
    """

    scenario: str
    what: str
    way: Way
    unit: str
    old: float | None
    new: float | None
    seed: int
    seeds: int
    more: int
    less: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure of real time, with what its noise leaves open.

    ``old`` and ``new`` are medians, in ``unit``. The true ratio of new to old lies between ``low``
    and ``high``; they are None where the ``samples`` of a side are too few. ``why`` says why the
    figure cannot be judged, if so.
    """

    scenario: str
    what: str
    way: Way
    unit: str
    old: float | None
    new: float | None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides, ``old`` and ``new``, compared.

    ``runs`` counts the runs that both have, ``equal`` those of them with the same digest, so that
    not one step differs. ``notes`` say what of the two is not the same and was not compared.
    ``unknown`` says what could not be judged though it was asked for.
    """

    old: str
    new: str
    runs: int
    equal: int
    verdicts: tuple[VerdictChange, ...] = ()
    simulated: tuple[Simulated, ...] = ()
    measured: tuple[Measured, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAILED if anything got slower or fails now; UNKNOWN if that cannot be told."""
        ways = self.ways
        worse = {one.new for one in self.verdicts}
        if ways[Way.SLOWER] or Verdict.FAILED in worse:
            return Verdict.FAILED
        if ways[Way.UNKNOWN] or Verdict.UNKNOWN in worse or self.unknown:
            return Verdict.UNKNOWN
        return Verdict.PASSED

    @property
    def ways(self) -> Counter[Way]:
        """How many figures went which way."""
        return Counter(one.way for one in self._figures())

    def _figures(self) -> Iterator[Simulated | Measured]:
        yield from self.simulated
        yield from self.measured
