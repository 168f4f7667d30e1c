"""Figures that are read from the tree and from what is installed, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.simulated.loop.core import core_name
from tests.figures.figure import ROOT, Figure, Options
from tests.repository import check_archives, test_layers, test_tree

if TYPE_CHECKING:
    from collections.abc import Sized

__all__ = ["circles", "core", "folders", "lines", "loose", "serve_imports"]

LINES_MAX = 35_500


def circles(_options: Options) -> Figure:
    """Look for a circle of imports."""
    return _none([*test_layers.module_circle(), *test_layers.package_circle()])


def loose(_options: Options) -> Figure:
    """Count the modules of harness/ that are in no package."""
    found = sorted(path.name for path in (ROOT / "harness").glob("*.py"))
    return Figure(value=f"{len(found)}: {', '.join(found)}", met=len(found) <= 4)


def folders(_options: Options) -> Figure:
    """Look for folders with too many files."""
    return _none(test_tree.long_folders())


def serve_imports(_options: Options) -> Figure:
    """Look for modules that import serve, and may not."""
    return _none(
        [
            module
            for module in test_layers.MODULES
            if module.startswith("harness")
            and not module.startswith("harness.miden")
            and any(one.partition(".")[0] == "serve" for one in test_layers.imports(module))
        ]
    )


def lines(_options: Options) -> Figure:
    """Count the lines of both packages."""
    count = sum(
        path.read_text(encoding="utf-8").count("\n") for path in test_layers.MODULES.values()
    )
    return Figure(value=f"{count:,}", met=count <= LINES_MAX)


def core(_options: Options) -> Figure:
    """Ask which core of the virtual loop is in use."""
    return Figure(
        value=core_name(), met=core_name() == "compiled" or not check_archives.can_compile()
    )


def _none(found: Sized) -> Figure:
    return Figure(value=f"{len(found)}{f': {found}' if found else ''}", met=not found)
