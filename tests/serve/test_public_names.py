"""The public face: what `import serve` offers, what it costs, and where `help` says to begin."""

from __future__ import annotations

import ast
import json
import pydoc
import re
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

import serve
import serve.errors
from tests.there import there

SCREEN_LINES = 60
# Unions of types have no module of their own.
ALIASES = {"AccountOrder", "AccountOrderResult"}


def loaded_after(program):
    """Run a program and list the modules of serve that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys\nprint(json.dumps([*sys.modules]))"],
        cwd=Path(serve.__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name for name in json.loads(done.stdout) if name.startswith("serve.")}


def test_every_public_name_is_there_has_a_docstring_and_one_home():
    for name in serve.__all__:
        found = getattr(serve, name)
        assert found.__doc__, name
        if name not in ALIASES:
            assert getattr(import_module(found.__module__), name) is found


def test_the_types_that_checkers_see_are_the_names_that_are_public():
    tree = ast.parse(Path(serve.__file__).read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(seen) == serve.__all__
    for name, home in seen.items():
        assert getattr(import_module(there(home)), name) is getattr(serve, name)


def test_importing_the_package_imports_nothing_else_of_it():
    assert loaded_after("import serve") == set()


def test_a_name_costs_only_what_it_needs():
    loaded = loaded_after("from serve import ServeError")
    assert loaded == {"serve.errors"}
    assert not any(one.startswith("serve.miden") for one in loaded_after("from serve import Serve"))


def test_every_kind_of_error_is_a_public_name_of_its_module():
    kinds = [one for one in vars(serve.errors).values() if isinstance(one, type)]
    assert {one.__name__ for one in kinds if issubclass(one, serve.ServeError)} == set(
        serve.errors.__all__
    )


def test_help_fits_a_screen_and_says_where_to_begin_and_what_is_public():
    text = pydoc.plain(pydoc.render_doc(serve))
    assert text.count("\n") <= SCREEN_LINES
    assert "Begin with" in text
    assert "Public are" in text


async def test_what_help_says_to_begin_with_works(tmp_path, clients):
    example = re.search(r"(?ms)^    async with.*?\n\n", there(serve.__doc__))
    lines = textwrap.indent(textwrap.dedent(there(example)[0]), "    ")
    names = {name: getattr(serve, name) for name in serve.__all__}
    names |= {"path": tmp_path, "secret": bytes(range(32)), "MidenClientFactory": lambda: clients}
    exec(f"async def begin():\n{lines}    return created, listing", names)
    created, listing = await names["begin"]()
    assert created.account_id in str(listing)


def test_a_name_that_is_not_there_is_an_attribute_error_that_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"no attribute 'Server'; it has .*, Serve,"):
        serve.Server  # noqa: B018
