"""Figures for which something is installed, cloned or started: environments, tests, neighbours."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.figures.figure import ROOT, Figure, Options
from tests.figures.pairs import own_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["baseline", "by_hand", "neighbours", "other_python", "readme", "slow_tests", "tox"]

FIRST_MAX_S, SECOND_MAX_S = 25, 600
BUSY = "while True: pass"
PLUGINS = ("pytest-replay", "pytest-asyncio", "anyio", "pytest-randomly", "pytest-xdist")
# What is somebody's own: modules of the names serve and harness, a test of each plugin.
THEIRS = {
    "serve.py": "PRICE = 3\n",
    "harness/__init__.py": "KIND = 'climbing'\n",
    "test_theirs.py": """
import asyncio
import pathlib
import random

import pytest
import serve

import harness


def test_their_modules_are_theirs():
    assert (serve.PRICE, harness.KIND) == (3, "climbing")


@pytest.mark.asyncio
async def test_pytest_asyncio_runs_a_coroutine():
    await asyncio.sleep(0)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio_runs_a_coroutine(anyio_backend):
    assert anyio_backend == "asyncio"


@pytest.mark.parametrize("number", range(3))
def test_pytest_randomly_seeds_each_run_alike(number):
    drawn, kept = repr(random.random()), pathlib.Path(f"drawn-{number}")
    if not kept.exists():
        kept.write_text(drawn)
    assert kept.read_text() == drawn
""",
}
RUNS_OF_PYTEST = (
    ["--replay-record-dir", "records"],
    ["--replay", "records/.pytest-replay.txt"],
    ["-n", "2"],
)


def by_hand(_options: Options, *, how: str) -> Figure:
    """Say how a person finds it out."""
    return Figure(value=f"not measured by a program: {how}", met=None)


def tox(environment: str, _options: Options) -> Figure:
    """Run an environment of tox."""
    return _passes([sys.executable, "-m", "tox", "run", "-e", environment])


def slow_tests(_options: Options) -> Figure:
    """Run the tests that are marked for the night."""
    return _passes([sys.executable, "-m", "pytest", "-m", "nightly", "tests/harness"])


def baseline(_options: Options) -> Figure:
    """Run the guard, which prints each section as it is compared."""
    return _passes([sys.executable, "tests/baseline/guard.py", "compare"])


def other_python(options: Options) -> Figure:
    """Install into another CPython, and run there what must be as with this one."""
    if not options.python:
        return Figure(value="--python: name the interpreter, such as python3.14", met=False)
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        python = own_environment(
            Path(folder), f"{ROOT}[test]", str(ROOT / "serve"),
            where=Path(folder, "venv"), python=options.python,
        )  # fmt: skip
        pytest = [python, "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
        parts = ("tests/serve", "tests/harness", "tests/scenarios", "tests/sensitivity")
        commands = (
            [python, "-m", "harness", "run"],
            [*pytest, *parts, "tests/conformance", "scenarios"],
            # Digests and exhaustive counts were written with CPython 3.11.
            [python, "tests/baseline/guard.py", "compare"],
        )
        return _all_pass(commands)


def neighbours(_options: Options) -> Figure:
    """Run somebody's tests, with plugins and modules of theirs, in an environment with it."""
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        place = Path(folder, "theirs")
        python = own_environment(
            place, str(ROOT), str(ROOT / "serve"), *PLUGINS, where=Path(folder, "venv")
        )
        for name, text in THEIRS.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        # With -m, pytest has the current folder on the path, as in most projects.
        commands = [
            [python, "-m", "pytest", "-q", "--randomly-seed", "7", *more] for more in RUNS_OF_PYTEST
        ]
        return _all_pass(commands, cwd=place)


def readme(_options: Options, *, busy: int = 0) -> Figure:
    """Time the two commands of the README in a fresh clone."""
    texts = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    first, second = (line.strip() for line in texts if line.startswith("    python3 -m venv"))
    with tempfile.TemporaryDirectory(prefix="figures-") as folder, _busy(busy):
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        took = []
        for command in (first, second):
            print(f"figures: {command}", flush=True)
            begin_s = time.perf_counter()
            code = subprocess.run(["bash", "-c", command], cwd=clone, check=False).returncode
            took.append(time.perf_counter() - begin_s)
            if code:
                return Figure(value=f"{command}: ended with {code}", met=False)
    value = ", ".join(f"{one:.0f} s" for one in took)
    in_time = took[0] < FIRST_MAX_S and took[1] < SECOND_MAX_S
    return Figure(value=value, met=bool(busy) or in_time)


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    """Keep the machine busy; only these processes are ended."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def _all_pass(commands: tuple[list[str], ...] | list[list[str]], *, cwd: Path = ROOT) -> Figure:
    for command in commands:
        found = _passes(command, cwd=cwd)
        if not found.met:
            return found
    return Figure(value="all pass", met=True)


def _passes(command: list[str], *, cwd: Path = ROOT) -> Figure:
    """Run a command in sight; it meets its bound if it ends with 0."""
    told = " ".join(command)
    print(f"figures: {told}", flush=True)
    environment = {name: one for name, one in os.environ.items() if not name.startswith("TOX_")}
    if cwd != ROOT:
        environment.pop("PYTHONSAFEPATH", None)
    code = subprocess.run(command, cwd=cwd, env=environment, check=False).returncode
    return Figure(value="passes" if code == 0 else f"{told}: ended with {code}", met=code == 0)
