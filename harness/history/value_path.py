"""Paths into results, and the canonical text of a value."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["PathMissing", "canonical", "values_at"]

INDEX_DIGITS_MAX = 9


class PathMissing(LookupError):
    """There is nothing at the path."""


def values_at(value: Any, path: str) -> list[Any]:
    """List what lies at ``path`` in ``value``; a path without ``*`` gives a single item.

    A path is names and numbers with dots between them; ``*`` stands for every item of a list or
    table. The empty path is the value itself.

    Raises:
        PathMissing: A name or number of the path is not there.
    """
    found = [value]
    for part in path.split(".") if path else []:
        found = [item for parent in found for item in _step(parent, part, path=path)]
    return found


def canonical(value: Any) -> str:
    """Return text that is the same for equal values, and only for them.

    The order of a table's keys does not matter; 1 equals 1.0, and true does not equal 1.
    """
    return json.dumps(_even(value), sort_keys=True, default=repr)


def _even(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _even(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_even(one) for one in value]
    return value


def _step(parent: Any, part: str, *, path: str) -> list[Any]:
    if part == "*":
        if isinstance(parent, list | tuple):
            return list(parent)
        if isinstance(parent, dict):
            return list(parent.values())
    elif isinstance(parent, dict) and part in parent:
        return [parent[part]]
    elif isinstance(parent, list | tuple) and _is_index(part) and int(part) < len(parent):
        return [parent[int(part)]]
    raise PathMissing(f'nothing at "{part}" of the path "{path}" in a {type(parent).__name__}')


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= INDEX_DIGITS_MAX
