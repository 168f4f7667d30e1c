"""Who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for package in ("harness", "serve")
    for path in (ROOT / package).rglob("*.py")
    if "native" not in path.parts
)
LIVE_PACKAGES = {"docker", "testcontainers", "grpc", "filelock"}
IMPURE = {"os", "io", "time", "pathlib", "socket", "subprocess", "asyncio", "threading"}


def imports(path: Path) -> set[str]:
    """List the modules that a file imports, those in functions included, but not for types only."""
    found = set()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            assert node.level == 0, f"{path}: imports are absolute"
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_imports_only_what_its_place_allows(path):
    place = path.as_posix()
    used = tops(path)
    if place.startswith("serve/"):
        assert not used & ({"harness", "simpy", "pytest"} | LIVE_PACKAGES)
        return
    if place not in {"harness/pytest_plugin/plugin.py", "harness/pytest_plugin/exploration.py"}:
        assert "pytest" not in used
    if not place.startswith(("harness/simulated/", "harness/miden/simulated/")):
        assert "simpy" not in used
    if not place.startswith(("harness/live/", "harness/miden/node/")):
        assert not used & LIVE_PACKAGES
    if not place.startswith("harness/miden/"):
        assert "serve" not in used
    if place.startswith("harness/checks/"):
        assert not used & IMPURE


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parts[:2] == ("harness", "checks")], ids=str
)
def test_a_check_rests_on_the_history_and_reads_nothing_else(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("harness.")}
    assert ours <= {
        "checks", "consistency", "errors", "history", "results",
    }  # fmt: skip
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"open", "input", "print", "__import__", "eval", "exec", "globals"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parts[:2] == ("harness", "consistency")], ids=str
)
def test_the_linearizability_checker_stands_by_itself_and_is_pure(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("harness.")}
    assert ours <= {"consistency", "errors", "results"}
    assert not tops(path) & IMPURE


def test_the_ways_in_do_not_import_a_backend_before_it_is_asked_for():
    import subprocess  # noqa: PLC0415 - a process of its own shows what one import brings
    import sys  # noqa: PLC0415

    code = (
        "import sys, harness.cli.app, harness.pytest_plugin.plugin;"
        "print([name for name in ('simpy', 'docker', 'testcontainers', 'grpc', 'serve.miden')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
