"""A comparison as JSON, for other programs to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.results.comparisons import COMPARISON_VERSION
from harness.results.plain_record import to_plain

if TYPE_CHECKING:
    from harness.results.comparisons import Comparison

__all__ = ["comparison_json"]


def comparison_json(found: Comparison) -> str:
    """Return the comparison as indented JSON, ASCII only: its fields, and its verdict."""
    document = {
        "comparison_version": COMPARISON_VERSION,
        "verdict": found.verdict.value,
        **to_plain(found),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
