"""The JSON Schema of what ``explore --json`` writes, made from the result values themselves."""

from __future__ import annotations

import dataclasses
import types
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from harness.history import records as history
from harness.results import schedule, verdict
from harness.results.explorations import Exploration, ExplorationReport
from harness.results.health import varied
from harness.results.verdict import Verdict

__all__ = ["search_schema"]

_PLAIN = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_TOLD = {
    "verdict": {"enum": [one.value for one in Verdict]},
    "proven": {"type": "boolean", "description": "every order within the bound passed"},
    "health": {
        "type": "array",
        "items": {"type": "string"},
        "description": "health checks that failed, such as one_order: all runs took one order",
    },
    "budget": {
        "type": "integer",
        "minimum": 1,
        "description": "runs that are recommended, by the curve of new orders",
    },
}


def search_schema() -> dict[str, Any]:
    """Make the schema of a search's JSON document."""
    definitions: dict[str, Any] = {}
    one = _record(Exploration, definitions)
    one["properties"] = {**_TOLD, **one["properties"]}
    one["required"] = [*_TOLD, *one["required"]]
    one["properties"]["coverage"]["description"] = "pairs: runs so far, distinct orders so far"
    hints = get_type_hints(ExplorationReport)
    names = ("started_at", "profile", "versions", "machine")
    properties = {
        "result_version": {"type": "integer"},
        "verdict": _TOLD["verdict"],
        "explorations": {"type": "array", "items": one},
        **{name: _schema(hints[name], definitions) for name in names},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Searches",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": definitions,
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    found: dict[str, Any] = {}
    if kind in _PLAIN:
        found = {"type": _PLAIN[kind]}
    elif origin in {Union, types.UnionType}:
        found = {"anyOf": [_schema(one, definitions) for one in arguments]}
    elif origin in {tuple, list}:
        found = _items(arguments, definitions)
    elif origin is dict:
        found = {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    elif kind is not Any and issubclass(kind, Enum):
        found = {"enum": [one.value for one in kind]}
    elif kind is not Any:
        found = {"$ref": f"#/$defs/{kind.__name__}"}
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # some refer to themselves
            definitions[kind.__name__] = _record(kind, definitions)
    return found


def _items(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if len(arguments) == 1 or arguments[1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    each = [_schema(one, definitions) for one in arguments]
    return {"type": "array", "prefixItems": each, "minItems": len(each), "maxItems": len(each)}


def _record(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, localns=_names())
    names = [one.name for one in dataclasses.fields(kind)]
    return {
        "type": "object",
        "properties": {name: _schema(hints[name], definitions) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _names() -> dict[str, Any]:
    modules = (history, schedule, varied, verdict)
    return {name: vars(module)[name] for module in modules for name in module.__all__}
