"""Drawn programs on stock asyncio and in a search: which orders are had there, and not here."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.harness.simulated.orders.drawn_programs import DrawnProgram
from tests.harness.simulated.orders.guided_search import GuidedSearch
from tests.harness.simulated.orders.stock_loop import StockLoop

__all__ = ["Compared", "compared", "stock_logs"]

LATE_MS = 5.0


@dataclass(kw_only=True)
class Compared:
    """What drawn programs came to; ``missed`` are orders of stock asyncio that no run had."""

    programs: int = 0
    orders: int = 0
    runs: int = 0
    missed: list[str] = field(default_factory=list)


def stock_logs(program, *, seeds):
    """Run a program on stock asyncio, each time another machine; return its logs, each once."""
    logs = {}
    for seed in seeds:
        program.expected = None
        loop = StockLoop(seed, late_s=LATE_MS / 1e3)
        try:
            loop.run_until_complete(program.main())
        finally:
            loop.close()
        logs.setdefault(repr(program.log), program.log)
    return list(logs.values())


def compared(programs, *, seeds, runs_max):
    """Look for each order that stock asyncio takes in production mode."""
    found = Compared()
    for number in programs:
        program = DrawnProgram(number)
        logs = stock_logs(program, seeds=seeds)
        found.programs += 1
        with GuidedSearch(program, late_ms=LATE_MS) as search:
            for log in logs:
                found.orders += 1
                reached = search.reaches(log, runs_max=runs_max)
                found.runs += search.runs
                if not reached:
                    found.missed.append(f"program {number}: {program.plan}: {log}")
    return found
