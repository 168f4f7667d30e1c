"""The orders that stock asyncio takes, and how many of them production mode does not have."""

from __future__ import annotations

from tests.figures.figure import Figure, Options
from tests.harness.simulated.orders.differential import compared

__all__ = ["stock_orders"]

PROGRAMS = 2_000
SEEDS = 8
RUNS_MAX = 10_000


def stock_orders(_options: Options) -> Figure:
    """Run drawn programs on stock asyncio and look for each of their orders in production mode."""
    found = compared(range(PROGRAMS), seeds=range(SEEDS), runs_max=RUNS_MAX)
    for one in found.missed:
        print(f"figures: not found: {one}", flush=True)
    value = (
        f"{len(found.missed):,} of {found.orders:,} orders of {found.programs:,} programs not found"
        f" in {found.runs:,} runs"
    )
    return Figure(value=value, met=not found.missed)
