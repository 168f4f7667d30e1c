"""A figure that was measured, and what a measurement may be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["REFERENCE", "ROOT", "Figure", "Options"]

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "b22c461"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, in words, and whether it meets its bound; None: a person must say so."""

    value: str
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to measure: pairs of measurements, another interpreter, the commit to compare with.

    ``runs`` is how often a live run is repeated, and ``beside`` names what runs beside it: all by
    default.
    """

    pairs: int = 20
    python: str = ""
    reference: str = REFERENCE
    runs: int = 10
    beside: tuple[str, ...] = ()
