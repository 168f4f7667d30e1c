"""Own the JSON Schemas that are kept beside the code, for editors and for readers of reports."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["report_schema", "scenario_schema"]


def report_schema() -> dict[str, Any]:
    """Load the schema of ``--json`` files."""
    return _loaded("report.schema.json")


def scenario_schema() -> dict[str, Any]:
    """Load the schema of scenario files."""
    return _loaded("scenario.schema.json")


def _loaded(name: str) -> dict[str, Any]:
    text = (files("harness.results") / name).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
