"""The verdicts of checks and of whole runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WORST_FIRST", "CheckResult", "Verdict", "verdict_of"]


class Verdict(StrEnum):
    """PASSED, FAILED, or UNKNOWN: not run or not decidable, and never green."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


WORST_FIRST = (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check's verdict with what it expected, what it saw, and who was involved."""

    name: str
    verdict: Verdict
    expected: str
    seen: str
    involved: tuple[str, ...] = ()
    why: str | None = None


def verdict_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Fold verdicts: FAILED if any is; else UNKNOWN if any is, or if there are none."""
    seen = set(verdicts)
    if Verdict.FAILED in seen:
        return Verdict.FAILED
    return Verdict.PASSED if seen == {Verdict.PASSED} else Verdict.UNKNOWN
