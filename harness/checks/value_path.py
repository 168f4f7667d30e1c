"""Own the paths into results: names and numbers with dots between them, ``*`` for every item."""

from __future__ import annotations

from typing import Any

__all__ = ["PathMissing", "values_at"]


class PathMissing(LookupError):
    """The value has nothing at the path."""


def values_at(value: Any, path: str) -> list[Any]:
    """Collect what lies at ``path`` in ``value``; a path without ``*`` gives one item.

    Raises:
        PathMissing: A name or number of the path is not there.
    """
    found = [value]
    for part in path.split(".") if path else []:
        found = [item for parent in found for item in _step(parent, part, path=path)]
    return found


def _step(parent: Any, part: str, *, path: str) -> list[Any]:
    if part == "*":
        if isinstance(parent, list | tuple):
            return list(parent)
        if isinstance(parent, dict):
            return list(parent.values())
    elif isinstance(parent, dict) and part in parent:
        return [parent[part]]
    elif isinstance(parent, list | tuple) and part.isdigit() and int(part) < len(parent):
        return [parent[int(part)]]
    msg = f'nothing at "{part}" of the path "{path}" in a {type(parent).__name__}'
    raise PathMissing(msg)
