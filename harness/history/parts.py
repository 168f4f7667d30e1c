"""The part that each module plays in a run: the program, the harness, or Python's library.

Only this table decides that, by the module's name. It is in ``history`` because frames
(``harness.diagnosis``) and records (``Blocked``) both use it.
"""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from functools import lru_cache

__all__ = ["PARTS", "Part", "part_at", "part_of"]


class Part(StrEnum):
    """What a module belongs to.

    ``PROGRAM``: the system under test, its adapters, installed packages, and all modules that are
    not listed. ``HARNESS``: the harness, except ``LOOP``, the modules that drive or observe the
    virtual loop, and ``LEDGER``, those between a program and its locks. ``LIBRARY``: Python's
    library, except ``ASYNCIO``.
    """

    PROGRAM = "program"
    HARNESS = "harness"
    LOOP = "loop"
    LEDGER = "ledger"
    ASYNCIO = "asyncio"
    LIBRARY = "library"

    @property
    def is_harness(self) -> bool:
        """True for all of the harness but its adapters of systems, which count as program."""
        return self in _HARNESS

    @property
    def is_machinery(self) -> bool:
        """True for what stands between a program and its locks: asyncio and the ledgers."""
        return self in _MACHINERY


_HARNESS = frozenset({Part.HARNESS, Part.LOOP, Part.LEDGER})
_MACHINERY = frozenset({Part.ASYNCIO, Part.LEDGER})


# A package stands for all its unlisted modules, except ``harness``: a project may have a folder of
# that name for its scenarios.
PARTS: dict[str, Part] = {
    "asyncio": Part.ASYNCIO,
    "serve": Part.PROGRAM,
    "harness.systems": Part.PROGRAM,
    "harness.miden.adapter": Part.PROGRAM,
    **dict.fromkeys(
        ("harness.diagnosis.lock_ledger", "harness.diagnosis.signals.signal_ledger"), Part.LEDGER
    ),
    **dict.fromkeys(
        (
            "harness.choices.lane_names",
            "harness.search.exhaustive.observation.observer",
            "harness.search.exhaustive.trail",
            "harness.simulated.cancelling",
            "harness.simulated.guards.task_sets",
            "harness.simulated.loop._speedups",
            "harness.simulated.loop.callbacks",
            "harness.simulated.loop.exploring_loop",
            "harness.simulated.loop.loop_surface",
            "harness.simulated.loop.primitives",
            "harness.simulated.loop.turning",
            "harness.simulated.loop.virtual_time",
            "harness.simulated.loop.virtual_loop",
            "harness.simulated.loop.virtual_task",
        ),
        Part.LOOP,
    ),
    **dict.fromkeys(
        (
            "harness.__main__",
            "harness.backends",
            "harness.checks",
            "harness.choices",
            "harness.cli",
            "harness.consistency",
            "harness.diagnosis",
            "harness.drafts",
            "harness.errors",
            "harness.history",
            "harness.live",
            "harness.miden",
            "harness.processes",
            "harness.api",
            "harness.pytest_plugin",
            "harness.report",
            "harness.results",
            "harness.runs",
            "harness.scenario",
            "harness.search",
            "harness.simulated",
            "mosaic_harness_plugin",
        ),
        Part.HARNESS,
    ),
}

_PLACE = re.compile(r"(?P<path>[^:]+)\.py:\d")


@lru_cache(maxsize=4096)
def part_of(module: str) -> Part:
    """Return the part that a module plays in a run, by its full dotted name."""
    if module == "harness":
        return Part.HARNESS
    name = module
    while name:
        if name in PARTS:
            return PARTS[name]
        name = name.rpartition(".")[0]
    top = module.partition(".")[0]
    return Part.LIBRARY if top in sys.stdlib_module_names else Part.PROGRAM


def part_at(place: str) -> Part:
    """Return the part of the module that a place names: ``harness/runs/workload.py:9 in f``.

    The path is relative to where Python imports from, so it spells the module's name.
    """
    found = _PLACE.match(place)
    return part_of(found["path"].replace("/", ".")) if found else Part.PROGRAM
