"""Own the JSON Schema of scenario files, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any

from harness.checks import CHECKS
from harness.history import NodeKind
from harness.scenario import Scenario, UserCount

__all__ = ["scenario_schema"]

KINDS = tuple(kind.value for kind in NodeKind)


def scenario_schema() -> dict[str, Any]:
    """Make the JSON Schema of scenario files, for editors; the file itself is checked further."""
    document = Scenario.model_json_schema(by_alias=True)
    properties = document["properties"]
    for key in ("name", "path", "checks", "within_s"):
        properties.pop(key)
    definitions = document.setdefault("$defs", {})
    for model in (UserCount,):
        definitions[model.__name__] = _without_defs(model.model_json_schema(), definitions)
    properties["users"] = {
        "description": "who acts: names, tables with a name, or a count",
        "anyOf": [
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/User"}]},
            },
            {"$ref": "#/$defs/UserCount"},
        ],
    }
    checks: dict[str, Any] = {}
    for name, check in CHECKS.items():
        own = _without_defs(check.parameters.model_json_schema(), definitions)
        partial = {key: value for key, value in own.items() if key != "required"}
        own["properties"] = own.get("properties", {}) | {
            kind: {**partial, "description": f"limits for {kind} runs only"} for kind in KINDS
        }
        # A required key may stand in the tables of both backends instead.
        own.pop("required", None)
        checks[name] = {"anyOf": [own, {"type": "array", "items": own}]}
    properties["check"] = {
        "type": "object",
        "description": "what must hold",
        "properties": checks,
        "additionalProperties": False,
    }
    document["required"] = ["claim", "phase", "check"]
    document["title"] = "Scenario"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for unused in ("ResolvedCheck",):
        definitions.pop(unused, None)
    return document


def _without_defs(document: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    definitions.update(document.pop("$defs", {}))
    return document
