"""Figures that compare two sides in pairs: both beside each other, so that the machine is alike."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.figures.figure import ROOT, Figure, Options
from tests.figures.ratio import compared

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.figures.ratio import Ratio

__all__ = ["memory", "own_environment", "speed", "start_up"]

PROGRAMS = ("ring", "sleeps", "runs", "linearizable")
SPEED_MAX = 1.05
# 0.35 s where importing asyncio takes 0.29 s; 14 MB where stock asyncio takes 10.9 MB.
START_UP_MAX, MEMORY_MAX = 0.35 / 0.29, 14 / 10.9
SCENARIO = ROOT / "scenarios" / "same_user_spawns_one_client.toml"


def speed(options: Options) -> Figure:
    """Compare CPU seconds with those of an earlier commit, each from wheels in its own venv."""
    with tempfile.TemporaryDirectory(prefix="figures-") as name:
        before, now = Path(name, "before"), Path(name, "now")
        archive = subprocess.run(
            ["git", "archive", options.reference], cwd=ROOT, capture_output=True, check=True
        )
        before.mkdir()
        subprocess.run(["tar", "-x"], cwd=before, input=archive.stdout, check=True)
        # It needs one library that brings two of the same names, so pip may not look further.
        theirs = own_environment(before, "base58-bech32", where=before / "venv", no_deps=True)
        subprocess.run([theirs, "-m", "pip", "install", "--quiet", str(before)], check=True)
        ours = own_environment(now, str(ROOT), str(ROOT / "serve"), where=now / "venv")
        sides = [(partial(_program, theirs, one), partial(_program, ours, one)) for one in PROGRAMS]
        sides.append((partial(_search_s, theirs, before), partial(_search_s, ours, ROOT)))
        return _told(
            {
                name: _pairs_told(name, first, second, options)
                for name, (first, second) in zip((*PROGRAMS, "explore"), sides, strict=True)
            },
            most=SPEED_MAX,
        )


def start_up(options: Options) -> Figure:
    """Compare the start of the command line with that of asyncio alone, wall seconds."""
    alone = partial(_wall_s, sys.executable, "-P", "-c", "import asyncio")
    run = partial(_wall_s, sys.executable, "-P", "-m", "harness", "run", str(SCENARIO))
    return _told({"start-up": _pairs_told("start-up", alone, run, options)}, most=START_UP_MAX)


def memory(options: Options) -> Figure:
    """Compare what idle tasks hold with what they hold on stock asyncio."""
    stock, ours = (partial(_program, sys.executable, one) for one in ("stock_idle", "idle"))
    return _told({"memory": _pairs_told("memory", stock, ours, options)}, most=MEMORY_MAX)


def own_environment(
    folder: Path, *packages: str, where: Path, python: str = sys.executable, no_deps: bool = False
) -> str:
    """Make a virtual environment with packages, and return its interpreter."""
    print(f"figures: installing {', '.join(packages)} into an environment of its own", flush=True)
    folder.mkdir(exist_ok=True)
    subprocess.run([python, "-m", "venv", str(where)], check=True)
    binary = str(where / "bin" / "python")
    more = ["--no-deps"] if no_deps else []
    subprocess.run([binary, "-m", "pip", "install", "--quiet", *more, *packages], check=True)
    return binary


def _program(python: str, name: str) -> float:
    command = [python, "-I", str(Path(__file__).with_name("programs.py")), name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _search_s(python: str, tree: Path) -> float:
    """Search a scenario of the side's own tree; return the CPU seconds of the whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    scenario = tree / "scenarios" / "two_users_create_accounts.toml"
    asked = ["explore", str(scenario), "--runs", "300", "--jobs", "1"]
    command = [python, "-I", "-m", "harness", *asked]
    subprocess.run(command, cwd=tree, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _wall_s(*command: str) -> float:
    begin_s = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - begin_s


def _pairs_told(
    name: str, first: Callable[[], float], second: Callable[[], float], options: Options
) -> Ratio:
    print(f"figures: {name}: measuring {options.pairs} pairs", flush=True)
    found = compared(first, second, pairs=options.pairs)
    print(f"figures: {name}: {found}", flush=True)
    return found


def _told(found: dict[str, Ratio], *, most: float) -> Figure:
    value = "; ".join(f"{name} {ratio}" for name, ratio in found.items())
    return Figure(value=value, met=all(ratio.low <= most for ratio in found.values()))
