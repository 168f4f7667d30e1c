"""Measure promised figures: ``tox -e figures -- ROW``; without a row, list them.

Ends with 1 if a figure misses its bound, with 3 if only a person can find it out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# Last: the harness that is measured is the one that was installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.figures.figure import REFERENCE, Figure, Options
from tests.figures.noise import BESIDE
from tests.figures.ratio import PAIRS_MIN
from tests.figures.rows import ROWS, Row, When

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """List rows, or measure those that are asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="figures", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="the names of rows")
    parser.add_argument("--nightly", action="store_true", help="all rows that a night measures")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of a comparison")
    parser.add_argument("--python", default="", help="another interpreter, for the row python")
    parser.add_argument("--reference", default=REFERENCE, help="the commit to compare with")
    parser.add_argument("--runs", type=int, default=10, help="live runs, for speedup-noise")
    parser.add_argument(
        "--beside", action="append", default=[], choices=list(BESIDE), help="only this load beside"
    )
    asked = parser.parse_args(arguments)
    if asked.runs < 1:
        parser.error(f"--runs: must be at least 1, got {asked.runs}")
    if asked.pairs < PAIRS_MIN:
        parser.error(f"--pairs: must be at least {PAIRS_MIN}, got {asked.pairs}")
    unknown = [name for name in asked.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row is called {unknown[0]}; there are {', '.join(ROWS)}")
    options = Options(
        pairs=asked.pairs,
        python=asked.python,
        reference=asked.reference,
        runs=asked.runs,
        beside=tuple(asked.beside),
    )
    wanted = list(asked.rows)
    if asked.nightly:
        # Another interpreter is tried where there is one.
        wanted += [
            name
            for name, row in ROWS.items()
            if row.when is When.NIGHTLY and (name != "python" or options.python)
        ]
    if not wanted:
        for row in ROWS.values():
            print(listed(row))
        return 0
    return max(told(ROWS[name], ROWS[name].measure(options)) for name in wanted)


def listed(row: Row) -> str:
    """Describe a row in two lines."""
    by = f", by tox -e {row.ci}" if row.when is When.EVERY_CI else ""
    return f"{row.name} [{row.when}{by}]\n    {row.text}: {row.bound}"


def told(row: Row, found: Figure) -> int:
    """Print a figure against its bound, and return the exit code that it makes."""
    word = {True: "MET", False: "MISSED", None: "NOT MEASURED"}[found.met]
    print(f"{word} {row.name}: {row.text}: {found.value}; bound: {row.bound}", flush=True)
    return {True: 0, False: 1, None: 3}[found.met]


if __name__ == "__main__":
    sys.exit(main())
