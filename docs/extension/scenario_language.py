"""The reference of scenario files, from their JSON Schema and from the registry of checks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.checks.registry import ALWAYS_ON, CHECKS
from harness.scenario.schema import scenario_schema

if TYPE_CHECKING:
    from harness.checks.kind import CheckKind

__all__ = ["cell", "checks", "keys", "prose", "value"]

# How a table is written in a file.
HEADINGS = {
    "Phase": "`[[phase]]`",
    "Step": "`[[phase.do]]`",
    "Fault": "`[[fault]]`",
    "User": "`[[users]]`",
    "UserCount": "`users` as a count",
}


def keys() -> str:
    """Write a section with a table of keys for the top of a file, and for each table in it."""
    schema = scenario_schema()
    definitions = {name: one for name, one in schema["$defs"].items() if name[0].isupper()}
    parts = [f"## At the top\n\n{_table(schema)}"]
    for name in _reached(schema["properties"], definitions):
        one = definitions[name]
        parts.append(f"## {_heading(name)}\n\n{prose(one['description'])}\n\n{_table(one)}")
    return "\n\n".join(parts)


def checks() -> str:
    """Write a section for each check: what it claims, its keys, and when it is not made."""
    parts = []
    for name, kind in CHECKS.items():
        one = kind.parameters.model_json_schema()
        parts += [f"## `{name}`", prose(one["description"]), _when(kind)]
        if one.get("properties"):
            parts.append(_table(one))
        for inner, table in one.get("$defs", {}).items():
            parts += [f"A **{inner}** is a table: {prose(table['description'])}", _table(table)]
    return "\n\n".join(parts)


def _when(kind: CheckKind) -> str:
    message = ["Always on." if kind.name in ALWAYS_ON else "Made where `[check]` lists it."]
    if kind.timed:
        message.append("A search leaves it out: it rests on latencies, which a search stretches.")
    if kind.timed_by_delays:
        message.append("A search leaves it out where the scenario waits for fixed times.")
    if kind.faultless:
        message.append("Not made in a run with faults: it rests on calls that succeed.")
    return " ".join(message)


def _reached(inside: Any, definitions: dict[str, Any]) -> list[str]:
    """List the tables that a part of the schema leads to, each once, the nearest first."""
    order: list[str] = []
    for name in _named(inside):
        if name in definitions:
            for one in (name, *_reached(definitions[name], definitions)):
                if one not in order:
                    order.append(one)
    return order


def _named(inside: Any) -> list[str]:
    if isinstance(inside, dict):
        here = [inside["$ref"].rpartition("/")[2]] if "$ref" in inside else []
        return here + [name for one in inside.values() for name in _named(one)]
    return [name for one in inside for name in _named(one)] if isinstance(inside, list) else []


def _table(schema: dict[str, Any]) -> str:
    rows = ["| key | value | default | what it is |", "|---|---|---|---|"]
    for key, one in schema["properties"].items():
        needed = key in schema.get("required", ())
        default = "required" if needed else _default(one)
        rows.append(f"| `{key}` | {value(one)} | {default} | {cell(one['description'])} |")
    return "\n".join(rows)


def _default(one: dict[str, Any]) -> str:
    default = one.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def value(one: dict[str, Any]) -> str:
    """Write a type for a person: ``a number, more than 0`` or ``"first", "all"``."""
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return f"[{_heading(name)}](#{_anchor(name)})" if name in _sections() else name
    if "anyOf" in one:
        kinds = [value(kind) for kind in one["anyOf"] if kind.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in one or "const" in one:
        return " or ".join(f"`{json.dumps(each)}`" for each in one.get("enum", [one.get("const")]))
    if one.get("type") == "array":
        return f"list of {value(one['items'])}"
    if one.get("type") == "object":
        return "table"
    kind = {"string": "text", "integer": "whole number", "number": "number", "boolean": "boolean"}
    return kind.get(one.get("type", ""), "any value") + _bounds(one)


def _heading(name: str) -> str:
    # Others are values of a key of their own name.
    return HEADINGS.get(name, f"`{name.lower()}`")


def _anchor(name: str) -> str:
    return re.sub(r"[^\w\- ]", "", _heading(name)).replace(" ", "-")


def _sections() -> set[str]:
    return {name for name in scenario_schema()["$defs"] if name[0].isupper()}


def _bounds(one: dict[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    message = [f"{word} {one[name]:,}" for name, word in words.items() if name in one]
    return "".join(f", {one}" for one in message)


def prose(text: str) -> str:
    """Write a docstring as Markdown."""
    return text.replace("``", "`")


def cell(text: str) -> str:
    """Write a description as a cell of a table."""
    return prose(text).replace("|", "\\|")
