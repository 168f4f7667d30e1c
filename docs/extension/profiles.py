"""The reference of latency profiles, from their JSON Schema and the nominal profile."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from scenario_language import cell, prose, value

from harness.scenario.words import shown
from harness.simulated.world.profile_reading import profile_names, profile_schema

__all__ = ["keys", "named"]

NOMINAL = files("harness.simulated.world") / "profiles/nominal.toml"
TABLES = {"executor": "ExecutorFigures", "latency_ms": "Latencies", "rpcs": "Rpcs"}
# What is no time although it stands beside times.
NO_TIMES = {"kind", "sigma", "weights"}


def keys() -> str:
    """Write a section with a table of keys for each table of a profile, and for each kind."""
    schema = profile_schema()
    tables = schema["$defs"]
    nominal = tomllib.loads(NOMINAL.read_text(encoding="utf-8"))
    top = {key: one for key, one in schema["properties"].items() if key not in (*TABLES, "command")}
    parts = ["## At the top", _table(top, nominal)]
    for key, name in TABLES.items():
        parts += [f"## `[{key}]`", prose(tables[name]["description"])]
        parts.append(
            _table(tables[name]["properties"], nominal[key], all_times=key == "latency_ms")
        )
    commands = tables["Commands"]["properties"]
    parts += ["## `[command.NAME]`", prose(tables["Command"]["description"])]
    parts.append(_table(tables["Command"]["properties"], {}))
    listed = [f"`{name}` ({cell(one['description'])})" for name, one in commands.items()]
    parts.append(f"The names are {', '.join(listed)}.")
    for table in tables.values():
        kind = table["properties"].get("kind")
        if kind is not None:
            parts += [f"## `{kind['const']}`", prose(table["description"])]
            parts.append(_table(table["properties"], None, all_times=True))
    return "\n\n".join(parts)


def named() -> str:
    """List the profiles that the harness brings."""
    return ", ".join(f"`{name}`" for name in profile_names())


def _table(
    properties: dict[str, Any], nominal: dict[str, Any] | None, *, all_times: bool = False
) -> str:
    head = ["key", "value", "unit", *(["nominal"] if nominal is not None else []), "what it is"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for key, one in properties.items():
        is_time = key.endswith("_ms") or (all_times and key not in NO_TIMES)
        cells = [f"`{key}`", _value(one), "ms" if is_time else ""]
        if nominal is not None:
            is_told = key in nominal and key != "provenance"
            cells.append(f"`{shown(nominal[key])}`" if is_told else "")
        rows.append(f"| {' | '.join([*cells, cell(one['description'])])} |")
    return "\n".join(rows)


def _value(one: dict[str, Any]) -> str:
    kinds = [kind for kind in one.get("anyOf", [one]) if kind.get("type") != "null"]
    return "a distribution" if "discriminator" in kinds[0] else value(one)
