"""Which source files a system is made of: its own, and what these import beside it."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["imported_sources"]

INSTALLED = {"site-packages", "dist-packages"}


def imported_sources(path: Path, module: str) -> list[Path]:
    """Follow the imports of a module's file to all files under its root folder, sorted.

    Only by their text: which modules are loaded differs between processes, the texts do not. The
    root is the folder of the top-level module. What is installed is not the user's program.
    """
    depth = module.count(".") + (path.name == "__init__.py")
    root = path.parents[depth]
    found: set[Path] = set()
    if INSTALLED & set(root.parts):
        return [path]
    left = [path]
    while left:
        one = left.pop()
        if one in found:
            continue
        found.add(one)
        package = one.relative_to(root).parent.parts
        for name in _imports(one, one.stat().st_mtime_ns, package):
            left += _files(root, name)
    return sorted(found)


def _files(root: Path, name: str) -> list[Path]:
    """Return the files that importing a name runs: packages on the way to it, then its own."""
    parts = name.split(".")
    files: list[Path] = []
    if parts[0] == "harness":
        return files
    for end in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:end])
        files += [one for one in (place / "__init__.py", place.with_suffix(".py")) if one.is_file()]
    return files


@lru_cache(maxsize=10_000)
def _imports(path: Path, changed: int, package: tuple[str, ...]) -> tuple[str, ...]:
    del changed
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            # What is imported from a package may be a module of its own.
            names += [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
    return tuple(name for name in names if name)
