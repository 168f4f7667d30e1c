"""Who may import whom, read from the sources themselves; and that nothing imports in a circle.

Every import counts: at the top of a file, inside a function, and for types only.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.harness.pytest_plugin.running import PLUGIN

ROOT = Path(__file__).parents[2]
# Lowest first: a package may import those before it, and no others.
HARNESS = (
    "errors", "history", "results", "consistency", "checks", "scenario", "choices", "processes",
    "diagnosis", "backends", "systems", "simulated", "live", "miden", "runs", "drafts", "search",
    "report", "api", "cli", "pytest_plugin", "__main__", "",
)  # fmt: skip
SERVE = (
    "errors", "points", "domain", "store", "clients", "desks", "orders", "accounts", "service",
    "miden", "",
)  # fmt: skip
# What a package may not import though it is lower.
APART = {
    ("report", "search"), ("pytest_plugin", "cli"), ("cli", "api"), ("miden", "live.backend"),
    ("live", "simulated"), ("service", "miden"),
}  # fmt: skip
# Who may import what others have made.
FOREIGN = {
    "serve": ("harness.miden",),
    "simpy": ("harness.simulated", "harness.miden.simulated"),
    "pytest": ("harness.pytest_plugin",),
    "docker": ("harness.live", "harness.miden.node"),
    "testcontainers": ("harness.live", "harness.miden.node"),
    "grpc": ("harness.live", "harness.miden.node"),
    "filelock": ("harness.live", "harness.miden.node"),
    "typer": ("harness.cli",),
    "distributed": ("harness.search.pieces",),
}
# Names that asyncio's and other libraries' objects have as well.
LIBRARIES = {"_ready", "_replace", "_tasks", "_value", "_wait"}
IMPURE = {"os", "io", "time", "pathlib", "socket", "subprocess", "asyncio", "threading"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for package in ("harness", "serve")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "native" not in path.parts
}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """List what a module imports, each as the module that it is or lies in."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{module}: imports are absolute"
            inner = {f"{node.module}.{one.name}" for one in node.names}
            found |= inner & MODULES.keys() or {node.module}
    return frozenset(found)


def ours(module: str) -> set[str]:
    return {one for one in imports(module) if one in MODULES and one != module}


def place(module: str) -> tuple[str, str]:
    """Return the distribution and the package of a module."""
    top, _, rest = module.partition(".")
    return top, rest.partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_place_allows(module):
    top, package = place(module)
    order = HARNESS if top == "harness" else SERVE
    for other in ours(module):
        other_top, other_package = place(other)
        if other_top == top and other_package != package:
            assert order.index(other_package) < order.index(package), f"{module} -> {other}"
            assert (package, other_package) not in APART, f"{module} -> {other}"
    for name, allowed in FOREIGN.items():
        used = any(one == name or one.startswith(f"{name}.") for one in imports(module))
        if used and not (top == name or module.startswith("serve.miden")):
            assert module.startswith(allowed), f"{module} imports {name}"
    if top == "serve":
        assert not any(one.startswith("harness") for one in imports(module))


def test_every_package_has_its_place():
    for top, order in (("harness", HARNESS), ("serve", SERVE)):
        assert {place(module)[1] for module in MODULES if place(module)[0] == top} == set(order)


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def module_circle() -> list[str]:
    """Return modules that import each other in a circle, if there are any."""
    return circle_in({module: ours(module) for module in MODULES})


def package_circle() -> list[str]:
    """Return packages that do."""

    def package(module):
        return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]

    outer: dict[str, set[str]] = {}
    for module in MODULES:
        mine = ".".join(place(module))
        outer.setdefault(mine, set()).update(
            ".".join(place(other)) for other in ours(module) if place(other) != place(module)
        )
    return circle_in(outer)


def test_no_modules_import_each_other_in_a_circle():
    assert module_circle() == []


def test_no_packages_import_each_other_in_a_circle():
    assert package_circle() == []


def reached_into(path: Path) -> list[str]:
    """List the underscored names of other packages that a file uses."""
    parsed = ast.parse(path.read_text(encoding="utf-8"))
    own = names_defined_in(parsed)
    mine = place(name_of(path)) if path.is_relative_to(ROOT / "harness") else ("", "")
    for other, names in underscored().items():
        if other == mine:
            own |= names
    theirs = set().union(*underscored().values()) - own - LIBRARIES
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for node in ast.walk(parsed)
        if isinstance(node, ast.Attribute)
        and node.attr in theirs
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    ] + [
        f"{path.relative_to(ROOT)}:{node.lineno} {one.name}"
        for node in ast.walk(parsed)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("harness", "serve"))
        for one in node.names
        if one.name.startswith("_") and place(node.module or "") != mine
    ]


def names_defined_in(parsed: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(parsed):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


@cache
def underscored() -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for module in MODULES:
        found.setdefault(place(module), set()).update(names_defined_in(tree(module)))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_reaches_into_no_other_package(module):
    assert reached_into(MODULES[module]) == []


def test_checks_and_the_consistency_checker_read_nothing_but_values():
    for module in MODULES:
        if place(module) in {("harness", "checks"), ("harness", "consistency")}:
            assert not {one.partition(".")[0] for one in imports(module)} & IMPURE, module
            names = {one.id for one in ast.walk(tree(module)) if isinstance(one, ast.Name)}
            assert not names & {"open", "input", "print", "__import__", "eval", "exec", "globals"}
            assert not any(isinstance(one, ast.AsyncFunctionDef) for one in ast.walk(tree(module)))
    used = {
        place(other)[1]
        for module in MODULES
        if place(module) == ("harness", "consistency")
        for other in ours(module)
    }
    assert used <= {"consistency", "errors", "results"}


def test_the_ways_in_do_not_import_a_backend_before_it_is_asked_for():
    code = (
        f"import sys, harness.cli.app, harness.cli.run, harness.cli.explore, {PLUGIN};"
        "print([name for name in ('simpy', 'docker', 'testcontainers', 'grpc', 'serve.miden')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
