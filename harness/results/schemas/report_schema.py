"""The JSON Schema of ``--json`` reports, which is kept beside the code."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["report_schema"]


def report_schema() -> dict[str, Any]:
    """Load the schema of ``--json`` files."""
    text = (files("harness.results.schemas") / "report.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
