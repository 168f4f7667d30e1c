"""The corpus of correct programs: none of them may be accused, whoever is cancelled."""

from __future__ import annotations

from tests.sensitivity.correct import limiters, pools, retries, streams

__all__ = ["CORRECT"]

CORRECT = {
    program.__name__: program
    for module in (streams, limiters, pools, retries)
    for program in module.PROGRAMS
}
