"""The result of repeating a recorded failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.history.records import Diagnosis
    from harness.results.schedule import Schedule

__all__ = ["ReplayResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """How the run of a token went when it was repeated.

    ``subject`` is the scenario's path or the program's name, ``deviations`` counts those of the
    token. ``headline`` is None if the run did not fail; ``message_lines`` and ``diagnosis``
    describe the failure. ``sentence`` compares the run with the token's.
    """

    subject: str
    mode: str
    seed: int
    deviations: int
    schedule: Schedule
    sentence: str
    headline: str | None = None
    message_lines: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None
