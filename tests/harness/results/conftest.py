"""The searches that the tests of reports draw, for the tests of what they are made of."""

from __future__ import annotations

from tests.harness.report.explorations import (  # noqa: F401 - fixtures
    contended_history,
    cycle_history,
    cycle_schedule,
    dined,
    exploration_report,
    failing_schedule,
    found,
    hostile_exploration,
    hostile_schedule,
    nasty,
    passing_schedule,
    proven,
    refused,
    sold_twice,
)
