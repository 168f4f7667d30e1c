"""The reference of the command line and of pytest's options, as each tells them itself."""

from __future__ import annotations

import argparse
import ast
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

__all__ = ["command_line", "pytest_fixtures", "pytest_options"]

PLUGIN = Path(__file__).parents[2] / "harness/pytest_plugin/plugin.py"


def command_line() -> str:
    """Have typer describe all commands and their options; its title is the page's own."""
    describe = [sys.executable, "-m", "typer", "harness.cli.app", "utils", "docs"]
    message = subprocess.run(  # noqa: S603 - typer's own command, which prints Markdown
        [*describe, "--name", "harness"], capture_output=True, check=True
    )
    # The mark by which a terminal keeps lines as they are.
    return message.stdout.decode().replace("\b\n", "").partition("\n")[2]


def pytest_options() -> str:
    """Write a table of the options that the plugin adds."""
    rows = [f"| `{' '.join(_words(one))}` | {one.help} |" for one in _options()]
    return "\n".join(["| option | what it does |", "|---|---|", *rows])


def pytest_fixtures() -> str:
    """Write each fixture of the plugin with what its docstring says."""
    functions = [one for one in ast.parse(PLUGIN.read_text("utf-8")).body if _is_fixture(one)]
    return "\n\n".join(f"**`{one.name}`**\n: {_prose(one)}" for one in functions)


def _options() -> list[argparse.Action]:
    found: list[argparse.Action] = []
    parser = argparse.ArgumentParser()
    add = lambda *names, **attributes: found.append(parser.add_argument(*names, **attributes))  # noqa: E731
    group = SimpleNamespace(addoption=add)
    plugin = runpy.run_path(str(PLUGIN))
    plugin["pytest_addoption"](SimpleNamespace(getgroup=lambda *_name_and_description: group))
    return found


def _words(option: argparse.Action) -> list[str]:
    """Write an option and what it takes, as pytest's own help does."""
    (name,) = option.option_strings
    taken = [] if option.nargs == 0 else [option.metavar or "\\|".join(option.choices)]
    return [name, *taken]


def _is_fixture(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and "pytest.fixture" in {
        ast.unparse(one) for one in node.decorator_list
    }


def _prose(function: ast.FunctionDef) -> str:
    return (ast.get_docstring(function) or "").replace("``", "`")
