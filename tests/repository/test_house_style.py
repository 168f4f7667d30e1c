"""What can be counted of the house style: openings, lengths, public names; and the tree's prose."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import harness
from tests.there import there

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for package in ("harness", "serve")
    for path in (ROOT / package).rglob("*.py")
    if "native" not in path.parts
)
LINES_MAX = 400
FUNCTION_LINES_MAX = 50


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_opens_with_a_sentence_and_stays_short(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(text)
    opening = (ast.get_docstring(tree) or "").splitlines()
    assert opening, "a file opens with a sentence that says what it owns"
    assert opening[0].endswith(".")
    assert not opening[0].startswith("Own "), "say what it is, not that it is owned"
    assert text.count("\n") <= LINES_MAX
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # What a public function says of its arguments is as long as these are many.
            told = (ast.get_docstring(node) or "").count("\n")
            assert (node.end_lineno or 0) - node.lineno - told < FUNCTION_LINES_MAX, node.name


@pytest.mark.parametrize(
    "path", [path for path in FILES if not path.name.startswith("__")], ids=str
)
def test_public_names_are_listed_sorted_and_complete(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert listed, "__all__ is missing"
    assert listed[0] == sorted(listed[0], key=lambda name: (not name.isupper(), name)) or (
        listed[0] == sorted(listed[0])
    )
    hooks = {name for name in defined if name.startswith("pytest_")}
    used_here = hooks | FIXTURES_AND_COMMANDS.get(path.as_posix(), set())
    assert set(defined) - used_here <= set(listed[0])


FIXTURES_AND_COMMANDS = {
    "harness/cli/app.py": {
        "run", "list_scenarios", "replay", "schema", "node_up", "node_down", "node_status",
    },
    "harness/pytest_plugin/plugin.py": {"explore", "simulate"},
}  # fmt: skip


# Who may read the machine's clock: what measures it, what waits with a limit that only ends a test
# that hangs, and what runs where the clock is a simulated one.
CLOCK_READERS = {
    "tests/baseline/", "tests/benchmarks/", "tests/figures/", "tests/live/figures/",
    "tests/waiting.py", "tests/live/test_node_container.py", "tests/native/test_exit.py",
    "tests/docs/test_cannot_find.py", "tests/harness/choices/test_points.py",
    "tests/harness/processes/test_below_python.py",
    "tests/harness/simulated/guards/sources.py", "tests/harness/simulated/guards/test_sources.py",
    "tests/harness/simulated/guards/test_determinism.py",
    "tests/harness/simulated/loop/outside/test_executor_model.py",
}  # fmt: skip
CLOCK = re.compile(r"\btime\.(?:monotonic|perf_counter|process_time|time)\b|from time import")


def test_no_test_reads_the_machines_clock():
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if CLOCK.search(path.read_text(encoding="utf-8")) and path != Path(__file__)
    }
    assert {one for one in readers if not one.startswith(tuple(CLOCK_READERS))} == set()
    idle = {one for one in CLOCK_READERS if not any(path.startswith(one) for path in readers)}
    assert idle <= {"tests/figures/"}


def test_what_is_imported_is_what_stands_here_or_what_was_installed():
    module = importlib.import_module("harness")
    assert Path(there(module.__file__)).name == "__init__.py"
    assert harness.__doc__


def test_no_file_names_a_machine_or_a_registry():
    git = shutil.which("git")
    listed = git and subprocess.run(
        [git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split() if listed and not listed.returncode else map(str, FILES)
    # Written apart, so that this file does not hold them.
    forbidden = ["/wo" + "rk/", "/tmp/" + "venv", "static." + "crates.io", "pypi" + ".org/simple"]
    for name in names:
        path = ROOT / name
        if not path.is_file() or path.suffix in {".lock", ".png"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for word in forbidden:
            assert word not in text, f"{name} holds {word}"
