"""A clock of the search that is counted, so that a search by time is the same on any machine."""

from __future__ import annotations

from itertools import count

import pytest

READERS = (
    "harness.search.explorer",
    "harness.search.pieces.notes",
    "harness.search.pieces.state",
    "harness.simulated.guards.watchdog",
)


@pytest.fixture
def counted_clock(monkeypatch):
    """Have each look at the clock, in this process, be 10 ms after the one before."""
    looks = count()
    for module in READERS:
        monkeypatch.setattr(f"{module}._REAL_CLOCK", lambda: next(looks) / 100)
    return looks
