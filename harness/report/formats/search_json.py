"""Searches as JSON: all that is known of them, with the schedules of the failures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.results.explorations import RESULT_VERSION
from harness.results.plain_record import to_plain

if TYPE_CHECKING:
    from harness.results.explorations import ExplorationReport

__all__ = ["search_json"]


def search_json(report: ExplorationReport) -> str:
    """Return the searches as indented JSON, ASCII only.

    Raises:
        HarnessBug: A number of the report is not finite.
    """
    document = {
        "result_version": RESULT_VERSION,
        "verdict": report.verdict.value,
        "started_at": report.started_at,
        "profile": to_plain(report.profile),
        "explorations": [
            {
                "verdict": one.verdict.value,
                "proven": one.proven,
                "health": list(one.health),
                "budget": one.budget,
                **to_plain(one),
            }
            for one in report.explorations
        ],
        "versions": dict(report.versions),
        "machine": dict(report.machine),
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
