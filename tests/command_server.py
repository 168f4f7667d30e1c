"""Runs commands of the harness, each in a process forked from one that has loaded all of it.

To load the command line takes half a second, and the tests run it hundreds of times. What it does
is the same: a process of its own, with its own arguments, folder, environment, output and end.
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

# What commands load only when they need it.
PRELOADED = ("harness.cli", "harness.report.formats", "harness.search", "harness.runs")


def serve() -> None:
    """Carry out the commands that are asked for on stdin, one a line, until it is closed."""
    for package in PRELOADED:
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
    sys.argv = ["harness", *asked["arguments"]]
    from harness.__main__ import main  # noqa: PLC0415 - as the command itself

    main()
