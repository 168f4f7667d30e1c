"""Runs commands, each in a process forked from one that has loaded the harness and pytest.

To load either takes half a second, and the tests run them hundreds of times. What a command does is
the same: it has a process, with arguments, a folder, an environment, an output and an end.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["serve"]

# What the command line loads only when it needs it.
PACKAGES = ("harness.cli", "harness.report.formats", "harness.search", "harness.runs")
# What pytest loads when it starts.
MODULES = ("pytest", "pytest_asyncio", "pytest_timeout", "xdist.plugin")


def serve() -> None:
    """Carry out the commands that are asked for on stdin, one a line, until it is closed."""
    for name in MODULES:
        importlib.import_module(name)
    for package in PACKAGES:
        for one in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(one.name)
    # The pages stay shared with the processes that are forked.
    gc.freeze()
    while line := sys.stdin.readline():
        process = os.fork()
        if not process:
            _become(json.loads(line))
            return
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(asked: Mapping[str, Any]) -> None:
    """Become the command, which ends this process as it ends one of its own."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    places = (os.devnull, os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY)
    for number, (path, how) in enumerate(places):
        os.dup2(os.open(path, how), number)
    program, *arguments = asked["command"]
    sys.argv = [program, *arguments]
    PROGRAMS[program]()


def _harness() -> None:
    from harness.__main__ import main  # noqa: PLC0415 - as the command itself

    main()


def _pytest() -> None:
    import pytest  # noqa: PLC0415 - as the command itself

    # It cannot rewrite the assertions of what is loaded, and would say so.
    loaded = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    sys.exit(pytest.main(["-W", loaded, *sys.argv[1:]]))


PROGRAMS = {"harness": _harness, "pytest": _pytest}
