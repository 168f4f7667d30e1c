"""The live speed-up of serve beside other programs: who is accused, and after how many rounds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.figures.figure import ROOT, Figure, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BESIDE", "speedup_noise"]

SCENARIOS = ("concurrent_beats_sequential", "eight_users_beat_sequential")
ROUNDS_MAX = 10
# Busy loops beside the runs, and whether each has a session (a terminal) of its own.
BESIDE = {"quiet": (0, False), "two": (2, False), "two-others": (2, True), "eight": (8, True)}
LOOP = "while True: pass"


def speedup_noise(options: Options) -> Figure:
    """Run the two scenarios of speed-up live, again and again, quiet and beside busy loops."""
    harness = [sys.executable, "-P", "-m", "harness"]
    subprocess.run([*harness, "node", "up"], cwd=ROOT, check=True)
    told, met = [], True
    try:
        for beside in options.beside or tuple(BESIDE):
            for scenario in SCENARIOS:
                with _loops(*BESIDE[beside]):
                    runs = [_run(harness, scenario, beside) for _ in range(options.runs)]
                counts = Counter(verdict for verdict, _ in runs)
                told.append(
                    f"{beside} {scenario}: "
                    + ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
                )
                met &= all(_is_right(verdict, rounds, beside) for verdict, rounds in runs)
    finally:
        subprocess.run([*harness, "node", "down"], cwd=ROOT, check=True)
    return Figure(value="; ".join(told), met=met)


def _is_right(verdict: str, rounds: int, beside: str) -> bool:
    if beside == "quiet":
        return verdict == "passed"
    return verdict == "passed" or (verdict == "unknown" and rounds <= ROUNDS_MAX)


def _run(harness: list[str], scenario: str, beside: str) -> tuple[str, int]:
    """Run a scenario live; return its verdict, and the rounds that it took."""
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        report = Path(folder, "report.json")
        command = [*harness, "run", f"scenarios/{scenario}.toml", "--node", "live", "--quiet"]
        subprocess.run(
            [*command, "--json", str(report)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        )
        (run,) = json.loads(report.read_text(encoding="utf-8"))["runs"]
    rounds = len(run["figures"]["timed_rounds"]) if run["figures"] else 0
    print(f"figures: {beside} {scenario}: {run['verdict']}: {_seen(run)}", flush=True)
    return run["verdict"], rounds


def _seen(run: dict[str, Any]) -> str:
    """Say what the speed-up's check saw, and the name of each other check that did not pass."""
    others = [one for one in run["checks"] if one["name"] != "speedup"]
    seen = [one["seen"] for one in run["checks"] if one["name"] == "speedup"]
    return "; ".join([
        *seen, *(f"{one['name']} {one['verdict']}" for one in others if one["verdict"] != "passed")
    ])  # fmt: skip


@contextmanager
def _loops(number: int, own_sessions: bool) -> Iterator[None]:
    """Keep so many busy loops; only these processes are ended."""
    command = [sys.executable, "-c", LOOP]
    started = [subprocess.Popen(command, start_new_session=own_sessions) for _ in range(number)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()
