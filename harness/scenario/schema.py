"""The JSON Schema of scenario files, for editors that complete and check."""

from __future__ import annotations

from typing import Any

from harness.checks.registry import CHECKS
from harness.history.records import NodeKind
from harness.scenario.keys import NOT_IN_FILES
from harness.scenario.model import Scenario, UserCount

__all__ = ["scenario_schema"]

KINDS = tuple(kind.value for kind in NodeKind)


def scenario_schema() -> dict[str, Any]:
    """Make the JSON Schema of scenario files; reading a file checks more than the schema."""
    document = Scenario.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = document.setdefault("$defs", {})
    definitions.pop("ResolvedCheck", None)
    definitions["UserCount"] = UserCount.model_json_schema()
    properties = document["properties"]
    for key in NOT_IN_FILES:
        properties.pop(key, None)
    named = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/User"}]}
    properties["users"] = {
        "description": "who acts: names, tables with a name, or a count",
        "anyOf": [{"type": "array", "minItems": 1, "items": named}, {"$ref": "#/$defs/UserCount"}],
    }
    properties["check"] = {
        "type": "object",
        "description": "what must hold",
        "properties": {name: _check(name, definitions) for name in CHECKS},
        "additionalProperties": False,
    }
    document["required"] = ["claim", "phase", "check"]
    document["title"] = "Scenario"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document


def _check(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe a check: a table, or a list of tables."""
    limits = CHECKS[name].parameters.model_json_schema()
    required = limits.pop("required", [])
    kinds = {kind: {"$ref": f"#/$defs/{name}_limits"} for kind in KINDS}
    whole = {**limits, "properties": limits.get("properties", {}) | kinds}
    needs = [[{"required": [key]}] for key in required]
    if "anyOf" in limits:
        needs.append(limits.pop("anyOf"))
        del whole["anyOf"]
    if needs:
        # A required key may stand in the tables of both backends instead.
        both = {"required": list(KINDS)}
        whole["allOf"] = [{"anyOf": [*keys, both]} for keys in needs]
    definitions[f"{name}_limits"] = limits
    definitions[name] = whole
    here = {"$ref": f"#/$defs/{name}"}
    return {"anyOf": [here, {"type": "array", "minItems": 1, "items": here}]}
