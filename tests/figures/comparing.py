"""The figure of ``harness compare --run``: planted regressions found, unchanged code left alone."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.figures.figure import ROOT, Figure, Options

__all__ = ["power"]

# The path that gets slower, and scenarios that take it.
FILE, FUNCTION = "serve/service/service.py", "create_account_order"
SCENARIOS = (
    "scenarios/two_users_create_accounts.toml",
    "scenarios/lost_caller_keeps_its_account.toml",
)
PLANTED = 0.05
# So many turns of an empty loop show what one turn costs; then as many as make 5 % are planted.
TURNS_TO_MEASURE = 200_000
BUDGET_S = 1_800


def power(options: Options) -> Figure:
    """Compare copies of this tree: ``pairs`` times unchanged, half as often 5 % slower.

    The 5 % are of the first scenario; what they are of the second follows from its creations.
    """
    with tempfile.TemporaryDirectory(prefix="figures-") as name:
        old, same, slow = (_copy(Path(name, one)) for one in ("old", "same", "slow"))
        _plant(slow, turns=TURNS_TO_MEASURE)
        added = _ratio(_compared(old, slow)) - 1
        turns = round(TURNS_TO_MEASURE * PLANTED / added)
        print(
            f"figures: {TURNS_TO_MEASURE:,} turns add {added:.1%}; planted: {turns:,}", flush=True
        )
        _plant(slow, turns=turns)
        found = _verdicts(old, slow, options.pairs // 2, "5 % planted")
        accused = _verdicts(old, same, options.pairs, "unchanged")
    hits, wrong = found.count("failed"), accused.count("failed")
    unknown = found.count("unknown") + accused.count("unknown")
    return Figure(
        value=f"found {hits} of {len(found)}; accused {wrong} of {len(accused)}; unknown {unknown}",
        met=hits * 10 >= 9 * len(found) and wrong * 20 <= len(accused),
    )


def _copy(place: Path) -> Path:
    for part in ("harness", "serve", "scenarios"):
        ignored = shutil.ignore_patterns("__pycache__", "native", "regressions")
        shutil.copytree(ROOT / part, place / part, ignore=ignored)
    return place


def _plant(tree: Path, *, turns: int) -> None:
    """Make a function of the tree spend the time of so many turns of an empty loop."""
    text = (ROOT / FILE).read_text(encoding="utf-8")
    (function,) = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == FUNCTION
    )
    # After its docstring.
    lines = text.splitlines(keepends=True)
    lines.insert(
        function.body[1].lineno - 1, f"        for _ in range({turns}):\n            pass\n"
    )
    (tree / FILE).write_text("".join(lines), encoding="utf-8")


def _verdicts(old: Path, new: Path, times: int, what: str) -> list[str]:
    verdicts = []
    for number in range(1, times + 1):
        found = _compared(old, new)
        verdicts.append(str(found["verdict"]))
        told = ", ".join(
            f"{one['way']} {one['ratio']:.3f} ({one['samples']})" for one in found["measured"]
        )
        print(f"figures: {what}, {number} of {times}: {verdicts[-1]}: {told}", flush=True)
    return verdicts


def _compared(old: Path, new: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        file = Path(folder, "comparison.json")
        command = [sys.executable, "-m", "harness", "compare", "--run", str(old), str(new)]
        asked = [*SCENARIOS, "--budget", str(BUDGET_S), "--quiet", "--json", str(file)]
        done = subprocess.run([*command, *asked], capture_output=True, text=True, check=False)
        if not file.exists():
            raise RuntimeError(f"harness compare ended with {done.returncode}: {done.stderr}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def _ratio(found: dict[str, Any]) -> float:
    return float(found["measured"][0]["ratio"])
